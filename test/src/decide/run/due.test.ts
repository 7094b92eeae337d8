import { describe, expect, it } from "vitest";
import { expectedLook, isExpectedEarlier } from "../../../../src/decide/run/due.ts";
import { reportOf } from "../../../../src/decide/run/report.ts";
import { RUN, SWEEP } from "../../../../src/limits.ts";
import type { Op } from "../../../../src/protocol/opcodes.ts";
import { slept, T0, TestRun } from "./run.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const wait: Op = {
  op: "wait",
  event: "app/ok",
  condition: null,
  until: "7d",
  id: "w",
  label: { name: "w", type: null },
  race: false,
  metadata: [],
};

describe("when a run expects to be looked at", () => {
  it("I4: at its wake-up, at its time-out, or after a call that may have been lost", () => {
    expect(expectedLook(new TestRun({ startAt: T0 + DAY }).state, true, T0)).toBe(T0 + DAY);
    const calling = new TestRun();
    expect(expectedLook(calling.state, true, T0)).toBe(T0 + RUN.watchdog.max);
    const asleep = new TestRun();
    asleep.ops([slept("s", "1d")]);
    expect(expectedLook(asleep.state, true, T0)).toBe(T0 + DAY);
    const waiting = new TestRun();
    waiting.ops([wait]);
    expect(expectedLook(waiting.state, true, T0)).toBe(T0 + 7 * DAY);
    // Its wait may have been registered nowhere yet.
    expect(expectedLook(waiting.state, false, T0)).toBe(T0 + RUN.watchdog.max);
  });

  it("I4: a report says so while the run is unfinished", () => {
    const run = new TestRun({ startAt: T0 + DAY });
    expect(reportOf(run.state, [], T0 + DAY).run.dueAt).toBe(T0 + DAY);
    expect(reportOf(run.state, [], null).run).not.toHaveProperty("dueAt");
  });

  it("never, once it has ended", () => {
    const run = new TestRun();
    run.output("done");
    expect(expectedLook(run.state, true, T0)).toBeNull();
  });

  it("I4: what history was told is corrected only when that would find the run much too late", () => {
    const calling = new TestRun().state;
    expect(isExpectedEarlier(calling, T0 + 7 * DAY, T0)).toBe(true);
    expect(isExpectedEarlier(calling, T0 + RUN.watchdog.max + SWEEP.early, T0)).toBe(false);
    expect(isExpectedEarlier(calling, T0 - DAY, T0)).toBe(false);
    const asleep = new TestRun();
    asleep.ops([slept("s", "1d")]);
    expect(isExpectedEarlier(asleep.state, T0 + DAY, T0)).toBe(false);
    expect(isExpectedEarlier(asleep.state, T0 + 7 * DAY, T0)).toBe(true);
    const waiting = new TestRun();
    waiting.ops([wait]);
    expect(isExpectedEarlier(waiting.state, T0 + 7 * DAY, T0)).toBe(false);
  });
});
