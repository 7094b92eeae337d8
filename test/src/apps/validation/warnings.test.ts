import { describe, expect, it } from "vitest";
import { checkRegistration } from "../../../../src/apps/validation/registration.ts";
import type { JsonObject } from "../../../../src/json.ts";
import { parseRegistration } from "../../../../src/protocol/registration.ts";

function warnings(...functions: readonly JsonObject[]): string[] {
  const identified = functions.map((options, at) => ({
    id: `sc-${"abc".charAt(at)}`,
    triggers: [{ event: "x" }],
    ...options,
  }));
  const registration = parseRegistration({ appName: "sc", url: "https://app.example.com/", functions: identified });
  const checked = checkRegistration(registration, null, { allowPrivate: false, ownHost: null });
  expect(checked.violations).toEqual([]);
  return checked.warnings.map(({ functionId, option }) => `${functionId} ${option}`);
}

const batchEvents = { maxSize: 10, timeout: "5s", key: "event.data.k" };
const shared = (limit: number, scope = "account") => ({ concurrency: { limit, key: '"ai"', scope } });

describe("warnings", () => {
  it.each<[string, JsonObject, string[]]>([
    ["singleton with concurrency", { singleton: { mode: "skip" }, concurrency: 5 }, ["sc-a singleton"]],
    ["singleton with no real limit", { singleton: { mode: "skip" }, concurrency: 0 }, []],
    [
      "batching with another key",
      { batchEvents, concurrency: { limit: 1, key: "event.data.other" } },
      ["sc-a concurrency.key"],
    ],
    ["batching with the same key", { batchEvents, concurrency: { limit: 1, key: " event.data.k " } }, []],
    ["batching with a constant key", { batchEvents, concurrency: { limit: 1, key: "'global'" } }, []],
    ["batching without key", { batchEvents, concurrency: 3 }, []],
    [
      "a trigger that asks for async",
      { triggers: [{ event: "x", expression: "async.data.x == 1" }] },
      ["sc-a triggers[0].if"],
    ],
    ["async as a mere word", { triggers: [{ event: "x", expression: "event.data.async == 'async'" }] }, []],
    ["a key of two values", { idempotency: "event.data.a == 'b'" }, ["sc-a idempotency"]],
    ["a default in a key", { idempotency: "event.data.a || event.data.b" }, []],
    ["an unknown option", { colour: "red" }, ["sc-a colour"]],
  ])("AP-16: %s", (_what, options, expected) => {
    expect(warnings(options)).toEqual(expected);
  });

  it("AP-16: functions that share a key with different limits", () => {
    expect(warnings(shared(5), shared(50), shared(5))).toEqual([
      "sc-a concurrency.limit",
      "sc-b concurrency.limit",
      "sc-c concurrency.limit",
    ]);
    expect(warnings(shared(5), shared(5))).toEqual([]);
    expect(warnings(shared(5), shared(50, "env"))).toEqual([]);
    expect(warnings({ concurrency: { limit: 1, key: "'k'" } }, { concurrency: { limit: 2, key: "'k'" } })).toEqual([]);
  });
});
