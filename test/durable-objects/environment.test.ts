import {
  createMessageBatch,
  evictDurableObject,
  listDurableObjectIds,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { Bindings } from "../../src/bindings.ts";
import { acceptEvents } from "../../src/events/accept.ts";
import { chunksOf } from "../../src/events/chunk.ts";
import type { AcceptedEvent } from "../../src/events/event.ts";
import { consumeFanout, type FanoutMessage } from "../../src/events/fanout.ts";
import { ingest } from "../../src/events/ingest.ts";
import { findEvent, storeEvents } from "../../src/history/events.ts";
import { newUlid, runIdFor } from "../../src/ids.ts";
import { FANOUT } from "../../src/limits.ts";
import { environmentStub, eventIdStub, runStub } from "../../src/objects.ts";
import { muteApps, registerFunctions } from "./registered.ts";

// The plugin binds what wrangler.toml declares, which is what Bindings describes.
const bindings = env as unknown as Bindings;

let environments = 0;
/** An environment of its own for each test, with functions `one` on app/a and `two` on app/a and app/b. */
async function freshEnvironment(): Promise<string> {
  const environmentId = `env-${environments++}`;
  await registerFunctions(bindings.DB, environmentId, { one: ["app/a"], two: ["app/a", "app/b"] });
  return environmentId;
}

type Send = (messages: { body: FanoutMessage }[]) => Promise<void>;

/** Replaces the queue of an environment's object: a fault of the platform that cannot be caused otherwise. */
async function replaceQueue(environmentId: string, sendBatch: Send): Promise<void> {
  await runInDurableObject(environmentStub(bindings, environmentId), (instance) => {
    Reflect.set(instance, "env", { ...bindings, FANOUT: { sendBatch } });
  });
}

const losing: Send = async () => {};
const refusing: Send = async () => {
  throw new Error("the queue is down");
};

const alarmOf = (environmentId: string) =>
  runInDurableObject(environmentStub(bindings, environmentId), (_, state) => state.storage.getAlarm());

function events(count: number, name = "app/a", extra: object = {}): AcceptedEvent[] {
  const body = Array.from({ length: count }, () => ({ name, ...extra }));
  return acceptEvents(JSON.stringify(body), new Headers(), { now: Date.now(), maxEventBytes: 1024 });
}

/** Which of the events have a run of the function. */
async function started(environmentId: string, slug: string, sent: readonly AcceptedEvent[]): Promise<boolean[]> {
  return await Promise.all(
    sent.map(async ({ internalId }) => {
      const runId = await runIdFor(environmentId, `id-of-${slug}`, internalId);
      return (await runStub(bindings, environmentId, runId).view()) !== null;
    }),
  );
}

const all = (count: number) => Array(count).fill(true);

beforeAll(muteApps);

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("Environment", () => {
  it("EV-8: keeps every chunk until it is done, whatever becomes of the messages", async () => {
    const environmentId = await freshEnvironment();
    const environment = environmentStub(bindings, environmentId);
    await replaceQueue(environmentId, losing);
    const chunks = await chunksOf(Array.from({ length: 120 }, (_, i) => `event-${i}`));
    await environment.register(chunks);
    await environment.register(chunks);
    expect(await environment.pending()).toBe(3);
    await evictDurableObject(environment);
    expect(await environment.pending()).toBe(3);
    for (const { id } of chunks) await environment.done(id);
    await environment.done("never heard of");
    expect(await environment.pending()).toBe(0);
  });

  it("EV-8: a queue that takes nothing does not fail the registration", async () => {
    const environmentId = await freshEnvironment();
    const complaint = vi.spyOn(console, "error").mockImplementation(() => {});
    await replaceQueue(environmentId, refusing);
    await environmentStub(bindings, environmentId).register(await chunksOf(["a"]));
    expect(await environmentStub(bindings, environmentId).pending()).toBe(1);
    expect(complaint).toHaveBeenCalledWith(expect.any(String), "the queue is down");
  });

  it("sends what is not done again when it is due, ever more rarely, and rests when all is done", async () => {
    const environmentId = await freshEnvironment();
    const environment = environmentStub(bindings, environmentId);
    const sent: FanoutMessage[] = [];
    await replaceQueue(environmentId, async (messages) => void sent.push(...messages.map(({ body }) => body)));
    const [chunk] = await chunksOf(["a", "b"]);
    if (chunk === undefined) throw new Error("two events make a chunk");
    const message = { environmentId, chunkId: chunk.id, eventIds: ["a", "b"] };
    const registered = Date.now();
    await environment.register([chunk]);
    expect(sent).toEqual([message]);
    expect(await alarmOf(environmentId)).toBeGreaterThanOrEqual(registered + FANOUT.retry);

    // An alarm that comes early sends nothing and is set again.
    await runDurableObjectAlarm(environment);
    expect(sent).toHaveLength(1);
    expect(await alarmOf(environmentId)).toBeGreaterThanOrEqual(registered + FANOUT.retry);

    const due = Date.now() + FANOUT.retry;
    vi.useFakeTimers({ toFake: ["Date"], now: due });
    await runDurableObjectAlarm(environment);
    expect(sent).toEqual([message, { ...message, attempt: 1 }]);
    expect(await alarmOf(environmentId)).toBe(due + 2 * FANOUT.retry);

    await environment.done(chunk.id);
    vi.setSystemTime(due + 2 * FANOUT.retry);
    await runDurableObjectAlarm(environment);
    expect(sent).toHaveLength(2);
    expect(await alarmOf(environmentId)).toBeNull();
  });

  it("I4: the alarm never throws and is always set again", async () => {
    const environmentId = await freshEnvironment();
    const environment = environmentStub(bindings, environmentId);
    vi.spyOn(console, "error").mockImplementation(() => {});
    await replaceQueue(environmentId, refusing);
    await environment.register(await chunksOf(["a"]));
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + FANOUT.retry });
    for (let i = 0; i < 8; i++) {
      expect(await runDurableObjectAlarm(environment)).toBe(true);
      const alarm = await alarmOf(environmentId);
      expect(alarm).toBeGreaterThan(Date.now());
      vi.setSystemTime(alarm ?? 0);
    }
    // Also when the storage itself misbehaves.
    await runInDurableObject(environment, (_, { storage }) =>
      storage.sql.exec("ALTER TABLE chunks RENAME due TO gone"),
    );
    expect(await runDurableObjectAlarm(environment)).toBe(true);
    expect(await alarmOf(environmentId)).toBe(Date.now() + FANOUT.retry);
  });

  it("I4: the sweep sets an alarm that the platform gave up", async () => {
    const environmentId = await freshEnvironment();
    const environment = environmentStub(bindings, environmentId);
    await environment.sweep();
    expect(await alarmOf(environmentId)).toBeNull();
    await replaceQueue(environmentId, losing);
    await environment.register(await chunksOf(["a"]));
    await runInDurableObject(environment, (_, { storage }) => storage.deleteAlarm());
    await environment.sweep();
    expect(await alarmOf(environmentId)).toBeGreaterThan(Date.now());
  });
});

