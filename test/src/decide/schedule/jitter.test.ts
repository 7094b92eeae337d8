import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fireTime } from "../../../../src/decide/schedule/jitter.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const T = Date.UTC(2026, 10, 21, 10);
const cron = "0 * * * *";

describe("fireTime", () => {
  it("TR-15: without jitter it is the tick", () => {
    expect(fireTime("f", { cron, jitter: null }, T, T + MINUTE)).toBe(T);
  });

  it("TR-15: it lies between a second and the jitter, is always the same, and never reaches the next tick", () => {
    const ticks = fc.integer({ min: 0, max: 1e6 }).map((minutes) => T + minutes * MINUTE);
    fc.assert(
      fc.property(
        fc.string(),
        fc.integer({ min: SECOND, max: 5 * MINUTE }),
        ticks,
        fc.option(fc.integer({ min: 1, max: 10 })),
        (id, jitter, at, minutes) => {
          const next = minutes === null ? null : at + minutes * MINUTE;
          const moment = fireTime(id, { cron, jitter }, at, next);
          expect(moment).toBe(fireTime(id, { cron, jitter }, at, next));
          expect(moment).toBeGreaterThanOrEqual(at + SECOND);
          expect(moment).toBeLessThanOrEqual(at + jitter);
          if (next !== null) expect(moment).toBeLessThan(next);
        },
      ),
    );
  });

  it("TR-15: ticks, functions and crons are spread evenly", () => {
    const jitter = 5 * MINUTE;
    const spread = (moments: number[]) => {
      const tenth = (moment: number) => Math.floor(((moment - SECOND) / (jitter - SECOND)) * 10);
      return Array.from({ length: 10 }, (_, n) => moments.filter((moment) => tenth(moment) === n).length);
    };
    const count = 2000;
    const numbers = Array.from({ length: count }, (_, n) => n);
    const samples = {
      ticks: numbers.map((n) => fireTime("f", { cron, jitter }, T + n * 60 * MINUTE, null) - T - n * 60 * MINUTE),
      functions: numbers.map((n) => fireTime(`f-${n}`, { cron, jitter }, T, null) - T),
      crons: numbers.map((n) => fireTime("f", { cron: `${n % 60} ${n} * * *`, jitter }, T, null) - T),
    };
    for (const moments of Object.values(samples)) {
      for (const tenth of spread(moments)) {
        expect(tenth).toBeGreaterThan(count / 10 - 60);
        expect(tenth).toBeLessThan(count / 10 + 60);
      }
    }
  });
});
