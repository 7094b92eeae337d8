import { describe, expect, it } from "vitest";
import type { LineRef } from "../../../../src/decide/capacity/line.ts";
import { dueJobs, isDormant, jobsInHand, nextLook } from "../../../../src/decide/run/effects.ts";
import { viewOf } from "../../../../src/decide/run/report.ts";
import { fenceOf, isCurrent } from "../../../../src/decide/run/state.ts";
import { CAPACITY, RUN } from "../../../../src/limits.ts";
import { limitedBy, line } from "./limited.ts";
import { planned, ran, slept, T0, TestRun } from "./run.ts";

const STEPS = line("steps");

/** A run of one limited function, as its lines let it go on. */
class LimitedRun extends TestRun {
  constructor(...lines: readonly LineRef[]) {
    super(limitedBy(...lines));
  }

  grant(jobs: readonly number[], admitted = false): boolean {
    return this.take({ kind: "granted", jobs, admitted });
  }

  /** Another instance of the object finds the run in its log. */
  load(after = 0): boolean {
    this.now += after;
    return this.take({ kind: "wake", delivering: new Set(), loaded: true });
  }

  /** The alarm fires while these jobs stand in a line that knows of them. */
  look(after: number, waiting: readonly number[], delivering: readonly number[] = []): boolean {
    this.now += after;
    return this.take({ kind: "wake", delivering: new Set(delivering), waiting: new Set(waiting) });
  }
}

describe("row 9: an instance whose clock is behind", () => {
  it("I3: takes the calls of the one before for lost, although they lie ahead of it", () => {
    const run = new LimitedRun(STEPS);
    run.now += 10_000;
    run.grant([1]);
    run.ops([ran("a")]);
    const [job] = [...run.state.jobs.values()];
    expect(job).toMatchObject({ id: 2, due: T0 + 10_000, delivery: "open" });
    expect(run.load(-3000)).toBe(true);
    expect(run.state.jobs.get(2)).toMatchObject({ delivery: "lost", due: T0 + 10_000 + CAPACITY.orphan });
    expect(run.log.at(-1)?.at).toBe(T0 + 10_000);
  });

  it("EX-66: knows that they may still report", () => {
    const run = new TestRun();
    run.now += 10_000;
    run.ops([ran("a")]);
    expect(jobsInHand(run.state, T0 + 7000).map(({ id }) => id)).toEqual([2]);
  });

  it("I7: but does not believe one that was far ahead", () => {
    const run = new TestRun();
    run.now += 366 * 86_400_000;
    run.ops([ran("a")]);
    run.now = T0;
    run.take({ kind: "cancel", cause: { by: "api" }, executing: new Set() });
    expect(run.log.at(-1)?.at).toBe(T0);
  });
});

describe("the start of a limited run", () => {
  it("FC-12, FC-18: it is queued until its lines let it begin, and then begins once", () => {
    const run = new LimitedRun(STEPS);
    expect(run.due().map(({ id }) => id)).toEqual([1]);
    expect(viewOf(run.state).row).toMatchObject({ status: "queued", startedAt: null });
    run.now += 700;
    expect(run.grant([1])).toBe(true);
    expect(viewOf(run.state).row).toMatchObject({ status: "running", startedAt: T0 + 700 });
    expect(run.grant([1])).toBe(false);
    run.ops([ran("a")]);
    expect(run.grant([2])).toBe(false);
  });

  it("FC-15: the throttle's leave is kept, with the first call or before it", () => {
    const run = new LimitedRun(line("starts"), STEPS);
    expect(run.grant([], true)).toBe(true);
    expect(run.state).toMatchObject({ admitted: true, startedAt: null });
    expect(run.grant([], true)).toBe(false);
    run.grant([1], true);
    expect(run.state.startedAt).toBe(T0);
    expect(run.log).toHaveLength(3);
    const other = new LimitedRun(line("starts"), STEPS);
    other.grant([1], true);
    expect(other.log).toHaveLength(2);
    expect(other.state).toMatchObject({ admitted: true, startedAt: T0 });
  });

  it("a run without lines begins at once, and a look at a lost call repeats it at once", () => {
    const run = new TestRun(limitedBy());
    expect(run.state.startedAt).toBe(T0);
    const { generation } = run.job();
    expect(run.wake(RUN.watchdog.first)).toBe(true);
    expect(run.job()).toMatchObject({ due: T0, generation: generation + 1 });
  });

  it("FC-31: a start in the future is asked for when it is due, and writes nothing by being due", () => {
    const run = new TestRun({ ...limitedBy(STEPS), startAt: T0 + 3000 });
    expect(run.due()).toEqual([]);
    expect(nextLook(run.state, T0, RUN.watchdog.first)).toBe(T0 + 3000);
    expect(run.wake(3000)).toBe(false);
    expect(run.job().id).toBe(1);
    expect(run.state.startedAt).toBeNull();
  });

  it("nothing of a run that has not begun can be lost: another instance asks at once", () => {
    const run = new LimitedRun(STEPS);
    expect(run.load(1000)).toBe(false);
    expect(run.job().id).toBe(1);
  });
});

