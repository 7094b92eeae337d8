import { describe, expect, it } from "vitest";
import type { RegisteredFunction, Trigger } from "../../../../src/apps/function.ts";
import { activeCrons, patrolled, tellings, tellingText } from "../../../../src/decide/schedule/told.ts";

const cron = (text: string, jitter: number | null = null): Trigger => ({ kind: "cron", cron: text, jitter });

function functionOf(
  id: string,
  triggers: readonly Trigger[],
  more: Partial<RegisteredFunction> = {},
): RegisteredFunction {
  // Only these fields are looked at.
  return { id, configuration: { triggers }, archived: false, paused: null, ...more } as RegisteredFunction;
}

const HOURLY = [{ cron: "0 * * * *", jitter: null }];

describe("activeCrons", () => {
  it("TR-8: are the crons among the triggers", () => {
    const triggers: Trigger[] = [
      { kind: "event", event: "a", expression: null },
      cron("0 * * * *"),
      cron("@daily", 5000),
    ];
    expect(activeCrons(functionOf("f", triggers))).toEqual([...HOURLY, { cron: "@daily", jitter: 5000 }]);
  });

  it("TR-14: are none while the function is paused or archived", () => {
    const triggers = [cron("0 * * * *")];
    expect(activeCrons(functionOf("f", triggers, { archived: true }))).toEqual([]);
    expect(activeCrons(functionOf("f", triggers, { paused: { since: 1, running: "hold" } }))).toEqual([]);
  });
});

describe("tellings", () => {
  const hourly = functionOf("hourly", [cron("0 * * * *")]);
  const text = tellingText(HOURLY);

  it("TR-14: a new cron is told, and a function without crons is nobody's business", () => {
    expect(tellings([hourly, functionOf("plain", [])], new Map())).toEqual([{ functionId: "hourly", crons: HOURLY }]);
  });

  it("TR-14: what was told already is not told again, unless it is not known to have arrived", () => {
    expect(tellings([hourly], new Map([["hourly", text]]))).toEqual([]);
    expect(tellings([hourly], new Map([["hourly", null]]))).toEqual([{ functionId: "hourly", crons: HOURLY }]);
  });

  it.each([
    ["archived", [functionOf("hourly", [cron("0 * * * *")], { archived: true })]],
    ["without crons now", [functionOf("hourly", [])]],
    ["not in the catalog", []],
  ])("TR-14: a function %s is told to stop", (_, functions) => {
    for (const told of [text, null]) {
      expect(tellings(functions, new Map([["hourly", told]]))).toEqual([{ functionId: "hourly", crons: [] }]);
    }
  });

  it("TR-14: another text, order or jitter is told", () => {
    const [daily] = [cron("@daily")];
    for (const changed of [[cron("0 * * * *", 1000)], [daily], [daily, cron("0 * * * *")]]) {
      expect(tellings([functionOf("hourly", changed)], new Map([["hourly", text]]))).toHaveLength(1);
    }
  });
});

describe("patrolled", () => {
  it.each([1, 2, 59, 60, 61, 100, 121, 1000])("I4: of %i functions each is looked at within the rounds", (count) => {
    const ids = Array.from({ length: count }, (_, n) => `f-${n}`);
    const seen = new Set<string>();
    for (let round = 29_000_000; round < 29_000_060; round++) {
      const some = patrolled(ids, round, 60);
      expect(some.length).toBeLessThanOrEqual(Math.ceil(count / 60));
      for (const id of some) seen.add(id);
    }
    expect(seen.size).toBe(count);
  });

  it("nobody is nobody", () => {
    expect(patrolled([], 7, 60)).toEqual([]);
  });
});
