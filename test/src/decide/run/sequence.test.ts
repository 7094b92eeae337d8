import { describe, expect, it } from "vitest";
import { nextLook } from "../../../../src/decide/run/effects.ts";
import { isPlanningForced, memoOf } from "../../../../src/decide/run/state.ts";
import { completed, failed, planned, ran, slept, T0, TestRun } from "./run.ts";

describe("sequential steps", () => {
  it("EX-1, EX-3: n steps need n+1 calls, all of them discoveries, each carrying the results so far", () => {
    const run = new TestRun();
    for (const id of ["a", "b", "c"]) {
      expect(run.job()).toMatchObject({ stepId: null, attempt: 0 });
      run.ops([ran(id)]);
    }
    expect(memoOf(run.state)).toEqual({ a: { data: "a" }, b: { data: "b" }, c: { data: "c" } });
    expect(run.state.stack).toEqual(["a", "b", "c"]);
    run.output({ done: true });
    expect(run.state.outcome).toEqual({ status: "completed", output: { done: true }, at: T0 });
    expect(run.log).toHaveLength(5);
    expect(run.due()).toEqual([]);
  });

  it("EX-7: a missing result is stored as an explicit null", () => {
    const run = new TestRun();
    run.ops([ran("a", null)]);
    expect(memoOf(run.state)).toEqual({ a: { data: null } });
  });

  it("EX-4: the first result of a step wins, whoever reports it later", () => {
    const run = new TestRun();
    run.ops([ran("a", 1)]);
    run.ops([ran("a", 2), ran("b", 3)]);
    expect(memoOf(run.state)).toEqual({ a: { data: 1 }, b: { data: 3 } });
    expect(run.state.stack).toEqual(["a", "b"]);
  });

  it("protocol/09: RunComplete in an array ends the run with its data", () => {
    const run = new TestRun();
    run.ops([completed("out")]);
    expect(run.state.outcome).toMatchObject({ status: "completed", output: "out" });
  });

  it("protocol/03 §3.4: the version of the first reply is kept for the run's life", () => {
    const run = new TestRun();
    run.ops([ran("a")], { version: 1 });
    run.ops([ran("b")], { version: 2 });
    expect(run.state.protocol).toBe(1);
  });

  it("EV-10: a run with a future start is queued until then", () => {
    const run = new TestRun({ startAt: T0 + 5000 });
    expect(run.due()).toEqual([]);
    expect(run.state.startedAt).toBeNull();
    expect(nextLook(run.state, T0, 10_000)).toBe(T0 + 5000);
    run.wake(5000);
    expect(run.state.startedAt).toBe(T0 + 5000);
    expect(run.job().stepId).toBeNull();
  });
});

describe("parallel steps, protocol 2", () => {
  it("EX-31: each planned step gets a call of its own; one discovery follows when all have finished", () => {
    const run = new TestRun();
    run.ops([planned("a"), planned("b")]);
    const [a, b] = [run.jobOf("a"), run.jobOf("b")];
    expect(run.due()).toHaveLength(2);
    run.ops([ran("b")], { job: b });
    expect(run.due().map((job) => job.stepId)).toEqual(["a"]);
    run.ops([ran("a")], { job: a });
    expect(run.job().stepId).toBeNull();
    expect(run.state.stack).toEqual(["b", "a"]);
  });

  it("planning is forced while the group is open and off again afterwards", () => {
    const run = new TestRun();
    const first = run.job();
    expect(isPlanningForced(run.state, first, 1000)).toBe(false);
    run.ops([planned("a"), planned("b")]);
    expect(isPlanningForced(run.state, run.jobOf("a"), 1000)).toBe(true);
    run.ops([ran("a")], { job: run.jobOf("a") });
    run.ops([ran("b")], { job: run.jobOf("b") });
    expect(isPlanningForced(run.state, run.job(), 1000)).toBe(false);
  });

  it("a plan repeated by a later discovery starts nothing twice", () => {
    const run = new TestRun();
    run.ops([planned("a", true), planned("b", true)]);
    run.ops([ran("a")], { job: run.jobOf("a") });
    const discovery = run.due().find((job) => job.stepId === null);
    run.ops([planned("b", true), planned("after")], { job: discovery ?? run.job() });
    expect(run.due().map((job) => job.stepId)).toEqual(["b", "after"]);
  });

  it("protocol/04: race mode discovers after each step of the group", () => {
    const run = new TestRun();
    run.ops([planned("a", true), planned("b", true)]);
    run.ops([ran("a")], { job: run.jobOf("a") });
    expect(run.due().map((job) => job.stepId)).toEqual(["b", null]);
  });

  it("EX-34: a result ends the run while branches are open, and their late replies are refused", () => {
    const run = new TestRun();
    run.ops([planned("a", true), slept("s", "1h")]);
    const job = run.jobOf("a");
    run.ops([ran("a")], { job });
    run.output("first", run.job());
    expect(run.state.outcome).toMatchObject({ status: "completed", output: "first" });
    expect(run.due()).toEqual([]);
    expect(run.ops([ran("a", "late")], { job })).toBe(false);
    expect(run.wake(3_600_000)).toBe(false);
  });

  it("EX-35: a failed branch does not stop the others", () => {
    const run = new TestRun();
    run.ops([planned("a"), planned("b")]);
    run.ops([failed("a")], { job: run.jobOf("a") });
    expect(run.state.outcome).toBeNull();
    run.ops([ran("b")], { job: run.jobOf("b") });
    expect(memoOf(run.state)).toEqual({ a: { error: { name: "NonRetriableError", message: "no" } }, b: { data: "b" } });
    expect(run.job().stepId).toBeNull();
  });
});

