import { describe, expect, it } from "vitest";
import type { Op } from "../../../../src/protocol/opcodes.ts";
import { planned, ran, TestRun } from "./run.ts";

const AGAIN: Op = { op: "rediscover" };

describe("replies that get a run nowhere (EX-73, I4)", () => {
  it("an app that only asks to be called again is not called for ever", () => {
    const run = new TestRun();
    let calls = 0;
    for (; run.state.outcome === null; calls++) run.ops([AGAIN]);
    expect(calls).toBe(21);
    expect(run.state.outcome).toMatchObject({
      output: { code: "no_progress", message: expect.stringContaining("21 times in a row") },
    });
  });

  it("whoever gets further in between may ask as often as it likes", () => {
    const run = new TestRun();
    for (let n = 0; n < 100; n++) {
      run.ops([AGAIN]);
      run.ops([ran(`s${n}`), AGAIN]);
    }
    expect(run.state.outcome).toBeNull();
  });

  it("SE-15: that a step is planned is no answer to its own call", () => {
    const run = new TestRun({ retries: 1 });
    run.ops([planned("p")]);
    run.ops([planned("p")], { job: run.jobOf("p") });
    run.wake(5_000);
    expect(run.jobOf("p").attempt).toBe(1);
    run.ops([planned("p"), planned("q")], { job: run.jobOf("p") });
    expect(run.state.outcome).toMatchObject({ status: "failed", output: { code: "bad_reply" } });
  });
});

describe("a planned step that the code does not have any more (EX-61, EX-62)", () => {
  const missing = (stepId: string) => ({ message: "Could not find step", requestedStep: stepId, foundSteps: [] });

  it("is given up when its attempts are used up, and the run goes on", () => {
    const run = new TestRun({ retries: 1 });
    run.ops([planned("kept"), planned("gone")]);
    run.error(missing("gone"), false, run.jobOf("gone"));
    run.ops([ran("kept")], { job: run.jobOf("kept") });
    run.wake(5_000);
    run.error(missing("gone"), false, run.jobOf("gone"));
    expect(run.state.outcome).toBeNull();
    expect(run.job().stepId).toBeNull();
    run.output("new code");
    expect(run.state.outcome).toMatchObject({ status: "completed", output: "new code" });
  });

  it("while others of its group are open, the last of them continues", () => {
    const run = new TestRun({ retries: 0 });
    run.ops([planned("kept"), planned("gone")]);
    run.error(missing("gone"), false, run.jobOf("gone"));
    expect(run.job().stepId).toBe("kept");
    run.ops([ran("kept")]);
    expect(run.job().stepId).toBeNull();
  });

  it("another error of its call, or one about another step, fails the run", () => {
    for (const error of [{ message: "boom" }, missing("other")]) {
      const run = new TestRun({ retries: 0 });
      run.ops([planned("kept"), planned("gone")]);
      run.error(error, false, run.jobOf("gone"));
      expect(run.state.outcome).toMatchObject({ status: "failed", output: error });
    }
  });
});
