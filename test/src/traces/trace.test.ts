import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Change, Decision } from "../../../src/decide/run/change.ts";
import { start } from "../../../src/decide/run/decide.ts";
import { receive } from "../../../src/decide/run/endpoint.ts";
import { copiesOf } from "../../../src/decide/run/fork.ts";
import { fenceOf, type Job } from "../../../src/decide/run/state.ts";
import { TRACE } from "../../../src/limits.ts";
import type { Op } from "../../../src/protocol/opcodes.ts";
import { traceV2 } from "../../../src/traces/v2.ts";
import { completed, errored, failed, identity, planned, ran, slept, T0, TestRun } from "../decide/run/run.ts";
import { lines, outputIn, spanNamed, traceOfLog } from "./traced.ts";

/** A reply as the pool hands it over: with what its call was like. */
function replied(run: TestRun, ops: Op[], { took = 10, job = run.job() }: { took?: number; job?: Job } = {}): void {
  const began = run.now;
  run.now += took;
  const reply = { kind: "ops", ops, version: 2, noRetry: false, retryAt: null } as const;
  run.take({ kind: "reply", fence: fenceOf(job), reply, call: { began, status: 206, sent: 100, received: 20 } });
}

describe("OB-7: what a trace holds", () => {
  it("times each step by its call, and the end by the last one", () => {
    const run = new TestRun();
    replied(run, [ran("a", 1)], { took: 30 });
    replied(run, [ran("b", 2)], { took: 40 });
    replied(run, [completed("out")], { took: 5 });
    const trace = traceOfLog(run.log);
    expect(lines(trace)).toEqual(["Fn completed", "  a completed", "  b completed", "  Finalization completed"]);
    expect(spanNamed(trace, "a")).toMatchObject({ queuedAt: T0, startedAt: T0, endedAt: T0 + 30, attempt: 0 });
    expect(spanNamed(trace, "b")).toMatchObject({
      startedAt: T0 + 30,
      endedAt: T0 + 70,
      call: { status: 206, sent: 100 },
    });
    expect(spanNamed(trace, "Finalization")).toMatchObject({ startedAt: T0 + 70, endedAt: T0 + 75 });
    expect(outputIn(run.log, "a")).toEqual({ ok: true, value: 1, input: null });
    expect(outputIn(run.log, "run")).toMatchObject({ ok: true, value: "out" });
  });

  it("lets each step of a checkpointed call begin where the one before it ended", () => {
    const run = new TestRun();
    const job = run.job();
    run.now += 20;
    run.take({ kind: "checkpoint", fence: fenceOf(job), ops: [ran("a")] });
    run.now += 5;
    run.take({ kind: "checkpoint", fence: fenceOf(job), ops: [ran("b")] });
    const began = T0 + 2;
    run.now += 3;
    const reply = { kind: "ops", ops: [ran("c"), completed(1)], version: 2, noRetry: false, retryAt: null } as const;
    run.take({ kind: "reply", fence: fenceOf(job), reply, call: { began } });
    const trace = traceOfLog(run.log);
    const times = ["a", "b", "c"].map((name) => [spanNamed(trace, name).startedAt, spanNamed(trace, name).endedAt]);
    // The first learns when its call began once that has been answered.
    expect(times).toEqual([
      [T0 + 20 - 18, T0 + 20],
      [T0 + 20, T0 + 25],
      [T0 + 25, T0 + 28],
    ]);
  });

  it("shows what goes on, and hides what never ran once the run is over", () => {
    const run = new TestRun();
    replied(run, [planned("a"), planned("b"), slept("c", "1h")]);
    const a = run.jobOf("a");
    const live = traceOfLog(run.log, { inFlight: new Map([[a.id, T0 + 11]]) });
    expect(lines(live)).toEqual(["Fn running", "  a running", "  b queued", "  c waiting"]);
    expect(spanNamed(live, "a")).toMatchObject({ startedAt: T0 + 11, endedAt: null });
    replied(run, [ran("a")], { job: a });
    run.take({ kind: "cancel", cause: { by: "api" }, executing: new Set() });
    expect(lines(traceOfLog(run.log))).toEqual(["Fn cancelled", "  a completed", "  c cancelled"]);
  });

  it("shows a step that was executing when its run was cancelled, although its result was not kept", () => {
    const run = new TestRun();
    replied(run, [planned("a"), planned("b")]);
    const a = run.jobOf("a");
    run.take({ kind: "cancel", cause: { by: "api" }, executing: new Set([a.id]) });
    replied(run, [ran("a")], { job: a });
    const trace = traceOfLog(run.log);
    expect(lines(trace)).toEqual(["Fn cancelled", "  a cancelled"]);
    expect(spanNamed(trace, "a")).toMatchObject({ startedAt: T0 + 10, endedAt: T0 + 20, output: null });
  });

  it("warns of a step whose call was made again", () => {
    const run = new TestRun();
    replied(run, [planned("a"), planned("b")]);
    run.wake(60_000);
    replied(run, [ran("a")], { job: run.jobOf("a") });
    const trace = traceOfLog(run.log);
    expect(spanNamed(trace, "a").warnings).toEqual(["repeated"]);
  });
});

