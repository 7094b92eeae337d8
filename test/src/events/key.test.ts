import { describe, expect, it } from "vitest";
import { LOCAL, PRODUCTION } from "../../../src/environments/environment.ts";
import { isOneOf, keySender } from "../../../src/events/key.ts";
import type { Settings } from "../../../src/settings.ts";
import { NO_DATABASE } from "../database.ts";

// Keys look at nothing else.
const cloud = (...eventKeys: string[]) => ({ mode: "cloud", eventKeys }) as unknown as Settings;
const dev = { mode: "dev", eventKeys: [] } as unknown as Settings;
const send = (settings: Settings, key: string, branch: string | null = null) =>
  keySender({ DB: NO_DATABASE }, settings, { key, branch }, 1_800_000_000_000);

describe("EV-20: keys that are not stored cost no read of the database", () => {
  it.each(["", "anything"])("dev mode accepts the key %j", async (key) => {
    expect(await send(dev, key)).toEqual({ environment: LOCAL, key: null, parked: false });
  });

  it.each(["first", "second"])("EV-18: every configured key is one of production (%s)", async (key) => {
    expect(await send(cloud("first", "second"), key)).toEqual({ environment: PRODUCTION, key: null, parked: false });
  });

  it("EV-22: production ignores the name of a branch", async () => {
    const sender = await send(cloud("first"), "first", "pr-7");
    expect(sender).toEqual({ environment: PRODUCTION, key: null, parked: false });
  });

  it.each([
    ["", "event_key_missing", "Event key is required"],
    ["firs", "event_key_not_found", "Event key not found"],
    ["first ", "event_key_not_found", "Event key not found"],
    ["FIRST", "event_key_not_found", "Event key not found"],
    ["first,second", "event_key_not_found", "Event key not found"],
  ])("%j is refused with %s", async (key, code, message) => {
    await expect(send(cloud("first", "second"), key)).rejects.toMatchObject({ code, message });
  });
});

describe("SE-2: one of several keys", () => {
  it.each([
    [[], "a", false],
    [["a"], "a", true],
    [["a", "b"], "b", true],
    [["a", "b"], "", false],
    [["a", "b"], "ab", false],
  ])("of %j is %j: %s", async (keys, text, expected) => {
    expect(await isOneOf(keys, text)).toBe(expected);
  });
});
