import { describe, expect, it } from "vitest";
import { awaitsTurn, isDormant, nextLook } from "../../../../src/decide/run/effects.ts";
import type { RunFlow } from "../../../../src/decide/run/flow.ts";
import { whyOf } from "../../../../src/decide/run/why.ts";
import { RERUN } from "../../../../src/limits.ts";
import { T0, TestRun } from "./run.ts";

const flow: RunFlow = {
  lines: [],
  priority: 0,
  priorityError: null,
  singleton: "key",
  timeouts: { start: null, finish: null },
  cancelOn: [],
  waitsForTurn: true,
};
const cancelled = { kind: "cancel", cause: { by: "api" }, executing: new Set<number>() } as const;

describe("FC-43: a run that waits for its turn on a singleton", () => {
  it("is queued and calls nobody, however often it wakes, until it is let in", () => {
    const run = new TestRun({ flow });
    expect(run.state).toMatchObject({ keptOut: true, startedAt: null });
    expect(run.due()).toEqual([]);
    expect(run.wake(60_000)).toBe(false);
    expect(run.due()).toEqual([]);
    expect(run.take({ kind: "entered" })).toBe(true);
    expect(run.state).toMatchObject({ keptOut: false, startedAt: T0 + 60_000 });
    expect(run.job()).toMatchObject({ id: 1, generation: 1 });
    expect(run.take({ kind: "entered" })).toBe(false);
  });

  it("asks again after as long again as it waited, within a range, and not before it is due", () => {
    const run = new TestRun({ flow });
    const { first, max } = RERUN.turn;
    expect(nextLook(run.state, T0, 10_000)).toBe(T0 + first);
    expect(nextLook(run.state, T0 + 5000, 10_000)).toBe(T0 + 10_000);
    expect(nextLook(run.state, T0 + 3_600_000, 10_000)).toBe(T0 + 3_600_000 + max);
    expect(awaitsTurn(run.state, T0)).toBe(true);
    expect(isDormant(run.state, true, T0)).toBe(true);
    const later = new TestRun({ flow, startAt: T0 + 60_000 });
    expect(awaitsTurn(later.state, T0)).toBe(false);
    expect(nextLook(later.state, T0, 10_000)).toBe(T0 + 60_000);
  });

  it("begins when its lines let it, when it has some", () => {
    const line = { counts: "steps", scope: "fn", functionId: "fn-uuid", expression: null, key: "" } as const;
    const run = new TestRun({ flow: { ...flow, lines: [line] } });
    run.take({ kind: "entered" });
    expect(run.state).toMatchObject({ keptOut: false, startedAt: null });
    expect(run.due()).toHaveLength(1);
  });

  it("CR-1: can be cancelled; CR-5: its start time-out runs meanwhile", () => {
    const run = new TestRun({ flow });
    run.take(cancelled);
    expect(run.state.outcome).toMatchObject({ status: "cancelled", cause: { by: "api" } });
    expect(run.take({ kind: "entered" })).toBe(false);
    const timed = new TestRun({ flow: { ...flow, timeouts: { start: 5000, finish: null } } });
    timed.wake(5000);
    expect(timed.state.outcome).toMatchObject({ status: "cancelled", cause: { by: "start_timeout" } });
  });

  it("BY-12: says so", () => {
    const run = new TestRun({ flow });
    const nothing = { calls: new Map(), lines: new Map(), pausedSince: null, now: T0 };
    expect(whyOf(run.state, nothing)).toEqual([{ cause: "singleton", since: T0, until: null, step: null, key: "key" }]);
  });
});
