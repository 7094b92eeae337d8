import { abortAllDurableObjects, evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { Waits } from "../../durable-objects/waits.ts";
import { counters } from "../../src/counters.ts";
import type { CancelListener, RunFlow } from "../../src/decide/run/flow.ts";
import type { RunIdentity } from "../../src/decide/run/identity.ts";
import { MillraceError } from "../../src/errors.ts";
import type { EventPayload } from "../../src/events/event.ts";
import { findRun, runStatements } from "../../src/history/runs.ts";
import { newUlid } from "../../src/ids.ts";
import type { JsonObject } from "../../src/json.ts";
import { WAITS } from "../../src/limits.ts";
import { runStub, waitsStub } from "../../src/objects.ts";
import { cancelRun } from "../../src/runs/cancel.ts";
import { listEvents } from "../../src/search/events.ts";
import { anEvent, aRun, bindings, freshEnvironment } from "./records.ts";
import { registerFunctions } from "./registered.ts";

const HOUR = 3_600_000;
/** ms; a busy machine may take its time. */
const PATIENCE = 20_000;
const STOP = "app/stop";

let environmentId = "";

/** What the app answers to a call: operations, or the end. It waits for its `gate` first. */
let answer: () => object[] = () => [];
let gate: Promise<void> = Promise.resolve();
let calls: string[] = [];

async function app(_url: string | URL | Request, init?: RequestInit): Promise<Response> {
  const call = (await new Request("http://app", { ...init, method: "POST" }).json()) as { ctx: { run_id: string } };
  calls.push(call.ctx.run_id);
  const headers = { "x-inngest-sdk": "test:v1.0.0", "x-inngest-req-version": "2", "content-type": "application/json" };
  await gate;
  return Response.json(answer(), { status: 206, headers });
}

const sleep = { id: "s", op: "Sleep", name: "1h", displayName: "s" };
const invoke = {
  id: "c",
  op: "InvokeFunction",
  displayName: "c",
  opts: { function_id: "child", payload: { data: {} } },
};

interface Draft {
  readonly cancelOn?: readonly Partial<CancelListener>[];
  readonly timeouts?: Partial<RunFlow["timeouts"]>;
  readonly data?: JsonObject;
  /** ms from now. */
  readonly delay?: number;
}

function identityOf({ cancelOn = [], timeouts = {}, data = {}, delay = 0 }: Draft): RunIdentity {
  const now = Date.now();
  const trigger = anEvent({ payload: { name: "app/start", data } });
  const listeners = cancelOn.map((one) => ({ event: STOP, condition: null, until: null, ...one }));
  const bounds = { start: null, finish: null, ...timeouts };
  return {
    environmentId,
    runId: newUlid(now),
    app: { id: "app-id", name: "shop" },
    function: { id: "id-of-fn", slug: "fn", name: "Fn", version: 1 },
    retries: 4,
    events: [trigger],
    queuedAt: now,
    startAt: now + delay,
    depth: 0,
    parent: null,
    originalRunId: null,
    flow: { lines: [], priority: 0, priorityError: null, singleton: null, timeouts: bounds, cancelOn: listeners },
  };
}

const stubOf = (runId: string) => runStub(bindings, environmentId, runId);
const statusOf = async (runId: string) => (await stubOf(runId).view())?.row.status;
const causeOf = async (runId: string) => (await stubOf(runId).view())?.row.cancelReason;

async function begin(draft: Draft = {}): Promise<string> {
  const identity = identityOf(draft);
  await stubOf(identity.runId).start(identity);
  return identity.runId;
}

const stopEvent = (payload: Partial<EventPayload> = {}, over = {}) =>
  anEvent({ ...over, payload: { name: STOP, ...payload } }).event;
const offer = (event = stopEvent()) => waitsStub(bindings, environmentId, "event", event.payload.name).offer(event);

async function becomes(runId: string, status: string): Promise<void> {
  await vi.waitFor(async () => expect(await statusOf(runId)).toBe(status), PATIENCE);
}

const listening = () =>
  runInDurableObject(waitsStub(bindings, environmentId, "event", STOP), (_, { storage }) => {
    const tables = storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'waits'").toArray();
    return tables.length === 0 ? 0 : storage.sql.exec<{ n: number }>("SELECT COUNT(*) AS n FROM waits").one().n;
  });

const eventsOf = async (name: string, runId: string) => {
  const filter = { name, receivedAfter: null, receivedBefore: null };
  const { items } = await listEvents(bindings.DB, environmentId, filter, { limit: 100, cursor: null });
  return items.filter(({ event }) => event.payload.data["run_id"] === runId);
};

beforeAll(() => vi.stubGlobal("fetch", app));
beforeEach(async () => {
  environmentId = freshEnvironment();
  answer = () => [sleep];
  gate = Promise.resolve();
  calls = [];
  await registerFunctions(bindings.DB, environmentId, { fn: ["app/start"], child: ["app/never"] });
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe("Run.cancel (CR-1)", () => {
  it("CR-4: a run of the future ends at once; history and its end event say why, once", {
    timeout: 60_000,
  }, async () => {
    const runId = await begin({ delay: HOUR });
    expect(await stubOf(runId).cancel({ by: "api" })).toBe("cancelled");
    expect(await statusOf(runId)).toBe("cancelled");
    expect(await stubOf(runId).cancel({ by: "api" })).toBe("ended");
    // Its end is told again and again until history has it.
    await stubOf(runId).report();
    await vi.waitFor(async () => {
      const row = await findRun(bindings.DB, environmentId, runId);
      expect(row).toMatchObject({ status: "cancelled", cancelReason: { by: "api" } });
    }, PATIENCE);
    const [event, ...others] = await eventsOf("inngest/function.cancelled", runId);
    expect(others).toEqual([]);
    expect(event?.event.payload.data).toMatchObject({
      error: { error: "function cancelled", message: "function cancelled", name: "Error" },
      _inngest: { status: "Cancelled", cause: "api" },
    });
    expect(await eventsOf("inngest/function.finished", runId)).toHaveLength(1);
    expect(calls).toEqual([]);
  });

  it("a run that does not exist is unknown", async () => {
    expect(await stubOf(newUlid(Date.now())).cancel({ by: "api" })).toBe("unknown");
  });

  it("CR-8: a run whose object is gone has ended; one that nobody knows is not found", async () => {
    const gone = aRun(environmentId, { status: "completed" });
    await bindings.DB.batch(runStatements(bindings.DB, [gone]));
    const refusal = (runId: string) =>
      cancelRun(bindings, environmentId, runId, { by: "api" }).catch((error: unknown) =>
        error instanceof MillraceError ? error.code : String(error),
      );
    expect(await refusal(gone.runId)).toBe("run_ended");
    expect(await refusal(newUlid(Date.now()))).toBe("run_not_found");
    expect(await refusal("nonsense")).toBe("run_not_found");
  });

  it("CR-8: a sleeping run is cancelled well within a second", async () => {
    const runId = await begin();
    await vi.waitFor(async () => expect((await stubOf(runId).view())?.jobs[0]?.kind).toBe("sleep"), PATIENCE);
    const began = performance.now();
    expect(await stubOf(runId).cancel({ by: "api" })).toBe("cancelled");
    const took = performance.now() - began;
    console.info(`A sleeping run was cancelled in ${took.toFixed(1)} ms.`);
    expect(took).toBeLessThan(1000);
  });

  it("CR-1, EX-11: an executing call ends first; its reply is discarded, and counted", async () => {
    let open = () => {};
    gate = new Promise((resolve) => {
      open = resolve;
    });
    const runId = await begin();
    await vi.waitFor(() => expect(calls).toEqual([runId]), PATIENCE);
    const discarded = counters.discardedReplies;
    expect(await stubOf(runId).cancel({ by: "user" })).toBe("cancelling");
    expect(await stubOf(runId).cancel({ by: "api" })).toBe("cancelling");
    expect(await statusOf(runId)).toBe("running");
    open();
    await becomes(runId, "cancelled");
    expect(await causeOf(runId)).toEqual({ by: "user" });
    expect(counters.discardedReplies).toBe(discarded + 1);
    expect(await stubOf(runId).actions()).toEqual({});
    expect(calls).toHaveLength(1);
  });

  it("CR-1: a call that was lost with its instance has ended", { timeout: 60_000 }, async () => {
    gate = new Promise(() => {});
    const runId = await begin();
    await vi.waitFor(() => expect(calls).toEqual([runId]), PATIENCE);
    expect(await stubOf(runId).cancel({ by: "api" })).toBe("cancelling");
    await abortAllDurableObjects();
    await runDurableObjectAlarm(stubOf(runId));
    await becomes(runId, "cancelled");
    expect(calls).toHaveLength(1);
  });

  it("EX-67: the next checkpoint of a cancelled run is stale", async () => {
    gate = new Promise(() => {});
    const runId = await begin();
    await vi.waitFor(() => expect(calls).toEqual([runId]), PATIENCE);
    const call = { runId, functionId: null, job: 1, generation: null };
    const step = { label: { name: "a", type: null }, race: false, metadata: [] };
    const checkpoint = (id: string) =>
      stubOf(runId).checkpoint({ ...call, ops: [{ op: "run", id, data: 1, ...step }] });
    expect(await checkpoint("one")).toBe("stored");
    expect(await stubOf(runId).cancel({ by: "api" })).toBe("cancelling");
    expect(await checkpoint("two")).toBe("stale");
    expect(await statusOf(runId)).toBe("cancelled");
    expect(await checkpoint("three")).toBe("stale");
    expect(Object.keys((await stubOf(runId).actions()) ?? {})).toEqual(["one"]);
  });
});

describe("cancelOn", () => {
  it("CR-2: from the moment the start resolves no event is missed", async () => {
    const runId = await begin({ cancelOn: [{}], delay: HOUR });
    const event = stopEvent();
    expect(await offer(event)).toEqual({ matched: 1 });
    await becomes(runId, "cancelled");
    expect(await causeOf(runId)).toEqual({ by: "event", eventId: event.internalId, eventName: STOP });
  });

  it("CR-2: no call is made before the listeners are registered; a failure is the starter's, and is made up for", async () => {
    const register = vi.spyOn(Waits.prototype, "register").mockRejectedValueOnce(new Error("out of reach"));
    const identity = identityOf({ cancelOn: [{}] });
    const refused = await stubOf(identity.runId)
      .start(identity)
      .catch((error: unknown) => String(error));
    expect(refused).toContain("out of reach");
    expect(calls).toEqual([]);
    await stubOf(identity.runId).start(identity);
    expect(register).toHaveBeenCalledTimes(2);
    // The run itself would have looked after it as well.
    await runDurableObjectAlarm(stubOf(identity.runId));
    await vi.waitFor(() => expect(calls).toEqual([identity.runId]), PATIENCE);
    await offer();
    await becomes(identity.runId, "cancelled");
  });

  it.each([
    ["by the index", {}],
    ["by the run, when its trigger is too large for the index", { ballast: "x".repeat(WAITS.boundBytes) }],
  ])("CR-2: only the event that meets the condition cancels, as judged %s", async (_, ballast) => {
    const condition = "event.data.id == async.data.id && async.data.n > 1";
    const runId = await begin({ cancelOn: [{ condition }], data: { id: 7, ...ballast }, delay: HOUR });
    await offer(stopEvent({ data: { id: 8, n: 2 } }));
    await offer(stopEvent({ data: { id: 7, n: 1 } }));
    await scheduler.wait(100);
    expect(await statusOf(runId)).toBe("queued");
    await offer(stopEvent({ data: { id: 7, n: 2 } }));
    await becomes(runId, "cancelled");
  });

  it("CR-3: past its window the event cancels nothing", async () => {
    const runId = await begin({ cancelOn: [{ until: Date.now() + 300 }], delay: HOUR });
    await scheduler.wait(400);
    expect(await offer()).toEqual({ matched: 0 });
    expect(await statusOf(runId)).toBe("queued");
  });

  it("CR-2: each of several listeners cancels, and a run that listens twice to one name ends once", async () => {
    const cancelOn = [{ condition: "async.data.a == 1" }, { condition: "async.data.b == 1" }, { event: "app/other" }];
    const [one, two, both] = [
      await begin({ cancelOn, delay: HOUR }),
      await begin({ cancelOn: [{}, { event: "app/second" }], delay: HOUR }),
      await begin({ cancelOn, delay: HOUR }),
    ];
    await offer(stopEvent({ name: "app/second" }));
    await becomes(two, "cancelled");
    expect(await statusOf(one)).toBe("queued");
    await offer(stopEvent({ data: { a: 1, b: 1 } }));
    await becomes(one, "cancelled");
    await becomes(both, "cancelled");
    expect(await causeOf(both)).toMatchObject({ by: "event", eventName: STOP });
  });

  it("BY-5: at its end a run takes its listeners back; each way costs one request per name", async () => {
    await offer();
    answer = () => [{ id: "s", op: "StepPlanned", displayName: "s" }];
    const cancelOn = [{ condition: "async.data.a == 1" }, { condition: "async.data.b == 1" }];
    const register = vi.spyOn(Waits.prototype, "register");
    const forget = vi.spyOn(Waits.prototype, "forget");
    const runId = await begin({ cancelOn, delay: HOUR });
    expect(await listening()).toBe(2);
    expect(register).toHaveBeenCalledTimes(2);
    await stubOf(runId).cancel({ by: "api" });
    await vi.waitFor(async () => expect(await listening()).toBe(0), PATIENCE);
    expect(forget).toHaveBeenCalledTimes(1);
  });

  it("a run whose app has answered does not register again, one that never called does", async () => {
    const answered = await begin({ cancelOn: [{}] });
    await vi.waitFor(async () => expect((await stubOf(answered).view())?.jobs[0]?.kind).toBe("sleep"), PATIENCE);
    const waiting = await begin({ cancelOn: [{}], delay: HOUR });
    const register = vi.spyOn(Waits.prototype, "register");
    for (const runId of [answered, waiting]) await evictDurableObject(stubOf(runId));
    await stubOf(answered).start(identityOf({}));
    expect(register).not.toHaveBeenCalled();
    await stubOf(waiting).start(identityOf({}));
    expect(register).toHaveBeenCalledTimes(1);
    expect(await listening()).toBe(2);
    await offer();
    await becomes(answered, "cancelled");
    await becomes(waiting, "cancelled");
  });
});

describe("time-outs", () => {
  it("CR-6: the alarm comes for the finish time-out of a sleeping run", { timeout: 60_000 }, async () => {
    const runId = await begin({ timeouts: { finish: 1000 } });
    const began = Date.now();
    await becomes(runId, "cancelled");
    expect(await causeOf(runId)).toEqual({ by: "finish_timeout" });
    expect(Date.now() - began).toBeGreaterThan(900);
  });

  it("CR-7: a call under way at that moment ends first", { timeout: 60_000 }, async () => {
    gate = scheduler.wait(2500);
    const runId = await begin({ timeouts: { finish: 500 } });
    await scheduler.wait(1500);
    expect(await statusOf(runId)).toBe("running");
    await becomes(runId, "cancelled");
    expect(await stubOf(runId).actions()).toEqual({});
  });
});

describe("EX-54: children", () => {
  async function family(): Promise<{ parent: string; child: string }> {
    answer = () => (calls.length === 1 ? [invoke] : [sleep]);
    const parent = await begin();
    await vi.waitFor(() => expect(calls).toHaveLength(2), PATIENCE);
    const child = calls[1] ?? "";
    await vi.waitFor(async () => expect((await stubOf(child).view())?.jobs[0]?.kind).toBe("sleep"), PATIENCE);
    return { parent, child };
  }

  it("EX-54: cancelling the caller leaves the callee alone", async () => {
    const { parent, child } = await family();
    expect(await stubOf(parent).cancel({ by: "api" })).toBe("cancelled");
    await scheduler.wait(200);
    expect(await statusOf(child)).toBe("running");
  });

  it("API-11, CR-12: when asked for both are cancelled when the reply comes, and the child says why", async () => {
    const { parent, child } = await family();
    expect(await stubOf(parent).cancel({ by: "api", children: true })).toBe("cancelled");
    expect(await statusOf(child)).toBe("cancelled");
    expect(await causeOf(child)).toEqual({ by: "parent", runId: parent, children: true });
  });
});
