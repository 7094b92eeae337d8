import { describe, expect, it } from "vitest";
import { nextLook } from "../../../../src/decide/run/effects.ts";
import { fenceOf, memoOf } from "../../../../src/decide/run/state.ts";
import { completed, errored, failed, planned, ran, T0, TestRun } from "./run.ts";

describe("retries", () => {
  it.each([
    [4, 5],
    [0, 1],
    [5, 6],
  ])("EX-19: retries %i are %i attempts of the function, then the run has failed", (retries, attempts) => {
    const run = new TestRun({ retries });
    const seen: number[] = [];
    while (run.state.outcome === null && seen.length < 20) {
      seen.push(run.job().attempt);
      run.error({ message: `try ${seen.length}` });
      run.wake(1000);
    }
    expect(seen).toEqual(Array.from({ length: attempts }, (_, i) => i));
    expect(run.state.outcome).toMatchObject({ status: "failed", output: { message: `try ${attempts}` } });
  });

  it("EX-9, EX-20: every step counts for itself and the next one starts at 0", () => {
    const run = new TestRun({ retries: 4 });
    const attempts: number[] = [];
    for (const id of ["one", "two", "three"]) {
      for (let i = 0; i < 4; i++) {
        attempts.push(run.job().attempt);
        run.ops([errored(id)]);
        run.wake(1000);
      }
      attempts.push(run.job().attempt);
      run.ops([ran(id)]);
    }
    expect(attempts).toEqual([0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4]);
  });

  it("EX-26: a step whose attempts are used up is stored as an error and the function is entered again", () => {
    const run = new TestRun({ retries: 1 });
    run.ops([errored("a", "first")]);
    run.wake(1000);
    run.ops([errored("a", "last")]);
    expect(memoOf(run.state)).toEqual({ a: { error: { name: "Error", message: "last" } } });
    expect(run.job()).toMatchObject({ stepId: null, attempt: 0 });
    run.ops([ran("backup")]);
    run.output("ok");
    expect(run.state.outcome?.status).toBe("completed");
  });

  it("EX-22: StepFailed, and a StepError with no-retry, are final at once", () => {
    const run = new TestRun();
    run.ops([failed("a", "never")]);
    expect(memoOf(run.state)).toEqual({ a: { error: { name: "NonRetriableError", message: "never" } } });
    run.ops([errored("b", "no")], { noRetry: true });
    expect(Object.keys(memoOf(run.state))).toEqual(["a", "b"]);
  });

  it("EX-22: a function error with no-retry fails the run at once", () => {
    const run = new TestRun();
    run.error({ message: "never" }, true);
    expect(run.state.outcome).toMatchObject({ status: "failed", output: { message: "never" } });
  });

  it("EX-23: a requested time replaces the back-off but adds no attempt", () => {
    const run = new TestRun({ retries: 1 });
    const advice = { kind: "error", version: 2, noRetry: false, retryAt: T0 + 30_000 } as const;
    run.reply({ ...advice, error: { name: "RetryAfterError", message: "later" } });
    expect(nextLook(run.state, T0, 10_000)).toBe(T0 + 30_000);
    expect(run.wake(29_999)).toBe(false);
    run.wake(1);
    run.reply({ ...advice, error: { name: "RetryAfterError", message: "later" } });
    expect(run.state.outcome?.status).toBe("failed");
  });

  it("EX-66: what fails after a success in the same reply has failed for the first time", () => {
    const run = new TestRun({ retries: 2 });
    run.error();
    run.wake(1000);
    run.error();
    run.wake(1000);
    expect(run.job().attempt).toBe(2);
    run.ops([ran("a"), errored("b")]);
    run.wake(1000);
    expect(run.job().attempt).toBe(1);
  });

  it("EX-35: a failing branch retries alone while the other finishes", () => {
    const run = new TestRun({ retries: 1 });
    run.ops([planned("a"), planned("b")]);
    run.ops([errored("a")], { job: run.jobOf("a") });
    run.ops([ran("b")], { job: run.jobOf("b") });
    expect(run.due()).toEqual([]);
    run.wake(1000);
    expect(run.job()).toMatchObject({ stepId: "a", attempt: 1 });
  });
});

