import { exports } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { Waits } from "../../durable-objects/waits.ts";
import { LOCAL } from "../../src/environments/environment.ts";
import { acceptEvents } from "../../src/events/accept.ts";
import type { AcceptedEvent } from "../../src/events/event.ts";
import { ingest } from "../../src/events/ingest.ts";
import { publish } from "../../src/events/publish.ts";
import { findEvent } from "../../src/history/events.ts";
import { runIdFor } from "../../src/ids.ts";
import type { Json } from "../../src/json.ts";
import { FANOUT, WAITS } from "../../src/limits.ts";
import { environmentStub, runStub, waitsStub } from "../../src/objects.ts";
import { anEvent, bindings } from "./records.ts";
import { registerFunctions } from "./registered.ts";

// The Worker itself; the plugin types exports only for projects that generate their types.
const worker = (exports as unknown as { default: Fetcher }).default;

/** Sends events as an app would; gives their internal ids. */
async function send(...events: object[]): Promise<string[]> {
  const reply = await worker.fetch(
    new Request("http://engine/e/key", { method: "POST", body: JSON.stringify(events) }),
  );
  const { ids } = (await reply.json()) as { ids: string[] };
  expect(ids).toHaveLength(events.length);
  return ids;
}

interface Step {
  readonly id: string;
  readonly event: string;
  readonly if?: string;
  readonly timeout?: string;
}

/** An app with one function: it waits as its trigger event's `waits` say, one after the other, and returns what it got. */
async function app(_url: string | URL | Request, init?: RequestInit): Promise<Response> {
  const call = (await new Request("http://app", { ...init, method: "POST" }).json()) as {
    event: { data: { waits: Step[] } };
    steps: Record<string, Json>;
  };
  const headers = { "x-inngest-sdk": "test:v1.0.0", "x-inngest-req-version": "2", "content-type": "application/json" };
  const { waits } = call.event.data;
  const next = waits.find(({ id }) => !(id in call.steps));
  if (next === undefined)
    return Response.json(
      waits.map(({ id }) => call.steps[id] ?? null),
      { headers },
    );
  const { id, event, timeout = "1h" } = next;
  const opts = { event, timeout, ...(next.if === undefined ? {} : { if: next.if }) };
  return Response.json([{ id, op: "WaitForEvent", name: event, displayName: id, opts }], { status: 206, headers });
}

/** Starts a run of the function and resolves with its id once its first wait is registered. */
async function startRun(waits: Step[], data: object = {}): Promise<string> {
  const registered = vi.spyOn(Waits.prototype, "register");
  const [id = ""] = await send({ name: "app/start", data: { ...data, waits } });
  await vi.waitFor(() => expect(registered).toHaveBeenCalled());
  await Promise.all(registered.mock.settledResults.map(({ value }) => value));
  await scheduler.wait(20);
  registered.mockRestore();
  return await runIdFor(LOCAL.id, "id-of-waiter", id);
}

const runOf = async (runId: string) => (await runStub(bindings, LOCAL.id, runId).view())?.row;

async function output(runId: string): Promise<Json> {
  await vi.waitFor(async () => expect((await runOf(runId))?.status).toBe("completed"), 10_000);
  return (await runOf(runId))?.output ?? null;
}

let names = 0;
/** An event name nobody used before. */
const freshName = () => `app/name-${names++}`;