describe("OB-7: runs that begin otherwise", () => {
  it("times the steps of an app's own handler, which the engine never called", () => {
    const endpoint = {
      method: "POST",
      url: "https://a.test/",
      contentType: "",
      version: 2,
      sdk: "js:v4",
      lease: 60_000,
    };
    const born = { functionId: "fn-uuid", ops: [ran("a")], thrown: null, identity: identity({ endpoint }) };
    const moment = (now: number) => ({ now, random: 0, retryInterval: 0, maxSteps: 10 });
    const first = receive(null, born, moment(T0)).decided;
    const report = { ...born, identity: null, ops: [ran("b")] };
    const second = receive(first?.state ?? null, report, moment(T0 + 40)).decided;
    const third = receive(second?.state ?? null, { ...report, ops: [completed(1)] }, moment(T0 + 50)).decided;
    const trace = traceOfLog([first, second, third].flatMap((one) => one?.decision ?? []));
    expect(lines(trace)).toEqual(["Fn completed", "  a completed", "  b completed", "  Finalization completed"]);
    expect(spanNamed(trace, "b")).toMatchObject({ queuedAt: T0 + 40, startedAt: T0, endedAt: T0 + 40 });
    expect(spanNamed(trace, "Finalization")).toMatchObject({ startedAt: T0 + 40, endedAt: T0 + 50 });
  });

  it("tells results that were taken over from those of the run", () => {
    const original = new TestRun();
    replied(original, [ran("a")]);
    const fork = { stepId: "b", results: 1 };
    const again = start(
      identity({ fork, originalRunId: "01JD00000000000000000000RN" }),
      original.moment(),
      copiesOf(original.state, 0, 1),
    );
    const trace = traceOfLog([again.decision]);
    expect(lines(trace)).toEqual(["Fn running", "  a completed"]);
    expect(spanNamed(trace, "a").warnings).toEqual(["taken_over"]);
    expect(outputIn([again.decision], "a")).toMatchObject({ ok: true, value: "a" });
  });
});

describe("API-22: the form of v2", () => {
  it("leaves out what is not there", () => {
    const run = new TestRun();
    replied(run, [ran("a", { n: 1 })]);
    const { runId, rootSpan } = traceV2(traceOfLog(run.log));
    expect(runId).toBe(run.state.identity.runId);
    expect(rootSpan).toEqual({
      id: "run",
      name: "Fn",
      status: "RUNNING",
      queuedAt: new Date(T0).toISOString(),
      startedAt: new Date(T0).toISOString(),
      metadata: [],
      children: [
        {
          id: "a",
          name: "a",
          status: "COMPLETED",
          stepOp: "RUN",
          stepId: "a",
          durationMs: 10,
          queuedAt: new Date(T0).toISOString(),
          startedAt: new Date(T0).toISOString(),
          endedAt: new Date(T0 + 10).toISOString(),
          output: { n: 1 },
          metadata: [],
          children: [],
        },
      ],
    });
  });
});

