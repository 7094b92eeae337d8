import { describe, expect, it } from "vitest";
import { fenceOf } from "../../../src/decide/run/state.ts";
import type { Op } from "../../../src/protocol/opcodes.ts";
import type { UserlandSpan } from "../../../src/traces/userland.ts";
import { completed, errored, planned, ran, T0, TestRun } from "../decide/run/run.ts";
import { lines, traceOfLog } from "./traced.ts";

function sent(id: string, over: Partial<UserlandSpan> = {}): UserlandSpan {
  return {
    id,
    parentId: null,
    name: id,
    kind: 3,
    startedAt: T0 + 1,
    endedAt: T0 + 2,
    failed: false,
    message: null,
    attributes: {},
    resource: {},
    scope: { name: "", version: "" },
    events: [],
    stepId: null,
    delivery: null,
    ...over,
  };
}

function reply(run: TestRun, ops: Op[], job = run.job()): void {
  const began = run.now;
  run.now += 10;
  const answer = { kind: "ops", ops, version: 2, noRetry: false, retryAt: null } as const;
  run.take({ kind: "reply", fence: fenceOf(job), reply: answer, call: { began } });
}

function drawn(run: TestRun, spans: readonly UserlandSpan[]): string[] {
  return lines(traceOfLog(run.log, { userland: { spans, dropped: 0 } }));
}

describe("OB-14: where spans of the app belong", () => {
  it("is the step that the SDK names, below it its own children, whatever order they come in", () => {
    const run = new TestRun();
    reply(run, [planned("a"), planned("b")]);
    reply(run, [ran("a")], run.jobOf("a"));
    reply(run, [ran("b")], run.jobOf("b"));
    const spans = [sent("below", { parentId: "http" }), sent("http", { stepId: "a" }), sent("http", { stepId: "a" })];
    expect(drawn(run, spans)).toEqual([
      "Fn running",
      "  a completed",
      "    http completed",
      "      below completed",
      "  b completed",
    ]);
  });

  it("is what the call of its context executed: the step, its attempt, or the code after the last step", () => {
    const run = new TestRun({ retries: 1 });
    const first = run.job();
    reply(run, [errored("a")]);
    run.wake(1000);
    const second = run.job();
    reply(run, [ran("a")]);
    const third = run.job();
    reply(run, [completed(1)]);
    const delivery = ({ id, generation }: typeof first) => ({ job: id, generation });
    const spans = [
      sent("one", { delivery: delivery(first) }),
      sent("two", { delivery: delivery(second), failed: true }),
      sent("three", { delivery: delivery(third) }),
      sent("stranger", { delivery: { job: 99, generation: 1 } }),
    ];
    expect(drawn(run, spans)).toEqual([
      "Fn completed",
      "  a completed",
      "    Attempt 0 failed",
      "      one completed",
      "    Attempt 1 completed",
      "      two failed",
      "  Finalization completed",
      "    three completed",
      "  stranger completed",
    ]);
  });

  it("is told by the clock where one call executed several steps", () => {
    const run = new TestRun();
    const job = run.job();
    for (const id of ["a", "b"]) {
      run.now += 10;
      run.take({ kind: "checkpoint", fence: fenceOf(job), ops: [ran(id)] });
    }
    const delivery = { job: job.id, generation: job.generation };
    const spans = [sent("in a", { delivery, startedAt: T0 + 5 }), sent("in b", { delivery, startedAt: T0 + 15 })];
    expect(drawn(run, spans)).toEqual([
      "Fn running",
      "  a completed",
      "    in a completed",
      "  b completed",
      "    in b completed",
    ]);
  });

  it("survives spans that are each other's parents", () => {
    const run = new TestRun();
    reply(run, [ran("a")]);
    const spans = [
      sent("x", { parentId: "y", stepId: "a" }),
      sent("y", { parentId: "x", stepId: "a" }),
      sent("z", { parentId: "z" }),
    ];
    expect(drawn(run, spans)).toHaveLength(5);
  });
});
