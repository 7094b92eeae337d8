import { describe, expect, it } from "vitest";
import { nextLook } from "../../../../src/decide/run/effects.ts";
import { memoOf, waitingSteps } from "../../../../src/decide/run/state.ts";
import type { AcceptedEvent } from "../../../../src/events/event.ts";
import type { JsonObject } from "../../../../src/json.ts";
import type { Op } from "../../../../src/protocol/opcodes.ts";
import { identity, planned, ran, T0, TestRun } from "./run.ts";

const step = (id: string) => ({ id, label: { name: id, type: null }, race: false, metadata: [] });
const waits = (id: string, over: Partial<Extract<Op, { op: "wait" }>> = {}): Op => ({
  op: "wait",
  event: "app/ok",
  condition: null,
  until: "1h",
  ...step(id),
  ...over,
});
const invokes = (id: string, until: string | null = null): Op => ({
  op: "invoke",
  functionId: "shop-child",
  payload: { data: { x: 1 } },
  until,
  ...step(id),
});

function incoming(data: JsonObject = {}, over: Partial<AcceptedEvent> = {}): AcceptedEvent {
  const internalId = "01JD00000000000000000000IN";
  const payload = { name: "app/ok", data, id: internalId, ts: T0, user: {} };
  return { internalId, receivedAt: T0, source: "test", deduplicationId: null, payload, ...over };
}

describe("waiting for an event", () => {
  it("EX-41: the first match ends the step with the raw event and the function goes on", () => {
    const run = new TestRun();
    run.ops([waits("w")]);
    expect(run.due()).toEqual([]);
    expect(waitingSteps(run.state).map((one) => one.id)).toEqual(["w"]);
    expect(run.take({ kind: "event", stepId: "w", event: incoming({ ok: true }) })).toBe(true);
    expect(memoOf(run.state)).toEqual({ w: incoming({ ok: true }).payload });
    expect(run.job().stepId).toBeNull();
  });

  it("EX-41: the time-out ends it with a bare null, at its time", () => {
    const run = new TestRun();
    run.ops([waits("w", { until: "2s" })]);
    expect(nextLook(run.state, T0, 10_000)).toBe(T0 + 2000);
    expect(run.wake(1999)).toBe(false);
    run.wake(1);
    expect(memoOf(run.state)).toEqual({ w: null });
  });

  it("EX-46: match and time-out have exactly one outcome, in either order", () => {
    const matched = new TestRun();
    matched.ops([waits("w", { until: "2s" })]);
    matched.take({ kind: "event", stepId: "w", event: incoming() });
    const [job] = matched.due();
    expect(matched.wake(2000, job === undefined ? [] : [job.id])).toBe(false);
    const late = new TestRun();
    late.ops([waits("w", { until: "2s" })]);
    late.wake(2000);
    expect(late.take({ kind: "event", stepId: "w", event: incoming() })).toBe(false);
    expect(memoOf(late.state)).toEqual({ w: null });
  });

  it.each([
    ["event.data.n == async.data.n", { n: 1 }, true],
    ["event.data.n == async.data.n", { n: 2 }, false],
    ["event.data.missing == async.data.missing", {}, false],
    ["async.data.plan == 'pro' && async.data.n > 3", { plan: "pro", n: 4 }, true],
    ["async.data.ids.exists(x, x == event.data.n)", { ids: [3, 1] }, true],
    ["async.data.n / 0 > 1", { n: 1 }, false],
  ])("EX-42, EX-43: %s with %j matches: %s", (condition, data, matches) => {
    const run = new TestRun();
    run.ops([waits("w", { condition })]);
    expect(run.take({ kind: "event", stepId: "w", event: incoming(data) })).toBe(matches);
  });

  it("EX-45: another name and the run's own trigger never match", () => {
    const run = new TestRun();
    run.ops([waits("w")]);
    const other = incoming();
    expect(
      run.take({ kind: "event", stepId: "w", event: { ...other, payload: { ...other.payload, name: "app/no" } } }),
    ).toBe(false);
    const own = identity().events[0]?.event.internalId ?? "";
    expect(run.take({ kind: "event", stepId: "w", event: incoming({}, { internalId: own }) })).toBe(false);
  });

  it("EX-44: an expression that does not compile fails the run at once, naming step, expression and column", () => {
    const run = new TestRun();
    run.ops([waits("w", { condition: "user_1234 == async.data.userId" })]);
    expect(run.state.outcome).toMatchObject({ status: "failed", output: { code: "expression_invalid" } });
    expect(JSON.stringify(run.state.outcome)).toMatch(/\\"w\\".*user_1234.*column 1/);
  });

  it("EX-38: a wait longer than 366 days fails the run, an empty time-out is past at once", () => {
    const long = new TestRun();
    long.ops([waits("w", { until: "367d" })]);
    expect(long.state.outcome).toMatchObject({ output: { code: "timeout_too_long" } });
    const none = new TestRun();
    none.ops([waits("w", { until: "" })]);
    expect(memoOf(none.state)).toEqual({ w: null });
  });

  it("EX-45: waits enter the run before the other steps of the same reply", () => {
    const run = new TestRun();
    run.ops([planned("send"), waits("w")]);
    const order = run.log.at(-1)?.changes.flatMap((change) => ("id" in change ? [change.id] : []));
    expect(order).toEqual(["w", "send"]);
  });

  it("protocol 2: an open wait holds its group together", () => {
    const run = new TestRun();
    run.ops([planned("a"), waits("w")]);
    run.ops([ran("a")], { job: run.jobOf("a") });
    expect(run.due()).toEqual([]);
    run.take({ kind: "event", stepId: "w", event: incoming() });
    expect(run.job().stepId).toBeNull();
  });
});

describe("invoking (EX-50 … EX-53)", () => {
  it("the child's result ends the step, once", () => {
    const run = new TestRun();
    run.ops([invokes("call")]);
    run.take({ kind: "resolved", stepId: "call", memo: { data: 16 } });
    expect(run.take({ kind: "resolved", stepId: "call", memo: { data: 17 } })).toBe(false);
    expect(memoOf(run.state)).toEqual({ call: { data: 16 } });
  });

  it("EX-52: the time-out is an error to the caller; without one it is 366 days", () => {
    const run = new TestRun();
    run.ops([invokes("call", "1s")]);
    run.wake(1000);
    expect(memoOf(run.state)).toMatchObject({ call: { error: { name: "InngestInvokeTimeoutError" } } });
    const endless = new TestRun();
    endless.ops([invokes("call")]);
    expect(nextLook(endless.state, T0, 10_000)).toBe(T0 + 366 * 86_400_000);
  });
});

describe("signals (EX-48, EX-49)", () => {
  it("a signal's data ends the step; a conflict fails the run", () => {
    const signal: Op = { op: "signal", signal: "approve/1", conflict: "fail", until: "10s", ...step("s") };
    const run = new TestRun();
    run.ops([signal]);
    run.take({ kind: "resolved", stepId: "s", memo: { data: { signal: "approve/1", data: 1 } } });
    expect(memoOf(run.state)).toEqual({ s: { data: { signal: "approve/1", data: 1 } } });
    const second = new TestRun();
    second.ops([signal]);
    second.take({ kind: "failed", error: { name: "signal_conflict", code: "signal_conflict", message: "taken" } });
    expect(second.state.outcome).toMatchObject({ status: "failed", output: { code: "signal_conflict" } });
  });
});