describe("OB-11: size", () => {
  it("keeps no more of a log than fits, and draws the same spans without it", () => {
    const run = new TestRun({ retries: 1 });
    replied(run, [errored("a", "e".repeat(100_000))]);
    run.wake(2000);
    replied(run, [ran("a", "x".repeat(100_000))]);
    replied(run, [ran("b", "small")]);
    const trace = traceOfLog(run.log);
    expect(spanNamed(trace, "a").output).toEqual({ id: "a", bytes: 100_011, ok: true });
    expect(spanNamed(trace, "b").output).toMatchObject({ value: "small" });
    expect(spanNamed(trace, "Attempt 0").output).not.toHaveProperty("value");
    expect(outputIn(run.log, "a")?.value).toHaveLength(100_000);
    expect(outputIn(run.log, "a.0")).toMatchObject({ value: { message: "e".repeat(100_000) } });
    expect(lines(traceOfLog(run.log, { keeps: () => false }))).toEqual(lines(trace));
  });

  it("lets so many bytes of outputs along, and the rest be asked for", () => {
    const run = new TestRun();
    for (let i = 0; i < 30; i++) replied(run, [ran(`s${i}`, "x".repeat(60_000))]);
    const { spans } = traceOfLog(run.log);
    const along = spans.filter(({ output }) => output?.value !== undefined);
    expect(along.length).toBeGreaterThan(10);
    expect(along.length).toBeLessThan(20);
    expect(JSON.stringify(spans).length).toBeLessThan(1.2 * TRACE.inline.totalBytes);
  });
});

describe("OB-8: attempts", () => {
  it("lists a step's failures with their times and what comes next", () => {
    const run = new TestRun({ retries: 2 });
    replied(run, [errored("a", "one")]);
    const due = run.state.jobs.get(1)?.due ?? 0;
    run.wake(due - run.now);
    replied(run, [ran("a", "good")]);
    const trace = traceOfLog(run.log);
    expect(lines(trace)).toEqual(["Fn running", "  a completed", "    Attempt 0 failed", "    Attempt 1 completed"]);
    expect(spanNamed(trace, "a")).toMatchObject({ attempt: 1, startedAt: T0, warnings: [] });
    expect(spanNamed(trace, "Attempt 0")).toMatchObject({ startedAt: T0, endedAt: T0 + 10, nextAt: due });
    expect(spanNamed(trace, "Attempt 1")).toMatchObject({ startedAt: due, endedAt: due + 10, nextAt: null });
    expect(outputIn(run.log, "a.0")).toMatchObject({ ok: false, value: { message: "one" } });
    expect(outputIn(run.log, "a.1")).toMatchObject({ ok: true, value: "good" });
    expect(outputIn(run.log, "a.2")).toBeNull();
  });

  it("counts the attempt that is to come while the run goes on", () => {
    const run = new TestRun({ retries: 2 });
    replied(run, [errored("a", "one")]);
    const trace = traceOfLog(run.log);
    const span = spanNamed(trace, "a");
    expect(lines(trace)).toEqual(["Fn running", "  a queued", "    Attempt 0 failed"]);
    expect(span).toMatchObject({ status: "queued", attempt: 1, endedAt: null, nextAt: run.state.jobs.get(1)?.due });
  });

  it("tells failures of code between steps from those of steps", () => {
    const run = new TestRun({ retries: 1 });
    run.error({ message: "before" });
    run.wake(1000);
    replied(run, [ran("a")]);
    run.error({ message: "after 1" });
    run.wake(1000);
    run.error({ message: "after 2" });
    const trace = traceOfLog(run.log);
    expect(lines(trace)).toEqual([
      "Fn failed",
      "  Function completed",
      "    Attempt 0 failed",
      "  a completed",
      "  Finalization failed",
      "    Attempt 0 failed",
      "    Attempt 1 failed",
    ]);
    expect(spanNamed(trace, "Finalization").attempt).toBe(1);
    expect(outputIn(run.log, "finalization.0")).toMatchObject({ ok: false, value: { message: "after 1" } });
    expect(outputIn(run.log, "finalization.1")).toMatchObject({ ok: false, value: { message: "after 2" } });
    expect(outputIn(run.log, "job-1.0")).toMatchObject({ ok: false, value: { message: "before" } });
  });

  it("shows a final failure as one, whatever came before", () => {
    const run = new TestRun({ retries: 3 });
    replied(run, [failed("a", "never")]);
    replied(run, [completed(null)]);
    expect(lines(traceOfLog(run.log))).toEqual(["Fn completed", "  a failed", "  Finalization completed"]);
  });
});

