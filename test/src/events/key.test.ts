import { expect, it } from "vitest";
import { checkEventKey } from "../../../src/events/key.ts";

const cloud = (...eventKeys: string[]) => ({ mode: "cloud" as const, eventKeys });

it.each(["", "anything"])("EV-20: dev mode accepts the key %j", async (key) => {
  await expect(checkEventKey({ mode: "dev", eventKeys: [] }, key)).resolves.toBeUndefined();
});

it.each(["first", "second"])("EV-20: every configured key is accepted (%s)", async (key) => {
  await expect(checkEventKey(cloud("first", "second"), key)).resolves.toBeUndefined();
});

it.each([
  [cloud(), "any", "not_configured", "No event key is configured"],
  [cloud("first"), "", "event_key_missing", "Event key is required"],
  [cloud("first"), "firs", "event_key_not_found", "Event key not found"],
  [cloud("first"), "first ", "event_key_not_found", "Event key not found"],
  [cloud("first"), "FIRST", "event_key_not_found", "Event key not found"],
])("EV-20: %j refuses %j with %s", async (settings, key, code, message) => {
  await expect(checkEventKey(settings, key)).rejects.toMatchObject({ code, message });
});