describe("standing in a line for long", () => {
  it("FC-12: it is noted once, uses no attempt, and needs no watchdog from then on", () => {
    const run = new LimitedRun(STEPS);
    expect(nextLook(run.state, run.now, RUN.watchdog.first)).toBe(T0 + RUN.watchdog.first);
    expect(run.look(RUN.watchdog.first, [1])).toBe(true);
    expect(run.state.jobs.get(1)).toMatchObject({ lined: true, attempt: 0, generation: 1 });
    expect(run.look(RUN.watchdog.first, [1])).toBe(false);
    expect(isDormant(run.state, true, run.now)).toBe(true);
    expect(run.job().id).toBe(1);
    run.now += 300_000;
    run.grant([1]);
    expect(run.state.jobs.get(1)).toMatchObject({ lined: false, attempt: 0, generation: 1 });
    expect(isDormant(run.state, true, run.now)).toBe(false);
    expect(nextLook(run.state, run.now, RUN.watchdog.first)).toBe(run.now + RUN.watchdog.first);
  });

  it("the look to be safe does not move while the run stands in line, and lies in the future", () => {
    const run = new LimitedRun(STEPS);
    run.look(RUN.watchdog.first, [1]);
    const look = T0 + CAPACITY.look;
    for (const after of [1, 60_000, CAPACITY.look - 1]) expect(nextLook(run.state, T0 + after, 1)).toBe(look);
    expect(nextLook(run.state, look, 1)).toBe(look + CAPACITY.look);
  });

  it("a job that stands in line is not lost with its instance", () => {
    const run = new LimitedRun(STEPS);
    run.grant([1]);
    run.ops([planned("a"), planned("b")], { job: run.job() });
    run.look(RUN.watchdog.first, [3], [2]);
    expect(run.state.jobs.get(3)).toMatchObject({ lined: true });
    run.load();
    expect(run.state.jobs.get(3)).toMatchObject({ lined: true, generation: 1, due: T0 });
    expect(run.state.jobs.get(2)).toMatchObject({ lined: false, generation: 1, delivery: "lost" });
  });

  it("API-9: its queue says which limit a job waits for, and since when", () => {
    const run = new LimitedRun(line("steps", "A"));
    const [job] = viewOf(run.state, new Map([[1, line("steps", "A")]])).jobs;
    expect(job?.waitingFor).toEqual({ ...line("steps", "A"), since: T0 });
    expect(viewOf(run.state).jobs[0]).not.toHaveProperty("waitingFor");
  });
});

