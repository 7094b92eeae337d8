import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CatchUp } from "../../../../src/decide/schedule/schedule.ts";
import { simulate, type World } from "./world.ts";

/** The same worlds in every run: what is asserted of all of them together must not hang on luck. */
const SEED = 958;

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const plain = (cron: string) => ({ cron, jitter: null });

/** A year with both changes of the clock in several zones. */
const YEAR: Omit<World, "seed" | "policy"> = {
  from: Date.UTC(2026, 0, 1),
  until: Date.UTC(2027, 0, 1),
  crons: [
    plain("TZ=Europe/Paris 30 2 * * *"),
    plain("TZ=Australia/Lord_Howe 45 */6 * * *"),
    plain("TZ=America/Santiago 0 0 * * *"),
    plain("0 */8 * * *"),
    { cron: "0 0,12 * * MON", jitter: 5 * MINUTE },
  ],
  outage: 3 * DAY,
  trouble: 20,
};

/** The days around one change, with crons of every minute. */
const DAYS: Omit<World, "seed" | "policy"> = {
  from: Date.UTC(2026, 9, 24),
  until: Date.UTC(2026, 9, 26),
  crons: [
    plain("TZ=Europe/Paris */7 * * * *"),
    plain("* * * * *"),
    { cron: "*/2 * * * *", jitter: 5 * MINUTE },
    { cron: "TZ=Europe/Paris 0,30 1-3 * * *", jitter: 30_000 },
  ],
  // No longer than what `all` makes up for.
  outage: 30 * MINUTE,
  trouble: 15,
};

describe("a schedule among faults", () => {
  it.each<[CatchUp]>([["all"], ["latest"], ["skip"]])(
    "TR-13, TR-14, I1, I7: a year in which nothing is missed, doubled or early, policy %s",
    { timeout: 120_000 },
    (policy) => {
      let outages = 0;
      fc.assert(
        fc.property(fc.integer(), (seed) => {
          const { runs, outages: some } = simulate({ ...YEAR, seed, policy });
          outages += some;
          expect(runs).toBeGreaterThan(200);
        }),
        { numRuns: 8, seed: SEED },
      );
      expect(outages).toBeGreaterThan(100);
    },
  );

  it.each<[CatchUp]>([["all"], ["latest"], ["skip"]])(
    "TR-12, TR-15: minute by minute over a night in which the clocks change, policy %s",
    { timeout: 120_000 },
    (policy) => {
      let [repeated, jumps] = [0, 0];
      fc.assert(
        fc.property(fc.integer(), (seed) => {
          const outcome = simulate({ ...DAYS, seed, policy });
          repeated += outcome.repeated;
          jumps += outcome.jumps;
        }),
        { numRuns: 8, seed: SEED },
      );
      expect(repeated).toBeGreaterThan(0);
      expect(jumps).toBeGreaterThan(100);
    },
  );
});