describe("parallel steps, protocol 1", () => {
  it("EX-32, EX-33: every finished step is followed by a discovery, and planning stays forced", () => {
    const run = new TestRun();
    run.ops([planned("a"), planned("b")], { version: 1 });
    run.ops([ran("a")], { job: run.jobOf("a") });
    const discovery = run.due().find((job) => job.stepId === null);
    expect(discovery).toBeDefined();
    run.ops([planned("b"), planned("a2")], { job: discovery ?? run.job() });
    run.ops([ran("b")], { job: run.jobOf("b") });
    run.ops([ran("a2")], { job: run.jobOf("a2") });
    for (const job of run.due()) expect(isPlanningForced(run.state, job, 1000)).toBe(true);
  });

  it("EX-36: discoveries beyond the limit are merged and the last one is never lost", () => {
    const run = new TestRun();
    const ids = Array.from({ length: 40 }, (_, i) => `s${i}`);
    run.ops(
      ids.map((id) => planned(id)),
      { version: 1 },
    );
    for (const id of ids) run.ops([ran(id)], { job: run.jobOf(id) });
    expect(run.due()).toHaveLength(16);
    let calls = 0;
    while (run.due().length > 0 && calls++ < 100) run.ops([], { job: run.due()[0] ?? run.job() });
    // 16 running, one owed for the rest, one more because nothing new was found while nothing was pending.
    expect(calls).toBe(18);
    expect(run.state.outcome).toMatchObject({ status: "failed", output: { code: "no_progress" } });
  });
});

describe("sleep", () => {
  it("EX-37: resumes at its time with a bare null, not before", () => {
    const run = new TestRun();
    run.ops([slept("nap", "2s")]);
    expect(run.due()).toEqual([]);
    expect(nextLook(run.state, T0, 10_000)).toBe(T0 + 2000);
    expect(run.wake(1999)).toBe(false);
    expect(run.wake(1)).toBe(true);
    expect(memoOf(run.state)).toEqual({ nap: null });
    expect(run.job()).toMatchObject({ stepId: null, attempt: 0 });
  });

  it.each([
    ["", "an empty duration"],
    ["0s", "zero"],
    ["2023-02-01T16:30:00", "a past moment without a zone"],
    ["2023-02-01T16:30:00.000Z", "a past moment"],
  ])("EX-38: %j (%s) continues at once", (until) => {
    const run = new TestRun();
    run.ops([slept("nap", until)]);
    expect(memoOf(run.state)).toEqual({ nap: null });
    expect(run.job().stepId).toBeNull();
  });

  it("EX-38: 366 days are allowed, a millisecond more fails the run", () => {
    const ok = new TestRun();
    ok.ops([slept("nap", "366d")]);
    expect(ok.state.outcome).toBeNull();
    const bad = new TestRun();
    bad.ops([slept("nap", "366d 1ms")]);
    expect(bad.state.outcome).toMatchObject({
      status: "failed",
      output: { name: "InngestErrTimeoutTooLong", code: "timeout_too_long" },
    });
  });

  it("a sleep among parallel steps holds the protocol-2 group open", () => {
    const run = new TestRun();
    run.ops([planned("a"), slept("s", "1s")]);
    run.ops([ran("a")]);
    expect(run.due()).toEqual([]);
    run.wake(1000);
    expect(run.job().stepId).toBeNull();
  });
});