describe("fences", () => {
  it("EX-11: a reply of a superseded attempt is refused", () => {
    const run = new TestRun();
    const old = fenceOf(run.job());
    run.error();
    run.wake(1000);
    expect(run.reply({ kind: "output", output: "late", version: 2 }, old)).toBe(false);
    expect(run.state.outcome).toBeNull();
  });

  it("EX-10: a lost call is delivered again with a new generation; the first reply to arrive is the only one", () => {
    const run = new TestRun();
    const lost = fenceOf(run.job());
    expect(run.wake(10_000, [lost.job])).toBe(false);
    run.wake(1);
    const again = fenceOf(run.job());
    expect(again).toEqual({ ...lost, generation: lost.generation + 1 });
    expect(run.reply({ kind: "output", output: "lost", version: 2 }, lost)).toBe(false);
    expect(run.reply({ kind: "output", output: "kept", version: 2 }, again)).toBe(true);
    expect(run.reply({ kind: "output", output: "twice", version: 2 }, again)).toBe(false);
    expect(run.state.outcome?.output).toBe("kept");
  });

  it("I4: an unfinished run always has a time to look at it again", () => {
    const run = new TestRun();
    expect(nextLook(run.state, run.now, 10_000)).toBe(T0 + 10_000);
    run.error();
    expect(nextLook(run.state, run.now, 10_000)).toBe(T0 + 1000);
  });
});

describe("limits", () => {
  it("EX-15, row 26: a new step beyond the limit fails the run; at the limit planning is forced", () => {
    const run = new TestRun({}, { maxSteps: 2 });
    run.ops([ran("a")]);
    run.ops([ran("b")]);
    run.ops([planned("c")]);
    expect(run.state.outcome).toMatchObject({ status: "failed", output: { code: "step_limit_exceeded" } });
    expect(JSON.stringify(run.state.outcome)).toContain("2 steps");
  });

  it("EX-13, row 26: a result of exactly 4 MiB is kept, one byte more fails the step with a message naming limit and size", () => {
    const run = new TestRun({ retries: 0 });
    run.ops([ran("fits", "x".repeat(4 * 1024 * 1024 - 2))]);
    run.ops([ran("too-big", "x".repeat(4 * 1024 * 1024 - 1))]);
    const memo = memoOf(run.state);
    expect(memo["fits"]).toHaveProperty("data");
    expect(JSON.stringify(memo["too-big"])).toMatch(/output_too_large.*4194305 bytes.*4194304 bytes/);
    expect(run.state.outcome).toBeNull();
  });

  it("EX-13, row 26: a function output beyond the limit fails the run", () => {
    const run = new TestRun();
    run.ops([completed("x".repeat(4 * 1024 * 1024))]);
    expect(run.state.outcome).toMatchObject({ status: "failed", output: { code: "output_too_large" } });
  });

  it("EX-14, row 26: the step that crosses 32 MiB of state fails the run", () => {
    const run = new TestRun();
    for (let i = 0; i < 8; i++) run.ops([ran(`s${i}`, "x".repeat(3900 * 1024))]);
    expect(run.state.outcome).toBeNull();
    run.ops([ran("s8", "x".repeat(3900 * 1024))]);
    expect(run.state.outcome).toMatchObject({ status: "failed", output: { code: "state_too_large" } });
  });

  it("EX-73: a call that finds nothing new is repeated once, then the run fails", () => {
    const run = new TestRun();
    run.ops([{ op: "none" }]);
    expect(run.state.outcome).toBeNull();
    run.ops([]);
    expect(run.state.outcome).toMatchObject({ output: { code: "no_progress" } });
  });

  it("SE-15: an unknown operation, or a targeted call that ignores its step, only fails the attempt", () => {
    const run = new TestRun({ retries: 1 });
    run.ops([{ op: "unknown", name: "Teleport" }]);
    expect(run.state.outcome).toBeNull();
    run.wake(1000);
    run.ops([planned("a")]);
    run.ops([ran("other")], { job: run.jobOf("a") });
    run.wake(1000);
    run.ops([planned("b")], { job: run.jobOf("a") });
    expect(run.state.outcome).toMatchObject({ status: "failed", output: { code: "bad_reply" } });
  });
});
