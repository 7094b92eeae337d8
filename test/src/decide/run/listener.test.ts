import { describe, expect, it } from "vitest";
import { start } from "../../../../src/decide/run/decide.ts";
import type { CancelListener, RunFlow } from "../../../../src/decide/run/flow.ts";
import { copiesOf } from "../../../../src/decide/run/fork.ts";
import { causeIn, isAwaiting, unprovenListeners } from "../../../../src/decide/run/listener.ts";
import type { AcceptedEvent } from "../../../../src/events/event.ts";
import type { JsonObject } from "../../../../src/json.ts";
import { errored, identity, planned, ran, T0, TestRun } from "./run.ts";

const INTERNAL = "01JD00000000000000000000IN";
const MINUTE = 60_000;

function cancelledOn(...listeners: Partial<CancelListener>[]): { flow: RunFlow } {
  const cancelOn = listeners.map((listener) => ({ event: "app/stop", condition: null, until: null, ...listener }));
  const timeouts = { start: null, finish: null };
  return { flow: { lines: [], priority: 0, priorityError: null, singleton: null, timeouts, cancelOn } };
}

function incoming(data: JsonObject = {}, over: Partial<AcceptedEvent> = {}): AcceptedEvent {
  const payload = { name: "app/stop", data, id: INTERNAL, ts: T0, user: {} };
  return { internalId: INTERNAL, receivedAt: T0, source: "test", deduplicationId: null, payload, ...over };
}

const cancels = (run: TestRun, event = incoming(), id = "cancel:0") => causeIn(run.state, id, event, T0);

describe("cancelOn", () => {
  it("CR-2, CR-13: without a condition every such event cancels, and is named as the cause", () => {
    expect(cancels(new TestRun(cancelledOn({})))).toEqual({ by: "event", eventId: INTERNAL, eventName: "app/stop" });
  });

  it.each([
    ["async.data.n == event.data.n", { n: 1 }, true],
    ["async.data.n == event.data.n", { n: 2 }, false],
    ["event.data.n == async.data.n && async.data.urgent", { n: 1, urgent: true }, true],
    ["event.data.missing == async.data.missing", { n: 1 }, false],
    ["async.data.n / 0 > 1", { n: 1 }, false],
    ["this is no expression", {}, false],
  ])("CR-2: %s with %j cancels: %s", (condition, data, expected) => {
    expect(cancels(new TestRun(cancelledOn({ condition })), incoming(data)) !== null).toBe(expected);
  });

  it("CR-2: names are exact; another name, another listener's id and a step's id cancel nothing", () => {
    const run = new TestRun(cancelledOn({}, { event: "app/other" }));
    const other = incoming();
    expect(cancels(run, { ...other, payload: { ...other.payload, name: "app/stop.now" } })).toBeNull();
    expect(cancels(run, incoming(), "cancel:1")).toBeNull();
    expect(cancels(run, incoming(), "cancel:2")).toBeNull();
    expect(cancels(run, incoming(), "some-step")).toBeNull();
  });

  it("CR-2: neither the run's own trigger nor what was received before the run was created", () => {
    const run = new TestRun(cancelledOn({}));
    const own = identity().events[0]?.event.internalId ?? "";
    expect(cancels(run, incoming({}, { internalId: own }))).toBeNull();
    expect(cancels(run, incoming({}, { receivedAt: T0 - 1 }))).toBeNull();
  });

  it("CR-3: the window is judged by when the event was received, however late it is offered", () => {
    const run = new TestRun(cancelledOn({ until: T0 + 60 * MINUTE }));
    expect(cancels(run, incoming({}, { receivedAt: T0 + 60 * MINUTE - 1 }))).not.toBeNull();
    expect(cancels(run, incoming({}, { receivedAt: T0 + 60 * MINUTE }))).toBeNull();
    expect(run.state.outcome).toBeNull();
  });

  it("CR-4: a run that has not begun is cancelled like any other", () => {
    const run = new TestRun({ ...cancelledOn({}), startAt: T0 + 60 * MINUTE });
    const cause = cancels(run);
    if (cause === null) throw new Error("the event cancels the run");
    run.take({ kind: "cancel", cause, executing: new Set() });
    expect(run.state.outcome).toMatchObject({ status: "cancelled", cause: { by: "event", eventId: INTERNAL } });
    expect(cancels(run)).toBeNull();
  });

  it("a run that is being cancelled, or has ended, listens no more", () => {
    const run = new TestRun(cancelledOn({}));
    expect(isAwaiting(run.state, "cancel:0")).toBe(true);
    expect(isAwaiting(run.state, "cancel:1")).toBe(false);
    const job = run.job();
    run.take({ kind: "cancel", cause: { by: "user" }, executing: new Set([job.id]) });
    expect([isAwaiting(run.state, "cancel:0"), cancels(run), unprovenListeners(run.state)]).toEqual([false, null, []]);
    run.output(1, job);
    expect(isAwaiting(run.state, "cancel:0")).toBe(false);
  });

  it("EX-43: a waiting step still waits until it is resolved", () => {
    const run = new TestRun();
    const step = { id: "w", label: { name: "w", type: null }, race: false, metadata: [] };
    run.ops([{ op: "wait", event: "app/ok", condition: null, until: "1h", ...step }]);
    expect(isAwaiting(run.state, "w")).toBe(true);
    run.take({ kind: "resolved", stepId: "w", memo: null });
    expect(isAwaiting(run.state, "w")).toBe(false);
    expect(isAwaiting(null, "w")).toBe(false);
  });
});

describe("what proves that the listeners are registered", () => {
  const listening = (run: TestRun) => unprovenListeners(run.state).map(({ id }) => id);

  it("nothing, before the first call was answered: not even that it was made again", () => {
    const run = new TestRun({ ...cancelledOn({}, {}), startAt: T0 + MINUTE });
    expect(listening(run)).toEqual(["cancel:0", "cancel:1"]);
    run.wake(MINUTE);
    run.wake(MINUTE);
    expect(listening(run)).toEqual(["cancel:0", "cancel:1"]);
  });

  it.each([
    ["steps", (run: TestRun) => run.ops([planned("a")])],
    ["a result", (run: TestRun) => run.ops([ran("a")])],
    ["an error that is retried", (run: TestRun) => run.error()],
    ["a failed step", (run: TestRun) => run.ops([errored("a")])],
    ["nothing new", (run: TestRun) => run.ops([])],
    ["the end", (run: TestRun) => run.output(1)],
  ])("an answer with %s", (_, answer) => {
    const run = new TestRun(cancelledOn({}));
    answer(run);
    expect(listening(run)).toEqual([]);
  });

  it("CR-2, CR-26: results taken over from another run are no answer", () => {
    const original = new TestRun();
    original.ops([ran("a")]);
    original.ops([ran("b")]);
    const rerun = identity({
      ...cancelledOn({}),
      runId: "rerun",
      originalRunId: "original",
      fork: { stepId: "b", results: 1 },
    });
    const { state } = start(rerun, original.moment(), copiesOf(original.state, 0, 1));
    expect(state.steps.size).toBe(1);
    expect(unprovenListeners(state).map(({ id }) => id)).toEqual(["cancel:0"]);
  });
});
