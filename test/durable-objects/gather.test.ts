import { createMessageBatch, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { FunctionConfiguration } from "../../src/apps/function.ts";
import { acceptEvents } from "../../src/events/accept.ts";
import { chunksOf } from "../../src/events/chunk.ts";
import type { AcceptedEvent } from "../../src/events/event.ts";
import { consumeFanout } from "../../src/events/fanout.ts";
import { ingest } from "../../src/events/ingest.ts";
import { findEvent } from "../../src/history/events.ts";
import { runIdFor } from "../../src/ids.ts";
import { FANOUT, GATHER } from "../../src/limits.ts";
import { environmentStub } from "../../src/objects.ts";
import { muteApps, registerFunctions } from "./registered.ts";
import { bindings, eventsOf, membersOf, windowOf } from "./window/gathered.ts";

const MINUTE = 60_000;
const BATCH = { maxSize: 100, timeout: MINUTE, key: null, condition: null };

let environments = 0;
/** An environment of its own with functions on app/a that have these options: `fn`, and those that are named besides. */
async function freshEnvironment(options: Partial<FunctionConfiguration>, others: readonly string[] = []) {
  const environmentId = `env-gather-${environments++}`;
  const on = Object.fromEntries(["fn", ...others].map((slug) => [slug, ["app/a"]]));
  await registerFunctions(bindings.DB, environmentId, on, options);
  // A queue that loses every message: chunks are handed over by the test.
  await runInDurableObject(environmentStub(bindings, environmentId), (instance) => {
    Reflect.set(instance, "env", { ...bindings, FANOUT: { sendBatch: async () => {} } });
  });
  return environmentId;
}

function events(count: number, draft: (n: number) => object = () => ({})): AcceptedEvent[] {
  const body = Array.from({ length: count }, (_, n) => ({ name: "app/a", data: { n }, ...draft(n) }));
  return acceptEvents(JSON.stringify(body), new Headers(), { now: Date.now(), maxEventBytes: 1024 });
}

/** The stored event, as it is at this moment. */
async function stored(environmentId: string, { internalId }: AcceptedEvent) {
  const event = await findEvent(bindings.DB, environmentId, internalId);
  if (event === null) throw new Error(`event ${internalId} is not stored`);
  return event;
}

/** The run that the window of an event starts, by the event's outcome. */
async function runOf(environmentId: string, event: AcceptedEvent): Promise<string> {
  const [outcome] = (await stored(environmentId, event)).outcomes;
  if (outcome === undefined || !("runId" in outcome)) throw new Error("the event has no run");
  return outcome.runId ?? "";
}

/** Consumes the chunks of a send, last one first. */
async function fanOut(environmentId: string, sent: readonly AcceptedEvent[]): Promise<void> {
  const chunks = await chunksOf(sent.map(({ internalId }) => internalId));
  for (const { id, eventIds } of chunks.reverse()) {
    const body = { environmentId, chunkId: id, eventIds };
    const message = { id, timestamp: new Date(), attempts: 1, body };
    await consumeFanout(createMessageBatch("millrace-fanout", [message]), bindings);
  }
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const pending = (environmentId: string) => environmentStub(bindings, environmentId).pending();

beforeAll(muteApps);

afterEach(() => {
  vi.restoreAllMocks();
});

describe("a send that gathers", () => {
  it("FC-32, EV-12: 250 events form three batches in their order, and are stored with outcomes before the reply", async () => {
    const environmentId = await freshEnvironment({ batchEvents: BATCH });
    const sent = events(250);
    await ingest(bindings, environmentId, sent, Date.now());
    expect(await pending(environmentId)).toBe(0);
    const [first, last] = [sent[0], sent[249]];
    if (first === undefined || last === undefined) throw new Error("250 were sent");
    const runId = await runIdFor(environmentId, "id-of-fn", first.internalId);
    const outcome = { functionId: "id-of-fn", functionSlug: "fn", outcome: "batched", runId };
    expect(await stored(environmentId, first)).toMatchObject({ routed: true, outcomes: [outcome] });
    expect(await membersOf(environmentId, runId)).toEqual(range(0, 100));
    expect(await (await windowOf(environmentId, "batch")).openWindow()).toMatchObject({
      events: 50,
      runId: await runOf(environmentId, last),
    });
  });

  it("EV-7, FC-36: sent again, all of it stays what it is", async () => {
    const environmentId = await freshEnvironment({ batchEvents: BATCH });
    const sent = events(120);
    await ingest(bindings, environmentId, sent, Date.now());
    await ingest(bindings, environmentId, sent, Date.now());
    expect(await (await windowOf(environmentId, "batch")).openWindow()).toMatchObject({ events: 20 });
  });

  it("FC-36: with a sender's id each, the batches form at once in order; the ids are claimed by the fan-out", async () => {
    const environmentId = await freshEnvironment({ batchEvents: { ...BATCH, maxSize: 30 } });
    const sent = events(FANOUT.inline + 3, (n) => ({ id: `id-${n}` }));
    await ingest(bindings, environmentId, sent, Date.now());
    const runId = await runIdFor(environmentId, "id-of-fn", sent[0]?.internalId ?? "");
    expect(await membersOf(environmentId, runId)).toEqual(range(0, 30));
    expect(await pending(environmentId)).toBeGreaterThan(0);
    const before = await Promise.all(sent.map((event) => stored(environmentId, event)));
    expect(before.every(({ routed, outcomes }) => !routed && outcomes.length === 1)).toBe(true);
    await fanOut(environmentId, sent);
    expect(await pending(environmentId)).toBe(0);
    const after = await Promise.all(sent.map((event) => stored(environmentId, event)));
    expect(after.map(({ outcomes }) => outcomes)).toEqual(before.map(({ outcomes }) => outcomes));
    expect(after.every(({ routed }) => routed)).toBe(true);
    expect(await (await windowOf(environmentId, "batch")).openWindow()).toMatchObject({ events: FANOUT.inline - 27 });
  });

  it("EV-17: an event that repeats an id joins like any other", async () => {
    const environmentId = await freshEnvironment({ batchEvents: { ...BATCH, maxSize: 3 } });
    const sent = events(2, () => ({ id: "same" }));
    await ingest(bindings, environmentId, sent, Date.now());
    const [third] = events(1, () => ({ id: "same", data: { n: 2 } }));
    if (third === undefined) throw new Error("one was asked for");
    await ingest(bindings, environmentId, [third], Date.now());
    expect(await membersOf(environmentId, await runOf(environmentId, third))).toEqual([0, 1, 2]);
    expect(await stored(environmentId, third)).toMatchObject({ duplicate: true, outcomes: [{ outcome: "batched" }] });
  });

  it("FC-35: an event whose condition is not true starts alone at once", async () => {
    const environmentId = await freshEnvironment({ batchEvents: { ...BATCH, condition: "event.data.urgent != true" } });
    const sent = events(3, (n) => ({ data: { n, urgent: n === 1 } }));
    await ingest(bindings, environmentId, sent, Date.now());
    const urgent = await runIdFor(environmentId, "id-of-fn", sent[1]?.internalId ?? "");
    expect(await membersOf(environmentId, urgent)).toEqual([1]);
    expect(await (await windowOf(environmentId, "batch")).openWindow()).toMatchObject({ events: 2 });
  });

  it("FC-24: debounced and batched by two functions, an event has both outcomes", async () => {
    const environmentId = await freshEnvironment({ debounce: { period: MINUTE, timeout: null, key: "event.data.k" } }, [
      "other",
    ]);
    const sent = events(2, (n) => ({ data: { n, ...(n === 0 ? {} : { k: "x" }) } }));
    await ingest(bindings, environmentId, sent, Date.now());
    const [first, second] = await Promise.all(sent.map((event) => stored(environmentId, event)));
    const warnings = [{ option: "debounce.key", reason: "the result was missing" }];
    expect(first?.outcomes).toMatchObject([
      { functionSlug: "fn", outcome: "debounced", warnings },
      { functionSlug: "other", outcome: "debounced", warnings },
    ]);
    expect(second?.outcomes.every((outcome) => !("warnings" in outcome))).toBe(true);
    expect(await (await windowOf(environmentId, "debounce", "x")).openWindow()).toMatchObject({ events: 1 });
  });

  it("EV-8: when a window cannot be reached the send is accepted all the same, and joins later", async () => {
    const environmentId = await freshEnvironment({ batchEvents: { ...BATCH, key: "event.data.k" } });
    vi.spyOn(console, "error").mockImplementation(() => {});
    const window = await windowOf(environmentId, "batch", "bad");
    await runInDurableObject(window, (_, { storage }) => storage.sql.exec("CREATE TABLE members (spoilt)"));
    const sent = events(4, (n) => ({ data: { n, k: n % 2 === 0 ? "bad" : "good" } }));
    await ingest(bindings, environmentId, sent, Date.now());
    expect(await (await windowOf(environmentId, "batch", "good")).openWindow()).toMatchObject({ events: 2 });
    expect(await pending(environmentId)).toBe(1);
    await runInDurableObject(window, (_, { storage }) => storage.sql.exec("DROP TABLE members"));
    const waiting = await Promise.all(sent.map((event) => stored(environmentId, event)));
    await fanOut(
      environmentId,
      waiting.filter(({ routed }) => !routed).map(({ event }) => event),
    );
    expect(await pending(environmentId)).toBe(0);
    expect(await window.openWindow()).toMatchObject({ events: 2 });
    expect(await (await windowOf(environmentId, "batch", "good")).openWindow()).toMatchObject({ events: 2 });
  });

  it("more windows than a request joins itself are left to the fan-out, and batches have their events in order", {
    timeout: 30_000,
  }, async () => {
    const environmentId = await freshEnvironment({ batchEvents: { ...BATCH, key: "event.data.k" } });
    const keys = GATHER.groups + 1;
    const sent = events(2 * keys, (n) => ({ data: { n, k: n % keys } }));
    await ingest(bindings, environmentId, sent, Date.now());
    expect(await pending(environmentId)).toBe(Math.ceil((2 * keys) / FANOUT.chunk));
    await fanOut(environmentId, sent);
    const window = await windowOf(environmentId, "batch", "7");
    const runId = (await window.closeWindow()) ?? "";
    expect(await membersOf(environmentId, runId)).toEqual([7, keys + 7]);
  });

  it("the events of a gathered run are stored by their senders, not by the run", async () => {
    const environmentId = await freshEnvironment({ batchEvents: { ...BATCH, maxSize: 2 } });
    const sent = events(2);
    await ingest(bindings, environmentId, sent, Date.now());
    const [first] = sent;
    if (first === undefined) throw new Error("two were sent");
    const runId = await runOf(environmentId, first);
    await membersOf(environmentId, runId);
    expect(await eventsOf(environmentId, runId)).toHaveLength(2);
    const report = await bindings.RUN.getByName(`${environmentId}:${runId}`).report();
    expect(report?.events).toEqual([]);
    expect(report?.run.eventIds).toEqual(sent.map(({ internalId }) => internalId));
  });
});
