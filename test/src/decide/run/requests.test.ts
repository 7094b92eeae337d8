import { describe, expect, it } from "vitest";
import { fenceOf, memoOf } from "../../../../src/decide/run/state.ts";
import type { Op } from "../../../../src/protocol/opcodes.ts";
import { planned, ran, TestRun } from "./run.ts";

const fetches = (id: string): Op => ({
  op: "request",
  via: "gateway",
  opts: { url: "http://x/", headers: { authorization: "Bearer canary" } },
  id,
  label: { name: id, type: null },
  race: false,
  metadata: [],
});
const failure = { ok: false, error: { name: "GatewayError", message: "refused" }, retryAt: null } as const;

describe("requests the engine makes (EX-57)", () => {
  it("SE-14: nothing of the request reaches the log", () => {
    const run = new TestRun();
    run.ops([fetches("f")]);
    expect(run.job()).toMatchObject({ stepId: "f", request: true, attempt: 0 });
    expect(JSON.stringify(run.log)).not.toContain("canary");
  });

  it("a result ends the step, a failure is retried with the step's own attempts and then ends it", () => {
    const run = new TestRun({ retries: 1 });
    run.ops([fetches("f")]);
    run.take({ kind: "answered", fence: fenceOf(run.job()), outcome: { ...failure, retriable: true } });
    expect(run.due()).toEqual([]);
    run.wake(1000);
    expect(run.job()).toMatchObject({ stepId: "f", request: true, attempt: 1 });
    run.take({ kind: "answered", fence: fenceOf(run.job()), outcome: { ...failure, retriable: true } });
    expect(memoOf(run.state)).toEqual({ f: { error: failure.error } });
    expect(run.job()).toMatchObject({ stepId: null, request: false });
  });

  it("SE-13: a refusal is final", () => {
    const run = new TestRun();
    run.ops([fetches("f")]);
    run.take({ kind: "answered", fence: fenceOf(run.job()), outcome: { ...failure, retriable: false } });
    expect(memoOf(run.state)).toHaveProperty("f.error");
  });

  it("EX-10: a forgotten request is asked for again and goes on with the attempt that was due", () => {
    const run = new TestRun({ retries: 2 });
    run.ops([fetches("f")]);
    run.take({ kind: "answered", fence: fenceOf(run.job()), outcome: { ...failure, retriable: true } });
    run.wake(1000);
    const lost = fenceOf(run.job());
    run.take({ kind: "forgotten", fence: lost });
    expect(run.job()).toMatchObject({ stepId: null });
    run.ops([fetches("f")]);
    expect(run.job()).toMatchObject({ stepId: "f", request: true, attempt: 1 });
    expect(run.take({ kind: "answered", fence: lost, outcome: { ok: true, memo: { data: 1 } } })).toBe(false);
    run.take({ kind: "answered", fence: fenceOf(run.job()), outcome: { ok: true, memo: { data: 2 } } });
    expect(memoOf(run.state)).toEqual({ f: { data: 2 } });
  });

  it("a request announced again while it is being made starts no second one", () => {
    const run = new TestRun();
    run.ops([fetches("f"), planned("a", true)]);
    run.ops([ran("a")], { job: run.jobOf("a") });
    const discovery = run.due().find((job) => job.stepId === null);
    run.ops([fetches("f")], discovery === undefined ? {} : { job: discovery });
    expect(run.due().filter((job) => job.stepId === "f")).toHaveLength(1);
  });
});

describe("checkpoints (EX-66)", () => {
  it("steps are stored while the call goes on, without a discovery; its reply ends the run", () => {
    const run = new TestRun();
    const fence = fenceOf(run.job());
    for (const id of ["a", "b"]) expect(run.take({ kind: "checkpoint", fence, ops: [ran(id)] })).toBe(true);
    expect(run.due().map(fenceOf)).toEqual([fence]);
    expect(run.state.stack).toEqual(["a", "b"]);
    run.ops([{ op: "complete", data: "ok" }]);
    expect(run.state.outcome).toMatchObject({ status: "completed", output: "ok" });
    expect(run.log).toHaveLength(4);
  });

  it("a checkpoint sent twice changes nothing the second time", () => {
    const run = new TestRun();
    const fence = fenceOf(run.job());
    run.take({ kind: "checkpoint", fence, ops: [ran("a", 1)] });
    expect(run.take({ kind: "checkpoint", fence, ops: [ran("a", 2)] })).toBe(false);
    expect(memoOf(run.state)).toEqual({ a: { data: 1 } });
  });

  it("EX-9: the attempt starts over after a checkpoint, and the call's reply still counts", () => {
    const run = new TestRun({ retries: 1 });
    run.error();
    run.wake(1000);
    const fence = fenceOf(run.job());
    run.take({ kind: "checkpoint", fence, ops: [ran("a")] });
    expect(run.job().attempt).toBe(0);
    run.error({}, false, run.job());
    expect(run.state.outcome).toBeNull();
  });

  it("a checkpoint of a superseded call is refused", () => {
    const run = new TestRun();
    const stale = fenceOf(run.job());
    run.error();
    run.wake(1000);
    expect(run.take({ kind: "checkpoint", fence: stale, ops: [ran("a")] })).toBe(false);
    expect(run.state.stack).toEqual([]);
  });

  it("after the longest run time the next step is planned, then discovered from there", () => {
    const run = new TestRun();
    run.take({ kind: "checkpoint", fence: fenceOf(run.job()), ops: [ran("a")] });
    run.ops([planned("b")]);
    expect(run.job().stepId).toBe("b");
    run.ops([ran("b")]);
    expect(run.job().stepId).toBeNull();
  });
});

describe("deferred calls (EX-71)", () => {
  const add = (deferId: string, input = {}): Op => ({
    op: "defer",
    deferId,
    functionSlug: "shop-cleanup",
    input,
    meta: null,
  });

  it("are recorded once however often they are repeated, and an abort is final", () => {
    const run = new TestRun();
    run.ops([add("d"), ran("a")]);
    run.ops([add("d"), ran("b")]);
    run.ops([{ op: "undefer", deferId: "d" }, ran("c")]);
    run.ops([add("d"), ran("e")]);
    expect([...run.state.defers.values()]).toMatchObject([{ functionSlug: "shop-cleanup", aborted: true }]);
  });

  it("do not count as another operation: one step beside a defer opens no branches", () => {
    const run = new TestRun();
    run.ops([add("d"), ran("a")], { version: 1 });
    expect(run.state.branched).toBe(false);
  });

  it("at most 20 per run are kept", () => {
    const run = new TestRun();
    run.ops([...Array.from({ length: 25 }, (_, i) => add(`d${i}`)), ran("a")]);
    expect(run.state.defers.size).toBe(20);
  });
});
