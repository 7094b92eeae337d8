import { describe, expect, it } from "vitest";
import { mergeSessions } from "../../../src/events/sessions.ts";

const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, i]));

describe("EV-37: mergeSessions", () => {
  it.each([
    ["nothing", {}, {}],
    ["only inherited", { propagated_sessions: { a: "1" } }, { a: "1" }],
    [
      "explicit on top of inherited",
      { propagated_sessions: { a: "1", b: 2 }, sessions: { b: "x" } },
      { a: "1", b: "x" },
    ],
    ["null removes one", { propagated_sessions: { a: "1", b: 2 }, sessions: { a: null } }, { b: 2 }],
    ["null removes all", { propagated_sessions: { a: "1" }, sessions: null }, {}],
    ["null for the inherited means none", { propagated_sessions: null, sessions: { a: 1 } }, { a: 1 }],
    ["five", { sessions: many(5) }, many(5)],
    [
      "five after removal",
      { propagated_sessions: many(5), sessions: { k0: null, extra: 1 } },
      { k1: 1, k2: 2, k3: 3, k4: 4, extra: 1 },
    ],
    [
      "a key and a value at their limits",
      { sessions: { ["k".repeat(128)]: "v".repeat(512) } },
      { ["k".repeat(128)]: "v".repeat(512) },
    ],
  ])("%s", (_, meta, sessions) => {
    expect(mergeSessions(meta)).toEqual({ sessions });
  });

  it.each([
    ["six", { propagated_sessions: many(5), sessions: { extra: 1 } }, "6 entries; the limit is 5"],
    ["a key of 129 bytes", { sessions: { [`${"k".repeat(127)}é`]: 1 } }, "129 bytes; the limit is 128 bytes"],
    ["a value of 513 bytes", { sessions: { a: `${"v".repeat(511)}é` } }, "513 bytes; the limit is 512 bytes"],
  ])("refuses %s", (_, meta, reason) => {
    expect(mergeSessions(meta)).toEqual({ reason: expect.stringContaining(reason) });
  });
});
