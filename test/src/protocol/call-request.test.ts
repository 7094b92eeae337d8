import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../src/json.ts";
import { buildCall, type CallContext } from "../../../src/protocol/call-request.ts";
import { canonicalJson } from "../../../src/protocol/canonical.ts";
import { requestsOf } from "../../../src/protocol/sdk-requests.ts";
import { identity, planned, ran, slept, T0, TestRun } from "../decide/run/run.ts";

const context: CallContext = {
  url: "http://127.0.0.1:3000/api/inngest?x=1",
  requestId: "req",
  serverKind: "dev",
  maxSteps: 1000,
  requests: { canFetchState: true, canCheckpoint: true },
  canonical: false,
};

function call(run: TestRun, over: Partial<CallContext> = {}, job = run.due()[0]) {
  if (job === undefined) throw new Error("no call is due");
  const request = buildCall(run.state, job, { ...context, ...over });
  const body: JsonObject & { ctx: JsonObject } = JSON.parse(request.body);
  return { ...request, json: body };
}

describe("the call (protocol/03 §3.1)", () => {
  it("first call: every field an SDK reads, under the names it reads", () => {
    const run = new TestRun();
    const { url, headers, json } = call(run);
    expect(url).toBe("http://127.0.0.1:3000/api/inngest?x=1&fnId=shop-fn&stepId=step");
    expect(headers).toMatchObject({
      "x-run-id": identity().runId,
      "x-inngest-req-version": "-1",
      "x-request-id": "req",
    });
    const event = { name: "a/b", data: { n: 1 }, id: "01JD00000000000000000000EV", ts: T0, user: {} };
    expect(json).toMatchObject({ event, events: [event], steps: {}, defers: {}, version: -1, use_api: false });
    expect(json.ctx).toMatchObject({
      run_id: identity().runId,
      step_id: "step",
      attempt: 0,
      max_attempts: 5,
      disable_immediate_execution: false,
      use_api: false,
      stack: { stack: [], current: 0 },
      generation_id: 1,
    });
  });

  it("EX-2: results go along in the order of completion, each in the shape its kind demands", () => {
    const run = new TestRun();
    run.ops([ran("b", { v: 1 })]);
    run.ops([slept("nap", "1s")]);
    run.wake(1000);
    const { json } = call(run);
    expect(json["steps"]).toEqual({ b: { data: { v: 1 } }, nap: null });
    expect(json.ctx["stack"]).toEqual({ stack: ["b", "nap"], current: 2 });
    expect(json["version"]).toBe(2);
  });

  it("a planned step is called by its id", () => {
    const run = new TestRun();
    run.ops([planned("a"), planned("b")]);
    const { url, json } = call(run, {}, run.jobOf("b"));
    expect(url).toContain("stepId=b");
    expect(json.ctx).toMatchObject({ step_id: "b", disable_immediate_execution: true });
  });

  it("EX-66, EX-20: the function's id invites checkpoints, except in a call that is retried", () => {
    const run = new TestRun();
    expect(call(run).json.ctx["fn_id"]).toBe(run.state.identity.function.id);
    run.error();
    run.wake(60_000);
    expect(call(run).json.ctx).toMatchObject({ attempt: 1 });
    expect(call(run).json.ctx).not.toHaveProperty("fn_id");
    run.ops([ran("a")]);
    expect(call(run).json.ctx).toMatchObject({ attempt: 0, fn_id: run.state.identity.function.id });
  });

  it("SE-3: the body is canonical when it will be signed", () => {
    const run = new TestRun();
    run.ops([ran("a", { "10": 1, "9": 2, "\r": 3 })]);
    const { body, json } = call(run, { canonical: true });
    expect(body).toBe(canonicalJson(json));
    expect(body).toContain('{"\\r":3,"10":1,"9":2}');
  });

  it("EX-16: state beyond 4 MiB is left for the SDK to fetch, unless it cannot", () => {
    const run = new TestRun();
    for (const id of ["a", "b"]) run.ops([ran(id, "x".repeat(2 * 1024 * 1024))]);
    const { json } = call(run);
    expect(json).toMatchObject({ use_api: true, events: [], steps: {}, event: { name: "a/b" } });
    expect(json.ctx).toMatchObject({ use_api: true, stack: { stack: ["a", "b"], current: 2 } });
    expect(call(run, { requests: requestsOf("go:v0.14.0", false) }).json).toMatchObject({
      use_api: false,
      events: [{ name: "a/b" }],
    });
  });

  it.each([
    ["js:v3.54.2", false],
    ["js:v4.18.1", false],
    ["js:v4.19.0", true],
    ["js:v10.1.0", true],
    ["py:v0.5.0", true],
    ["", true],
  ])("EV-22, EX-66: in a branch %s checkpoints: %s, for its requests have to name the branch", (sdk, finds) => {
    expect(requestsOf(sdk, true)).toEqual({ canFetchState: finds, canCheckpoint: finds });
    expect(requestsOf(sdk, false)).toEqual({ canFetchState: true, canCheckpoint: true });
    const { json } = call(new TestRun(), { requests: requestsOf(sdk, true) });
    expect("fn_id" in json.ctx).toBe(finds);
  });

  it("EX-15: at the step limit a discovery only plans", () => {
    const run = new TestRun({}, { maxSteps: 1 });
    run.ops([ran("a")]);
    expect(call(run, { maxSteps: 1 }).json.ctx["disable_immediate_execution"]).toBe(true);
  });
});
