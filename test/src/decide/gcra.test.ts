import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { admit, type Rate, type Tat } from "../../../src/decide/gcra.ts";

const T = 1_700_000_000_000;

/** The times, of those asked at, at which one may go. */
function starts(times: readonly number[], rate: Rate): number[] {
  let tat: Tat | null = null;
  return times.filter((now) => {
    const admission = admit(tat, now, rate);
    tat = admission.tat;
    return admission.ok;
  });
}

/** The times at which `count` who come at once may go, each asking again when it was told to. */
function queue(count: number, rate: Rate): number[] {
  let tat: Tat | null = null;
  let now = T;
  return Array.from({ length: count }, () => {
    for (;;) {
      const admission = admit(tat, now, rate);
      tat = admission.tat;
      if (admission.ok) return now - T;
      expect(admission.retryAt).toBeGreaterThan(now);
      now = admission.retryAt;
    }
  });
}

describe("admit", () => {
  it.each<[string, Rate, number[]]>([
    ["spread evenly", { limit: 1, period: 5000, burst: 1 }, [0, 5000, 10_000, 15_000]],
    ["a burst of two in all", { limit: 1, period: 5000, burst: 2 }, [0, 0, 5000, 10_000]],
    ["a rate limit of three", { limit: 3, period: 3000, burst: 3 }, [0, 0, 0, 1000, 2000]],
    ["thirds of a second, to the ms", { limit: 3, period: 1000, burst: 1 }, [0, 334, 667, 1000, 1334, 1667, 2000]],
    ["more than one per ms", { limit: 2500, period: 1000, burst: 1 }, [0, 1, 1, 2, 2, 2, 3, 3, 4, 4, 4]],
  ])("FC-16, FC-20: %s", (_, rate, expected) => {
    expect(queue(expected.length, rate)).toEqual(expected);
  });

  it("FC-16: the rate is kept exactly, however long it goes on", () => {
    expect(queue(3 * 7000 + 1, { limit: 7, period: 1000, burst: 1 }).at(-1)).toBe(3_000_000);
  });

  it("a clock that went back makes nobody wait longer than for one", () => {
    const { tat } = admit(null, T, { limit: 1, period: 5000, burst: 1 });
    const refused = admit(tat, T - 3_600_000, { limit: 1, period: 5000, burst: 1 });
    expect(refused).toMatchObject({ ok: false, retryAt: T - 3_600_000 + 5000 });
    expect(admit(refused.tat, T - 3_600_000 + 5000, { limit: 1, period: 5000, burst: 1 }).ok).toBe(true);
  });

  it("FC-11: a rate that became less strict counts at once, and one that became stricter from now on", () => {
    const slow = { limit: 1, period: 3_600_000, burst: 1 };
    const fast = { limit: 1000, period: 1000, burst: 1 };
    expect(admit(admit(null, T, slow).tat, T, fast)).toMatchObject({ retryAt: T + 1 });
    expect(admit(admit(null, T, fast).tat, T + 1, slow).ok).toBe(true);
  });
});

// Slow and obvious: a bucket that is refilled ms by ms, in units of which `period` are one start. What drops in the ms in which it
// becomes full may still be taken in that ms.
function bucket(times: readonly number[], { limit, period, burst }: Rate): number[] {
  let level = burst * period;
  let at = times[0] ?? 0;
  return times.filter((now) => {
    for (; at < now; at++) level = level < burst * period ? level + limit : burst * period;
    if (level < period) return false;
    level -= period;
    return true;
  });
}

const rates = fc.record({
  limit: fc.integer({ min: 1, max: 12 }),
  period: fc.integer({ min: 1, max: 60 }),
  burst: fc.integer({ min: 1, max: 12 }),
});
const arrivals = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 80 })), { maxLength: 80 })
  .map((gaps) => {
    let now = T;
    return gaps.map((gap) => {
      now += gap;
      return now;
    });
  });

describe("properties", () => {
  it("FC-16: the same may go as from a bucket of `burst` that refills `limit` per period", () => {
    fc.assert(
      fc.property(rates, arrivals, (rate, times) => {
        expect(starts(times, rate)).toEqual(bucket(times, rate));
      }),
      { numRuns: 500 },
    );
  });

  it("FC-16: any window of one period holds at most limit + burst − 1 starts", () => {
    fc.assert(
      fc.property(rates, arrivals, (rate, times) => {
        const went = starts(times, rate);
        for (const from of went) {
          const inside = went.filter((at) => at >= from && at < from + rate.period).length;
          expect(inside).toBeLessThanOrEqual(rate.limit + rate.burst - 1);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("FC-20: with capacity = limit that is fewer than 2 × limit, and with limit 1 one per period", () => {
    fc.assert(
      fc.property(rates, arrivals, ({ limit, period }, times) => {
        const went = starts(times, { limit, period, burst: limit });
        for (const from of went) {
          expect(went.filter((at) => at >= from && at < from + period).length).toBeLessThan(2 * limit);
        }
        const single = starts(times, { limit: 1, period, burst: 1 });
        const first = single[0] ?? T;
        const next = times.find((at) => at >= first + period);
        expect(single[1]).toBe(next);
      }),
      { numRuns: 500 },
    );
  });

  it("retryAt is the first ms at which the answer is yes", () => {
    fc.assert(
      fc.property(rates, arrivals, (rate, times) => {
        let tat: Tat | null = null;
        for (const now of times) {
          const admission = admit(tat, now, rate);
          if (!admission.ok) {
            expect(admit(tat, admission.retryAt, rate).ok).toBe(true);
            expect(admit(tat, admission.retryAt - 1, rate).ok).toBe(false);
          }
          tat = admission.tat;
        }
      }),
    );
  });
});
