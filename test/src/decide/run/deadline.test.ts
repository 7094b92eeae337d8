import { describe, expect, it } from "vitest";
import { deadlineOf } from "../../../../src/decide/run/deadline.ts";
import { nextLook } from "../../../../src/decide/run/effects.ts";
import type { RunFlow } from "../../../../src/decide/run/flow.ts";
import { planned, ran, slept, T0, TestRun } from "./run.ts";

const SECOND = 1000;
const LINE = { counts: "steps", scope: "fn", functionId: "fn-uuid", expression: null, key: "" } as const;

function limited(timeouts: Partial<RunFlow["timeouts"]>, lines: RunFlow["lines"] = []): RunFlow {
  const whole = { start: null, finish: null, ...timeouts };
  return { lines, priority: 0, priorityError: null, singleton: null, timeouts: whole, cancelOn: [] };
}

const causeOf = (run: TestRun) => run.state.outcome?.cause?.by ?? null;

describe("CR-5: the start time-out", () => {
  it("cancels a run whose first call has not begun in time, also one that stands in a line", () => {
    const run = new TestRun({ flow: limited({ start: 10 * SECOND }, [LINE]) });
    const [job] = run.due();
    if (job !== undefined) run.take({ kind: "wake", delivering: new Set(), waiting: new Set([job.id]) });
    expect(nextLook(run.state, T0, 60 * SECOND)).toBe(T0 + 10 * SECOND);
    run.wake(10 * SECOND - 1);
    expect(causeOf(run)).toBeNull();
    run.wake(1);
    expect(causeOf(run)).toBe("start_timeout");
    expect(run.state.startedAt).toBeNull();
  });

  it("counts from when the run was due, not from its creation", () => {
    const run = new TestRun({ startAt: T0 + 3600 * SECOND, flow: limited({ start: 10 * SECOND }) });
    expect(nextLook(run.state, T0, 60 * SECOND)).toBe(T0 + 3600 * SECOND);
    expect(deadlineOf(run.state)?.at).toBe(T0 + 3610 * SECOND);
    run.wake(3600 * SECOND);
    expect(run.state.startedAt).toBe(T0 + 3600 * SECOND);
  });

  it("ends when the first call begins", () => {
    const run = new TestRun({ flow: limited({ start: SECOND }) });
    expect(deadlineOf(run.state)).toBeNull();
    run.ops([slept("s", "1h")]);
    expect(run.wake(2 * SECOND)).toBe(false);
  });
});

describe("CR-6: the finish time-out", () => {
  it("cancels a run that sleeps, waits or retries past its time; sleeps count", () => {
    const run = new TestRun({ flow: limited({ finish: 30 * SECOND }) });
    run.now += 5 * SECOND;
    run.ops([slept("s", "1m")]);
    expect(nextLook(run.state, run.now, 10 * SECOND)).toBe(T0 + 30 * SECOND);
    expect(run.wake(25 * SECOND - 1)).toBe(false);
    run.wake(1);
    expect(causeOf(run)).toBe("finish_timeout");
  });

  it("counts from the first call, not from the creation", () => {
    const run = new TestRun({ startAt: T0 + 60 * SECOND, flow: limited({ finish: 30 * SECOND }) });
    run.wake(60 * SECOND);
    expect(deadlineOf(run.state)?.at).toBe(T0 + 90 * SECOND);
  });

  it("comes before whatever falls due at the same time", () => {
    const run = new TestRun({ flow: limited({ finish: 10 * SECOND }) });
    run.ops([slept("s", "10s")]);
    run.wake(10 * SECOND);
    expect(causeOf(run)).toBe("finish_timeout");
  });

  it("CR-5, CR-6: both may be set; one follows the other", () => {
    const run = new TestRun({ startAt: T0 + SECOND, flow: limited({ start: SECOND, finish: SECOND }) });
    expect(deadlineOf(run.state)).toEqual({ at: T0 + 2 * SECOND, cause: { by: "start_timeout" } });
    run.wake(SECOND);
    expect(deadlineOf(run.state)).toEqual({ at: T0 + 2 * SECOND, cause: { by: "finish_timeout" } });
  });
});

describe("CR-7: no time-out interrupts a step", () => {
  it("a step that executes ends first; then the run is cancelled and nothing follows", () => {
    const run = new TestRun({ flow: limited({ finish: 2 * SECOND }) });
    const job = run.job();
    run.wake(2 * SECOND, [job.id]);
    expect(run.state).toMatchObject({ outcome: null, cancelling: { by: "finish_timeout" } });
    expect(deadlineOf(run.state)).toBeNull();
    run.now += 3 * SECOND;
    run.ops([ran("long")], { job });
    expect(causeOf(run)).toBe("finish_timeout");
    expect(run.due()).toEqual([]);
  });

  it("what waits for a free place in this instance does not execute", () => {
    const run = new TestRun({ flow: limited({ finish: 2 * SECOND }) });
    run.ops([planned("a"), planned("b")]);
    const [a, b] = [run.jobOf("a"), run.jobOf("b")];
    run.now += 2 * SECOND;
    run.take({ kind: "wake", delivering: new Set([a.id, b.id]), executing: new Set([a.id]) });
    expect([...run.state.jobs.keys()]).toEqual([a.id]);
  });
});
