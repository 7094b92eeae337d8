import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Tat } from "../../../../src/decide/gcra.ts";
import { forgetAt, IDEMPOTENCY, passRateLimit, type RateLimit } from "../../../../src/decide/window/rate-limit.ts";
import { WINDOW } from "../../../../src/limits.ts";

const T = 1_700_000_000_000;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** A window as its object keeps it: passes by id, and the newest debt. */
function windowOf(limit: RateLimit) {
  const passed = new Map<string, number>();
  let debt: Tat | null = null;
  return {
    passed,
    ask(id: string, at: number, now: number): boolean {
      if (passed.has(id)) return true;
      const pass = passRateLimit(debt, { at, now }, limit);
      if (pass === null) return false;
      debt = pass.tat;
      passed.set(id, pass.passedAt);
      return true;
    },
  };
}

describe("passRateLimit", () => {
  it("FC-20: ten at once and then one each six minutes", () => {
    const window = windowOf({ limit: 10, period: 60 * MINUTE });
    const burst = Array.from({ length: 12 }, (_, i) => window.ask(`e${i}`, T, T));
    expect(burst).toEqual([...Array(10).fill(true), false, false]);
    for (let i = 1; i < 30; i++) {
      const now = T + i * 6 * MINUTE;
      expect(window.ask(`just before ${i}`, now - 1, now - 1)).toBe(false);
      expect(window.ask(`later ${i}`, now, now)).toBe(true);
    }
  });

  it("FC-21: an idempotency key lets one start through in 24 h", () => {
    const window = windowOf(IDEMPOTENCY);
    expect(window.ask("first", T, T)).toBe(true);
    expect(window.ask("second", T + DAY - 1, T + DAY - 1)).toBe(false);
    expect(window.ask("third", T + DAY, T + DAY)).toBe(true);
  });

  it("a refused start is refused again when its event is routed again later", () => {
    const window = windowOf({ limit: 1, period: MINUTE });
    window.ask("first", T, T);
    expect(window.ask("second", T + 1000, T + 1000)).toBe(false);
    expect(window.ask("second", T + 1000, T + 10 * MINUTE)).toBe(false);
    expect(window.ask("third", T + 10 * MINUTE, T + 10 * MINUTE)).toBe(true);
  });

  it("FC-20: events of one request count as one moment, however long it takes to get through them", () => {
    const window = windowOf({ limit: 3, period: MINUTE });
    const answers = Array.from({ length: 4 }, (_, i) => window.ask(`e${i}`, T, T + i * 100));
    expect(answers).toEqual([true, true, true, false]);
  });

  it("a clock that was set back by far does not refuse for long", () => {
    const window = windowOf({ limit: 1, period: MINUTE });
    window.ask("first", T, T);
    expect(window.ask("second", T - 60 * MINUTE, T - 60 * MINUTE)).toBe(true);
    expect(window.ask("third", T - 60 * MINUTE, T - 60 * MINUTE)).toBe(false);
  });

  it("an event that seems to come from the future counts from now", () => {
    const window = windowOf({ limit: 1, period: MINUTE });
    expect(window.ask("first", T + 1000, T)).toBe(true);
    expect(window.ask("second", T + MINUTE, T + MINUTE)).toBe(true);
  });

  it("a pass is remembered while its send may be repeated, and while something is owed for it", () => {
    const pass = passRateLimit(null, { at: T, now: T }, { limit: 2, period: MINUTE });
    expect(pass && forgetAt(pass)).toBe(T + WINDOW.remembered);
    const once = passRateLimit(null, { at: T, now: T }, IDEMPOTENCY);
    expect(once && forgetAt(once)).toBe(T + DAY + 1);
  });
});

// Starts in an order of their own, some late, some asked about several times.
const asks = fc.array(
  fc.record({
    event: fc.integer({ min: 0, max: 15 }),
    pause: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 300 })),
    lateness: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 200 })),
  }),
  { maxLength: 60 },
);
const limits = fc.record({ limit: fc.integer({ min: 1, max: 5 }), period: fc.integer({ min: 1, max: 100 }) });

describe("properties", () => {
  it("every start gets one answer, however often it is asked about and whatever comes in between", () => {
    fc.assert(
      fc.property(limits, asks, (limit, sequence) => {
        const window = windowOf(limit);
        const answers = new Map<number, { at: number; passed: boolean }>();
        let now = T;
        for (const { event, pause, lateness } of sequence) {
          now += pause;
          const at = answers.get(event)?.at ?? now - lateness;
          const passed = window.ask(`e${event}`, at, now);
          expect(passed).toBe(answers.get(event)?.passed ?? passed);
          answers.set(event, { at, passed });
        }
      }),
      { numRuns: 500 },
    );
  });

  it("FC-20: any window of one period holds fewer than 2 × limit starts, by when their events came", () => {
    fc.assert(
      fc.property(limits, asks, (limit, sequence) => {
        const window = windowOf(limit);
        let now = T;
        const starts: number[] = [];
        for (const [index, { pause, lateness }] of sequence.entries()) {
          now += pause;
          if (window.ask(`e${index}`, now - lateness, now)) starts.push(now - lateness);
        }
        for (const from of starts) {
          const inside = starts.filter((start) => start >= from && start < from + limit.period);
          expect(inside.length).toBeLessThan(2 * limit.limit);
        }
      }),
      { numRuns: 500 },
    );
  });
});