describe("the fan-out of a large send", () => {
  it("EV-8, TR-1: every run of every function starts, and nothing stays pending", async () => {
    const environmentId = await freshEnvironment();
    const sent = events(FANOUT.chunk + 10);
    await ingest(bindings, environmentId, sent, Date.now());
    await vi.waitFor(async () => expect(await environmentStub(bindings, environmentId).pending()).toBe(0), {
      timeout: 20_000,
      interval: 100,
    });
    expect(await started(environmentId, "one", sent)).toEqual(all(sent.length));
    expect(await started(environmentId, "two", sent)).toEqual(all(sent.length));
  });

  it("EV-8: a send whose messages are all lost is fanned out by the alarm of a restarted object", async () => {
    const environmentId = await freshEnvironment();
    const environment = environmentStub(bindings, environmentId);
    await replaceQueue(environmentId, losing);
    const sent = events(FANOUT.inline + 1, "app/b");
    await ingest(bindings, environmentId, sent, Date.now());
    expect(await started(environmentId, "two", sent)).not.toContain(true);
    expect(await findEvent(bindings.DB, environmentId, sent[0]?.internalId ?? "")).toMatchObject({ routed: false });
    await evictDurableObject(environment);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + FANOUT.retry });
    await runDurableObjectAlarm(environment);
    await vi.waitFor(async () => expect(await environment.pending()).toBe(0), { timeout: 20_000, interval: 100 });
    expect(await started(environmentId, "two", sent)).toEqual(all(sent.length));
  });

  it("EV-8: a send that fails half-way is fanned out instead, with the same runs", async () => {
    const environmentId = await freshEnvironment();
    vi.spyOn(console, "error").mockImplementation(() => {});
    const sent = events(4);
    const [broken] = sent;
    const brokenRun = await runIdFor(environmentId, "id-of-one", broken?.internalId ?? "");
    let failures = 0;
    const RUN = {
      getByName: (name: string) => {
        if (!name.endsWith(brokenRun)) return bindings.RUN.getByName(name);
        failures++;
        return { start: () => Promise.reject(new Error("overloaded")) };
      },
    };
    await ingest({ ...bindings, RUN: RUN as unknown as Bindings["RUN"] }, environmentId, sent, Date.now());
    expect(failures).toBe(1);
    const environment = environmentStub(bindings, environmentId);
    await vi.waitFor(async () => expect(await environment.pending()).toBe(0), { timeout: 20_000, interval: 100 });
    expect(await started(environmentId, "one", sent)).toEqual(all(4));
    expect(await started(environmentId, "two", sent)).toEqual(all(4));
  });

  it("I2: a message delivered several times, also at once, starts each run once", async () => {
    const environmentId = await freshEnvironment();
    const sent = [...events(3), ...events(1, "app/none")];
    const routed = sent.map((event) => ({ event, outcomes: [], duplicate: false }));
    await storeEvents(bindings.DB, environmentId, routed, { routed: false });
    const before = (await listDurableObjectIds(bindings.RUN)).length;
    const body: FanoutMessage = { environmentId, chunkId: "chunk", eventIds: sent.map(({ internalId }) => internalId) };
    const message = (id: string) => ({ id, timestamp: Date.now(), attempts: 1, body });
    const deliver = () => consumeFanout(createMessageBatch("millrace-fanout", [message("1"), message("2")]), bindings);
    await Promise.all([deliver(), deliver()]);
    await deliver();
    expect((await listDurableObjectIds(bindings.RUN)).length - before).toBe(6);
    expect(await findEvent(bindings.DB, environmentId, sent[3]?.internalId ?? "")).toMatchObject({
      routed: true,
      outcomes: [],
    });
  });

  it("EV-15: of two events with one id, in different chunks of a send, the first one acts", async () => {
    const environmentId = await freshEnvironment();
    const [first] = events(1, "app/a", { id: "x1" });
    const [second] = events(1, "app/b", { id: "x1" });
    if (first === undefined || second === undefined) throw new Error("each send has an event");
    await ingest(bindings, environmentId, [first, ...events(FANOUT.chunk + 10), second], Date.now());
    const environment = environmentStub(bindings, environmentId);
    await vi.waitFor(async () => expect(await environment.pending()).toBe(0), { timeout: 20_000, interval: 100 });
    expect(await started(environmentId, "one", [first])).toEqual([true]);
    expect(await started(environmentId, "two", [first, second])).toEqual([true, false]);
    expect(await findEvent(bindings.DB, environmentId, second.internalId)).toMatchObject({
      duplicate: true,
      outcomes: [{ functionSlug: "two", outcome: "skipped", reason: "duplicate_event" }],
    });
    const window = eventIdStub(bindings, environmentId, "x1");
    expect(await window.claim(first.internalId)).toEqual({ standing: "owner", settled: true });
  });

  it("EV-15: in a send whose fan-out is still to come, the second event with an id is a duplicate already", async () => {
    const environmentId = await freshEnvironment();
    await replaceQueue(environmentId, losing);
    const sent = [...events(2, "app/b", { id: "x1" }), ...events(FANOUT.inline, "app/b")];
    await ingest(bindings, environmentId, sent, Date.now());
    const states = await Promise.all(
      sent.slice(0, 3).map(({ internalId }) => findEvent(bindings.DB, environmentId, internalId)),
    );
    expect(states).toMatchObject([
      { routed: false, duplicate: false },
      { routed: true, duplicate: true },
      { routed: false, duplicate: false },
    ]);
  });

  it("a message nobody understands is dropped, and said so", async () => {
    const complaint = vi.spyOn(console, "error").mockImplementation(() => {});
    const message = { id: newUlid(Date.now()), timestamp: Date.now(), attempts: 1, body: { chunk: 1 } };
    await consumeFanout(createMessageBatch("millrace-fanout", [message]), bindings);
    expect(complaint).toHaveBeenCalledWith(expect.stringContaining(message.id));
  });
});