beforeAll(async () => {
  vi.stubGlobal("fetch", app);
  await registerFunctions(bindings.DB, LOCAL.id, { waiter: ["app/start"] });
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("a run that waits", () => {
  it("EX-41, EX-43: resolves with the whole event that matched first", async () => {
    const name = freshName();
    const condition = "event.data.userId == async.data.userId && async.data.plan == 'pro'";
    const runId = await startRun([{ id: "w", event: name, if: condition }], { userId: 7 });
    await send({ name, data: { userId: 8, plan: "pro" } }, { name, data: { userId: 7, plan: "free" } });
    await scheduler.wait(50);
    expect((await runOf(runId))?.status).toBe("running");
    const [id] = await send({ name, data: { userId: 7, plan: "pro" } });
    await send({ name, data: { userId: 7, plan: "pro", late: true } });
    expect(await output(runId)).toEqual([
      { name, data: { userId: 7, plan: "pro" }, id, ts: expect.any(Number), user: {} },
    ]);
  });

  it("EX-43: also when its trigger event is too large for the index", async () => {
    const name = freshName();
    const steps = [
      { id: "w", event: name, if: "event.data.userId == async.data.userId && async.data.n > event.data.n" },
    ];
    const runId = await startRun(steps, { userId: 7, n: 1, ballast: "x".repeat(WAITS.boundBytes) });
    await send({ name, data: { userId: 7, n: 1 } });
    await send({ name, data: { userId: 7, n: 2 } });
    expect(await output(runId)).toMatchObject([{ data: { n: 2 } }]);
  });

  it("EX-45: one event resolves one of two waits in sequence", async () => {
    const name = freshName();
    const runId = await startRun([
      { id: "one", event: name },
      { id: "two", event: name },
    ]);
    const [first] = await send({ name });
    await vi.waitFor(async () => {
      const view = await runStub(bindings, LOCAL.id, runId).view();
      expect(view?.jobs.map(({ step }) => step)).toEqual(["two"]);
    });
    await scheduler.wait(50);
    expect((await runOf(runId))?.status).toBe("running");
    const [second] = await send({ name });
    expect(await output(runId)).toMatchObject([{ id: first }, { id: second }]);
  });

  it("CR-35: sees the end of another run", async () => {
    const other = await startRun([{ id: "w", event: freshName(), timeout: "1s" }]);
    const runId = await startRun([
      { id: "f", event: "inngest/function.finished", if: `async.data.run_id == '${other}'` },
    ]);
    expect(await output(other)).toEqual([null]);
    expect(await output(runId)).toMatchObject([{ name: "inngest/function.finished", data: { run_id: other } }]);
  });
});

describe("publishing", () => {
  let environmentId = "";
  let environments = 0;
  let offered: string[] = [];

  beforeEach(async () => {
    environmentId = `env-offer-${environments++}`;
    await registerFunctions(bindings.DB, environmentId, { waiter: ["app/start"] });
    offered = [];
    const offer = Waits.prototype.offer;
    vi.spyOn(Waits.prototype, "offer").mockImplementation(async function (this: Waits, event) {
      offered.push(event.internalId);
      return await offer.call(this, event);
    });
  });

  async function makeAwaited(name: string): Promise<void> {
    const since = Date.now();
    const wait = { runId: "run", stepId: "s", since, expiresAt: since + 3_600_000, event: null, triggers: [] };
    await waitsStub(bindings, environmentId, "event", name).register({
      ...wait,
      expression: "async.data.never == true",
    });
  }

  const accept = (...events: object[]): AcceptedEvent[] =>
    acceptEvents(JSON.stringify(events), new Headers(), { now: Date.now(), maxEventBytes: 1_000_000 });

  const ids = (events: readonly AcceptedEvent[]) => events.map(({ internalId }) => internalId);

  it("an event whose name nobody awaits asks no object, one that is awaited asks one", async () => {
    await makeAwaited("app/awaited");
    await ingest(bindings, environmentId, accept({ name: "app/other" }, { name: "app/awaited.not" }), Date.now());
    expect(offered).toEqual([]);
    const events = accept({ name: "app/awaited" });
    await ingest(bindings, environmentId, events, Date.now());
    expect(offered).toEqual(ids(events));
  });

  it("EV-15, EV-11: duplicates and events of the future are offered too", async () => {
    await makeAwaited("app/awaited");
    const id = crypto.randomUUID();
    const together = accept({ name: "app/awaited", id }, { name: "app/awaited", id });
    await ingest(bindings, environmentId, together, Date.now());
    const others = accept({ name: "app/awaited", id }, { name: "app/awaited", ts: Date.now() + 3_600_000 });
    await ingest(bindings, environmentId, others, Date.now());
    expect(offered.toSorted()).toEqual(ids([...together, ...others]).toSorted());
    expect((await findEvent(bindings.DB, environmentId, together[1]?.internalId ?? ""))?.duplicate).toBe(true);
  });

  it("CR-35: so are system events", async () => {
    await makeAwaited("inngest/function.finished");
    const { event } = anEvent({ source: "engine", payload: { name: "inngest/function.finished" } });
    await publish(bindings, environmentId, [event], Date.now());
    expect(offered).toEqual([event.internalId]);
  });

  it("EV-8: a large send is offered by the fan-out, repetitions of an id included", async () => {
    await makeAwaited("app/awaited");
    const id = crypto.randomUUID();
    const events = accept(
      ...Array.from({ length: FANOUT.inline + 10 }, () => ({ name: "app/awaited" })),
      {
        name: "app/awaited",
        id,
      },
      { name: "app/awaited", id },
    );
    await ingest(bindings, environmentId, events, Date.now());
    await vi.waitFor(async () => expect(await environmentStub(bindings, environmentId).pending()).toBe(0), 10_000);
    expect(offered.toSorted()).toEqual(ids(events).toSorted());
    expect((await findEvent(bindings.DB, environmentId, events.at(-1)?.internalId ?? ""))?.duplicate).toBe(true);
    expect((await findEvent(bindings.DB, environmentId, events.at(-2)?.internalId ?? ""))?.duplicate).toBe(false);
  });

  it("I1: an offer that fails is repeated until it succeeds, and keeps no run from starting", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    await makeAwaited("app/start");
    vi.spyOn(Waits.prototype, "offer").mockRejectedValueOnce(new Error("partition"));
    const events = accept({ name: "app/start", data: { waits: [] } });
    await ingest(bindings, environmentId, events, Date.now());
    const runId = await runIdFor(environmentId, "id-of-waiter", events[0]?.internalId ?? "");
    expect(await runStub(bindings, environmentId, runId).view()).not.toBeNull();
    await vi.waitFor(() => expect(Waits.prototype.offer).toHaveBeenCalledTimes(2), 10_000);
  });
});