describe("logs of earlier versions", () => {
  it("draw the same spans with the times that are known", () => {
    const run = new TestRun({ retries: 1 });
    replied(run, [errored("a", "one")]);
    run.wake(2000);
    replied(run, [ran("a")]);
    replied(run, [completed(1)]);
    const trace = traceOfLog(run.log.map(asBefore));
    // Which step failed was not noted: the failure is the function's.
    expect(lines(trace)).toEqual([
      "Fn completed",
      "  Function completed",
      "    Attempt 0 failed",
      "  a completed",
      "  Finalization completed",
    ]);
    for (const span of trace.spans) expect(span.startedAt).toBeGreaterThanOrEqual(T0);
  });
});

/** A decision as it was written before traces knew of calls. */
function asBefore({ at, changes }: Decision): Decision {
  const older = changes.flatMap((change): Change[] => {
    if (change.is === "called") return [];
    if (change.is !== "retried") return [change];
    const { step: _, at: __, ...retried } = change;
    return [retried];
  });
  return { at, changes: older };
}

describe("any run", () => {
  const replies = fc.array(
    fc.record({
      what: fc.constantFrom("run", "error", "plan", "sleep", "thrown", "time", "lost"),
      took: fc.integer({ min: 0, max: 100 }),
      name: fc.constantFrom("a", "b", "c", "d"),
    }),
    { maxLength: 30 },
  );

  it("has a tree: unique ids, one root, parents before children, and no time before its beginning", () => {
    fc.assert(
      fc.property(replies, (story) => {
        const run = new TestRun({ retries: 1 });
        for (const { what, took, name } of story) {
          const [job] = run.due();
          if (what === "time" || what === "lost" || job === undefined) run.wake(what === "time" ? 2000 : 20_000);
          else if (what === "thrown") run.error({}, false, job);
          else {
            const op = { run: ran, error: errored, plan: planned, sleep: (id: string) => slept(id, "1s") }[what](
              job.stepId ?? name,
            );
            replied(run, [op], { took, job });
          }
        }
        const trace = traceOfLog(run.log);
        const seen = new Set<string>();
        for (const [index, span] of trace.spans.entries()) {
          expect(seen.has(span.id)).toBe(false);
          expect(span.parentId === null).toBe(index === 0);
          if (span.parentId !== null) expect(seen.has(span.parentId)).toBe(true);
          seen.add(span.id);
          const { startedAt, endedAt } = span;
          if (startedAt !== null && endedAt !== null) expect(endedAt).toBeGreaterThanOrEqual(startedAt);
          if (span.output !== null) expect(outputIn(run.log, span.output.id)).not.toBeNull();
        }
        const steps = trace.spans.filter(({ stepId, parentId }) => stepId !== null && parentId === "run");
        for (const id of run.state.stack) expect(steps.filter((span) => span.id === id)).toHaveLength(1);
      }),
    );
  });
});
