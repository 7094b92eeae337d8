/**
 * A short campaign with every run of the suite; `npm run crash` plays long ones. Each check is a test of its own.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { type Outcome, playCampaign } from "./campaign.ts";

/** ms; a call that a kill lost is made again after 10 s, and under a limit 5 s later. */
const PATIENCE = 60_000;
let outcome: Outcome;

beforeAll(async () => {
  outcome = await playCampaign({ kills: 8, seed: 7, patience: PATIENCE });
}, 2 * PATIENCE);

/** What the checks with this invariant found wrong. */
function violations(invariant: string): readonly string[] {
  const verdicts = outcome.verdicts.filter((verdict) => verdict.invariant === invariant);
  // A campaign this short need not reach every single check; `npm run crash` demands that.
  expect(verdicts.reduce((sum, { looked }) => sum + looked, 0)).toBeGreaterThan(0);
  return verdicts.flatMap(({ what, violations }) => violations.map((violation) => `${what} – ${violation}`));
}

describe("kill -9 of the engine at random moments, under every feature", () => {
  test("rows 1, 2, 6, I1: every accepted event has exactly one run per function, and it ended", () => {
    expect(violations("I1")).toEqual([]);
  });
  test("rows 1, 2, I2: no result is recorded twice, lost, or changed", () => {
    expect(violations("I2")).toEqual([]);
  });
  test("row 2, I3: no limit is exceeded, bodies that outlive a kill included", () => {
    expect(violations("I3")).toEqual([]);
  });
  test("rows 2, 7, 8, I4: no run is stuck", () => {
    expect(violations("I4")).toEqual([]);
  });
  test("row 2, I5: at rest nothing is held", () => {
    expect(violations("I5")).toEqual([]);
  });
  test("rows 2, 6, I6: lists show what each run shows of itself, and an end is final", () => {
    expect(violations("I6")).toEqual([]);
  });
  test("row 7, I7: no sleep and no time-out is over early", () => {
    expect(violations("I7")).toEqual([]);
  });
});