describe("FC-10: a call that may still be executing", () => {
  it("is repeated when it has had the time to end, and not before", () => {
    const run = new LimitedRun(STEPS);
    run.grant([1]);
    const lost = fenceOf(run.job());
    expect(run.load(200)).toBe(true);
    expect(run.due()).toEqual([]);
    const due = T0 + 200 + CAPACITY.orphan;
    expect(run.state.jobs.get(1)).toMatchObject({ due, delivery: "lost", attempt: 0 });
    expect(nextLook(run.state, run.now, RUN.watchdog.first)).toBe(due);
    // Whatever else happens meanwhile delivers it no earlier.
    run.now = due - 1;
    expect(run.take({ kind: "annotated", changes: [] })).toBe(false);
    expect(run.due()).toEqual([]);
    expect(run.wake(1)).toBe(true);
    expect(run.job()).toMatchObject({ id: 1, attempt: 0, delivery: "open" });
    expect(isCurrent(run.state, lost)).toBe(false);
  });

  it("EX-66: may report its progress until it is repeated", () => {
    const run = new LimitedRun(STEPS);
    run.grant([1]);
    const fence = fenceOf(run.job());
    run.load();
    expect(run.take({ kind: "checkpoint", fence, ops: [ran("a")] })).toBe(true);
    expect(run.state.stack).toEqual(["a"]);
    // It lives, and so may the body it went on to: it has that long from here.
    run.now += CAPACITY.orphan - 1;
    run.take({ kind: "checkpoint", fence, ops: [ran("a2")] });
    expect(run.wake(1)).toBe(false);
    expect(run.due()).toEqual([]);
    run.wake(CAPACITY.orphan);
    expect(run.take({ kind: "checkpoint", fence, ops: [ran("b")] })).toBe(false);
    expect(run.job()).toMatchObject({ id: 1, generation: 2 });
  });

  it("EX-66: has that long from a report that says nothing new, too: it is answered, and goes on with its next step", () => {
    const run = new LimitedRun(STEPS);
    run.grant([1]);
    const fence = fenceOf(run.job());
    const report = { kind: "checkpoint", fence, ops: [ran("a")] } as const;
    run.take(report);
    // While the engine hears the call, a repetition is no news.
    expect(run.take(report)).toBe(false);
    run.load();
    run.now += CAPACITY.orphan - 1;
    expect(run.take(report)).toBe(true);
    expect(run.state.jobs.get(1)).toMatchObject({ due: run.now + CAPACITY.orphan, delivery: "lost", generation: 1 });
    expect(run.wake(CAPACITY.orphan - 1)).toBe(false);
    expect(run.due()).toEqual([]);
    expect(run.wake(1)).toBe(true);
    expect(run.job()).toMatchObject({ id: 1, generation: 2 });
    expect(run.take(report)).toBe(false);
  });

  it("another crash meanwhile begins that time again only for calls that were made", () => {
    const run = new LimitedRun(STEPS);
    run.grant([1]);
    run.load();
    expect(run.load(1000)).toBe(false);
    run.wake(CAPACITY.orphan);
    expect(run.job().id).toBe(1);
    expect(run.load(1)).toBe(true);
    expect(run.state.jobs.get(1)).toMatchObject({ due: run.now + CAPACITY.orphan });
  });

  it("a retry is on record before it is called, so that one which was not called is not taken for lost", () => {
    const run = new LimitedRun(STEPS);
    run.grant([1]);
    run.error();
    expect(run.load(10)).toBe(false);
    run.now = T0 + 1010;
    // Due, but not on record: no other input delivers it.
    expect(run.due()).toEqual([]);
    expect(isDormant(run.state, true, run.now)).toBe(false);
    expect(run.load()).toBe(true);
    expect(run.job()).toMatchObject({ attempt: 1, delivery: "open" });
    expect(run.load()).toBe(true);
    expect(run.due()).toEqual([]);
  });

  it("in the same instance nothing is lost: a look delivers what is due without a row", () => {
    const run = new LimitedRun(STEPS);
    run.grant([1]);
    run.ops([planned("a"), planned("b")]);
    expect(run.look(RUN.watchdog.first, [], [2])).toBe(false);
    expect(dueJobs(run.state, new Set([2]), run.now).map(({ id }) => id)).toEqual([3]);
  });

  it("matters only where executing steps are counted", () => {
    for (const lines of [[line("starts")], [line("runs")]]) {
      const run = new LimitedRun(...lines);
      run.grant([1], true);
      expect(run.load(100)).toBe(true);
      expect(run.job()).toMatchObject({ due: T0, generation: 2 });
    }
  });

  it("FC-1: a job that sleeps or waits for its retry is none of it", () => {
    const run = new LimitedRun(STEPS);
    run.grant([1]);
    run.ops([slept("s", "1h")]);
    expect(run.load(100)).toBe(false);
    // It is looked at once more before it wakes: history may not have heard of it.
    expect(isDormant(run.state, true, run.now)).toBe(false);
  });
});
