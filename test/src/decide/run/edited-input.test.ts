import { describe, expect, it } from "vitest";
import { start } from "../../../../src/decide/run/decide.ts";
import { requestInput } from "../../../../src/decide/run/edited-input.ts";
import type { Edit } from "../../../../src/decide/run/identity.ts";
import { isPlanningForced, memoOf } from "../../../../src/decide/run/state.ts";
import { buildCall } from "../../../../src/protocol/call-request.ts";
import { identity, planned, ran, TestRun } from "./run.ts";

/** A run that is to execute step b with another input. */
function edited(of: Edit["of"] = "arguments"): TestRun {
  const run = new TestRun();
  const fork = { stepId: "b", results: 0, edit: { of, input: ["other", 2] } } as const;
  const born = start(identity({ originalRunId: "01JD00000000000000000000OR", fork }), run.moment());
  run.state = born.state;
  run.log.splice(0, 1, born.decision);
  return run;
}

/** Body of the call of the one job that is due. */
function call(run: TestRun, job = run.job()) {
  const { body } = buildCall(run.state, job, {
    url: "http://app/api/inngest",
    requestId: "r",
    serverKind: "dev",
    maxSteps: 1000,
    requests: { canFetchState: true, canCheckpoint: true },
    canonical: false,
  });
  const { steps, ctx } = JSON.parse(body);
  return { steps, planning: ctx.disable_immediate_execution };
}

describe("CR-27: a step that is executed with another input", () => {
  it("nothing is executed at once until the step is known: it would be executed with its own input", () => {
    const run = edited();
    expect(call(run)).toEqual({ steps: {}, planning: true });
    run.ops([planned("new")]);
    run.ops([ran("new")], { job: run.jobOf("new") });
    expect(call(run)).toEqual({ steps: { new: { data: "new" } }, planning: true });
  });

  it("the call for the step carries the input in the place of its result, every attempt of it", () => {
    const run = edited();
    run.ops([planned("b")]);
    const input = { b: { input: ["other", 2] } };
    expect(call(run).steps).toEqual(input);
    run.error({}, false, run.jobOf("b"));
    run.wake(60_000);
    expect(call(run).steps).toEqual(input);
    // SDKs that fetch their state find it there too.
    expect(memoOf(run.state)).toEqual(input);
  });

  it("with the result everything is as ever", () => {
    const run = edited();
    run.ops([planned("b")]);
    run.ops([ran("b", "done")]);
    expect(call(run)).toEqual({ steps: { b: { data: "done" } }, planning: false });
  });

  it("beside others of its group it is the only one with an input", () => {
    const run = edited();
    run.ops([planned("a"), planned("b")]);
    run.ops([ran("a")], { job: run.jobOf("a") });
    expect(call(run, run.jobOf("b")).steps).toEqual({ a: { data: "a" }, b: { input: ["other", 2] } });
  });

  it("a step whose request the engine makes is announced as ever, and its request is changed", () => {
    const run = edited("request");
    expect(call(run)).toEqual({ steps: {}, planning: false });
    const [job] = run.due();
    if (job === undefined) throw new Error("no call is due");
    expect(isPlanningForced(run.state, job, 1000)).toBe(false);
    expect(requestInput(run.state, "b")).toEqual(["other", 2]);
    expect(requestInput(run.state, "a")).toBeNull();
    expect(requestInput(new TestRun().state, "b")).toBeNull();
    const label = { name: "b", type: null };
    run.ops([{ op: "request", via: "gateway", opts: {}, id: "b", label, race: false, metadata: [] }]);
    expect(memoOf(run.state)).toEqual({});
  });
});
