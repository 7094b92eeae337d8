/**
 * The gates of a start within the engine: order, repetition, failures (FC-8, FC-19 … FC-21, FC-37, FC-38, FC-43).
 */
import { createMessageBatch } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { Run } from "../../durable-objects/run.ts";
import type { FunctionConfiguration } from "../../src/apps/function.ts";
import { pauseFunction, resumeFunction } from "../../src/apps/pauses.ts";
import type { Bindings } from "../../src/bindings.ts";
import type { AcceptedEvent, EventOutcome, RoutedEvent } from "../../src/events/event.ts";
import { consumeFanout } from "../../src/events/fanout.ts";
import { ingest } from "../../src/events/ingest.ts";
import { type Published, publish } from "../../src/events/publish.ts";
import { type Candidate, startGatheredRun } from "../../src/events/start.ts";
import { findEvent, storeEvents } from "../../src/history/events.ts";
import { findRun } from "../../src/history/runs.ts";
import { newUlid, runIdFor } from "../../src/ids.ts";
import type { JsonObject } from "../../src/json.ts";
import { EVENT, FANOUT } from "../../src/limits.ts";
import { environmentStub, eventIdStub, runStub } from "../../src/objects.ts";
import { fn } from "../src/events/registered.ts";
import { muteApps, registerFunctions } from "./registered.ts";

// The plugin binds what wrangler.toml declares, which is what Bindings describes.
const bindings = env as unknown as Bindings;

const HOUR = 3_600_000;
const once = { rateLimit: { limit: 1, period: HOUR, key: null } };
const single = (mode: "skip" | "cancel") => ({ singleton: { mode, key: null } });

let environments = 0;
/** An environment in which function `one` has these options and listens to `app/a`. */
async function freshEnvironment(options: Partial<FunctionConfiguration>): Promise<string> {
  const environmentId = `env-gates-${environments++}`;
  await registerFunctions(bindings.DB, environmentId, { one: ["app/a"] }, options);
  return environmentId;
}

/** Events of one request, received now. */
function events(
  count: number,
  data: (n: number) => JsonObject = () => ({}),
  ids: readonly string[] = [],
): AcceptedEvent[] {
  const now = Date.now();
  return Array.from({ length: count }, (_, n) => {
    const internalId = newUlid(now);
    const deduplicationId = ids[n] ?? null;
    const payload = { name: "app/a", data: data(n), id: deduplicationId ?? internalId, ts: now, user: {} };
    return { internalId, receivedAt: now, source: "test", deduplicationId, payload };
  });
}

const verdictOf = ({ outcomes: [outcome] }: RoutedEvent): string =>
  outcome === undefined ? "nothing" : outcome.outcome === "skipped" ? outcome.reason : outcome.outcome;

const verdicts = ({ events: routed }: Published): string[] => routed.map(verdictOf);

const go = (environmentId: string, sent: readonly AcceptedEvent[]) =>
  publish(bindings, environmentId, sent, Date.now());

const runIdOf = async (environmentId: string, event: AcceptedEvent | undefined) =>
  await runIdFor(environmentId, "id-of-one", event?.internalId ?? "");

const viewOf = async (environmentId: string, event: AcceptedEvent | undefined) =>
  await runStub(bindings, environmentId, await runIdOf(environmentId, event)).view();

const cancel = async (environmentId: string, event: AcceptedEvent | undefined) =>
  await runStub(bindings, environmentId, await runIdOf(environmentId, event)).cancel({ by: "api" });

/** Runs in the order in which their starts were issued, and how many were being started at one moment. */
let started: { ids: string[]; atOnce: number; most: number };
/** What happens to the next starts; undefined lets them happen. */
let fault: ((runId: string) => void | Promise<void>) | undefined;

/** Something that one party waits for and another gives. */
class Signal {
  give: () => void = () => {};
  readonly given = new Promise<void>((resolve) => {
    this.give = resolve;
  });
}

beforeAll(muteApps);

beforeEach(() => {
  started = { ids: [], atOnce: 0, most: 0 };
  fault = undefined;
  const { start } = Run.prototype;
  vi.spyOn(Run.prototype, "start").mockImplementation(async function (this: Run, identity) {
    await fault?.(identity.runId);
    started.ids.push(identity.runId);
    started.most = Math.max(started.most, ++started.atOnce);
    await scheduler.wait(5);
    const birth = await start.call(this, identity);
    started.atOnce--;
    return birth;
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("order", () => {
  const concurrency = (key: string | null) => ({ concurrency: [{ limit: 1, key, scope: "fn" as const }] });

  it("FC-8: starts of a function with a line are issued one after the other, in the order of the request", async () => {
    const environmentId = await freshEnvironment(concurrency(null));
    const sent = events(10);
    await go(environmentId, sent);
    const expected = await Promise.all(sent.map((event) => runIdOf(environmentId, event)));
    expect(started.ids).toEqual(expected);
    expect(started.most).toBe(1);
  });

  it("FC-4: starts under different keys do not wait for each other, but keep their order per key", async () => {
    const environmentId = await freshEnvironment(concurrency("event.data.k"));
    const sent = events(12, (n) => ({ k: n % 3 }));
    await go(environmentId, sent);
    expect(started.most).toBeGreaterThan(1);
    for (const k of [0, 1, 2]) {
      const expected = await Promise.all(
        sent.filter((_, n) => n % 3 === k).map((event) => runIdOf(environmentId, event)),
      );
      expect(started.ids.filter((id) => expected.includes(id))).toEqual(expected);
    }
  });

  it("a function without flow control starts its runs side by side", async () => {
    const environmentId = await freshEnvironment({});
    await go(environmentId, events(10));
    expect(started.most).toBeGreaterThan(1);
  });

  it("one start that fails does not keep those behind it from starting", async () => {
    const environmentId = await freshEnvironment(concurrency(null));
    const sent = events(3);
    const broken = await runIdOf(environmentId, sent[1]);
    fault = (runId) => {
      if (runId === broken) throw new Error("partition");
    };
    await expect(go(environmentId, sent)).rejects.toThrow("partition");
    expect(await viewOf(environmentId, sent[2])).not.toBeNull();
    fault = undefined;
    expect(verdicts(await go(environmentId, sent))).toEqual(["started", "started", "started"]);
    expect(await viewOf(environmentId, sent[1])).not.toBeNull();
  });

  it("EV-16: sends with the same ids in opposite orders do not wait for each other", async () => {
    const environmentId = await freshEnvironment(concurrency(null));
    const ids = ["a", "b", "c", "d"].map((id) => `${id}-${environmentId}`);
    const [one, other] = await Promise.all([
      go(environmentId, events(4, undefined, ids)),
      go(environmentId, events(4, undefined, ids.toReversed())),
    ]);
    // Whoever waits too long takes the other's place and is no duplicate.
    for (const [at, { duplicate }] of one.events.entries()) {
      expect(duplicate).not.toBe(other.events[3 - at]?.duplicate);
    }
  });
});

describe("repetition", () => {
  it("FC-19: routing again reaches the same answers, and takes no second token", async () => {
    const environmentId = await freshEnvironment({ rateLimit: { limit: 2, period: HOUR, key: null } });
    const sent = events(3);
    const first = await go(environmentId, sent);
    expect(verdicts(first)).toEqual(["started", "started", "rate_limited"]);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + HOUR / 2 + 60_000 });
    expect(await go(environmentId, sent)).toEqual(first);
    expect(verdicts(await go(environmentId, events(1)))).toEqual(["started"]);
  });

  it("FC-21, FC-37: a start that passed the first gate and not the next gets the same answer again", async () => {
    const environmentId = await freshEnvironment({
      rateLimit: { limit: 3, period: HOUR, key: null },
      idempotency: "event.data.cart",
      ...single("skip"),
    });
    const sent = events(4, (n) => ({ cart: [1, 1, 2, 3][n] ?? 0 }));
    const first = await go(environmentId, sent);
    expect(verdicts(first)).toEqual(["started", "idempotent", "singleton", "rate_limited"]);
    await cancel(environmentId, sent[0]);
    expect(verdicts(await go(environmentId, sent))).toEqual(verdicts(first));
    expect(await viewOf(environmentId, sent[2])).toBeNull();
  });

  it("EV-8: a send that died between gate and start is completed by sending it again", async () => {
    const environmentId = await freshEnvironment({ ...once, ...single("skip") });
    const sent = events(1);
    fault = () => {
      throw new Error("partition");
    };
    await expect(go(environmentId, sent)).rejects.toThrow("partition");
    expect(await viewOf(environmentId, sent[0])).toBeNull();
    fault = undefined;
    expect(verdicts(await go(environmentId, sent))).toEqual(["started"]);
    expect(await viewOf(environmentId, sent[0])).not.toBeNull();
  });

  it("I2: a chunk of the fan-out that is done twice answers the same and leaves one entry per skipped run", async () => {
    const environmentId = await freshEnvironment(single("skip"));
    const sent = events(3);
    const pending = sent.map((event) => ({ event, outcomes: [], duplicate: false }));
    await storeEvents(bindings.DB, environmentId, pending, { routed: false });
    const message = { environmentId, chunkId: "chunk", eventIds: sent.map(({ internalId }) => internalId) };
    const deliver = async () =>
      await consumeFanout(
        createMessageBatch("fan-out", [{ id: "m", timestamp: new Date(), attempts: 1, body: message }]),
        bindings,
      );
    const outcomes = async (): Promise<(readonly EventOutcome[] | undefined)[]> =>
      await Promise.all(
        sent
          .slice(1)
          .map(async ({ internalId }) => (await findEvent(bindings.DB, environmentId, internalId))?.outcomes),
      );
    await deliver();
    const first = await outcomes();
    await cancel(environmentId, sent[0]);
    await deliver();
    expect(await outcomes()).toEqual(first);
    expect(first).toMatchObject([[{ reason: "singleton" }], [{ reason: "singleton" }]]);
    for (const event of sent.slice(1)) {
      expect(await findRun(bindings.DB, environmentId, await runIdOf(environmentId, event))).toMatchObject({
        status: "skipped",
        skipReason: "singleton",
      });
    }
  });

  /** A chunk with these events, which the fan-out does as often as it is called. */
  async function chunkOf(environmentId: string, sent: readonly AcceptedEvent[]): Promise<() => Promise<void>> {
    const pending = sent.map((event) => ({ event, outcomes: [], duplicate: false }));
    await storeEvents(bindings.DB, environmentId, pending, { routed: false });
    const body = { environmentId, chunkId: "chunk", eventIds: sent.map(({ internalId }) => internalId) };
    return async () =>
      await consumeFanout(
        createMessageBatch("fan-out", [{ id: "m", timestamp: new Date(), attempts: 1, body }]),
        bindings,
      );
  }

  it("CR-17: what a chunk skipped for a pause stays skipped when it is done again after the function was resumed", async () => {
    const environmentId = await freshEnvironment({});
    const sent = events(1);
    const deliver = await chunkOf(environmentId, sent);
    await pauseFunction(bindings, environmentId, "id-of-one", { running: "hold", now: Date.now() });
    await deliver();
    await resumeFunction(bindings, environmentId, "id-of-one", Date.now());
    await deliver();
    expect(await viewOf(environmentId, sent[0])).toBeNull();
    expect(await findEvent(bindings.DB, environmentId, sent[0]?.internalId ?? "")).toMatchObject({
      outcomes: [{ outcome: "skipped", reason: "function_paused" }],
    });
  });

  it("EV-16: an event that another one stood in for is recorded as routed, though the run knows the other one", async () => {
    const environmentId = await freshEnvironment({});
    const id = `x-${environmentId}`;
    const [first, second] = events(2, undefined, [id, id]);
    if (first === undefined || second === undefined) throw new Error("There are two events.");
    // Its send dies after it has claimed the id.
    await eventIdStub(bindings, environmentId, id).claim(first.internalId);
    const deliver = await chunkOf(environmentId, [first]);
    await ingest(bindings, environmentId, [second], Date.now());
    expect((await viewOf(environmentId, first))?.row.eventIds).toEqual([second.internalId]);
    await deliver();
    expect(await findEvent(bindings.DB, environmentId, first.internalId)).toMatchObject({
      routed: true,
      outcomes: [{ outcome: "started", runId: await runIdOf(environmentId, first) }],
    });
  });

  it("EV-15: in a large send the second event with an id is a duplicate, whichever chunk it is in", async () => {
    const environmentId = await freshEnvironment(once);
    const id = `x-${environmentId}`;
    const count = FANOUT.chunk + 2;
    const sent = events(
      count,
      undefined,
      [id, ...Array<string>(count - 2), id].map((one) => one ?? newUlid(Date.now())),
    );
    await ingest(bindings, environmentId, sent, Date.now());
    await vi.waitFor(async () => expect(await environmentStub(bindings, environmentId).pending()).toBe(0), 30_000);
    const last = await findEvent(bindings.DB, environmentId, sent.at(-1)?.internalId ?? "");
    expect(last).toMatchObject({ duplicate: true, outcomes: [{ reason: "duplicate_event" }] });
    expect(await findEvent(bindings.DB, environmentId, sent[0]?.internalId ?? "")).toMatchObject({ duplicate: false });
  });
});

describe("skipped runs", () => {
  it("FC-38: a skipped run is in history before the sender is answered, and has no object", async () => {
    const environmentId = await freshEnvironment(single("skip"));
    const sent = events(2);
    await ingest(bindings, environmentId, sent, Date.now());
    const [first = "", second = ""] = await Promise.all(sent.map((event) => runIdOf(environmentId, event)));
    expect(await findRun(bindings.DB, environmentId, second)).toMatchObject({
      status: "skipped",
      skipReason: "singleton",
      startedAt: null,
      eventIds: [sent[1]?.internalId],
    });
    expect(await findEvent(bindings.DB, environmentId, sent[1]?.internalId ?? "")).toMatchObject({
      outcomes: [{ outcome: "skipped", reason: "singleton", runId: second }],
    });
    expect(await runStub(bindings, environmentId, second).view()).toBeNull();
    expect(await runStub(bindings, environmentId, first).view()).not.toBeNull();
  });

  it("FC-19: what a rate limit refuses leaves no run", async () => {
    const environmentId = await freshEnvironment(once);
    const { skipped, unreported } = await go(environmentId, events(2));
    expect(skipped).toEqual([]);
    expect(unreported.map(verdictOf)).toEqual(["rate_limited"]);
  });
});

describe("singleton, mode cancel", () => {
  it("FC-38: each run is cancelled by the next, which starts when that is done", async () => {
    const environmentId = await freshEnvironment(single("cancel"));
    const sent = events(3);
    expect(verdicts(await go(environmentId, sent))).toEqual(["started", "started", "started"]);
    const runIds = await Promise.all(sent.map((event) => runIdOf(environmentId, event)));
    expect(started.ids).toEqual(runIds);
    await vi.waitFor(async () => {
      const runs = await Promise.all(sent.map((event) => viewOf(environmentId, event)));
      expect(runs.map((view) => view?.row.cancelReason)).toEqual([
        { by: "singleton", runId: runIds[1] },
        { by: "singleton", runId: runIds[2] },
        null,
      ]);
    }, 10_000);
  });

  it("a run that somebody else is just starting is waited for and then cancelled", async () => {
    const environmentId = await freshEnvironment(single("cancel"));
    const [early, late] = [...events(1), ...events(1)];
    const slow = await runIdOf(environmentId, early);
    const [entered, held] = [new Signal(), new Signal()];
    fault = async (runId) => {
      if (runId !== slow) return;
      entered.give();
      await held.given;
    };
    const first = go(environmentId, early === undefined ? [] : [early]);
    await entered.given;
    const second = go(environmentId, late === undefined ? [] : [late]);
    await scheduler.wait(300);
    expect(await viewOf(environmentId, late)).toBeNull();
    held.give();
    await Promise.all([first, second]);
    expect((await viewOf(environmentId, early))?.row.cancelReason).toMatchObject({ by: "singleton" });
    expect((await viewOf(environmentId, late))?.row.status).not.toBe("cancelled");
  });

  it("a run whose send died keeps the next one waiting no longer than the grace", async () => {
    const environmentId = await freshEnvironment(single("cancel"));
    const [dead] = events(1);
    fault = () => {
      throw new Error("partition");
    };
    await expect(go(environmentId, dead === undefined ? [] : [dead])).rejects.toThrow("partition");
    fault = undefined;
    // Well past it: this clock stands still, and would never get there from just before.
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 2 * EVENT.claimGrace });
    const [next] = events(1);
    expect(verdicts(await go(environmentId, next === undefined ? [] : [next]))).toEqual(["started"]);
    // Its send, repeated, comes too late.
    expect(verdicts(await go(environmentId, dead === undefined ? [] : [dead]))).toEqual(["singleton"]);
    expect(await viewOf(environmentId, dead)).toBeNull();
  });
});

describe("starts that nobody triggered", () => {
  const candidate = (runId: string, kind: Candidate["kind"], options: Partial<FunctionConfiguration>): Candidate => {
    const [event] = events(1);
    if (event === undefined) throw new Error("one event was made");
    return { runId, kind, function: fn(options), at: Date.now(), events: [event], parents: [], depth: 0 };
  };

  it("FC-43: a run that a user asked for passes rate limit and idempotency, and waits for a singleton's run", async () => {
    const options = { ...once, idempotency: "'x'", ...single("skip") };
    const environmentId = await freshEnvironment({});
    const [a, b] = [newUlid(Date.now()), newUlid(Date.now())];
    const begin = (runId: string, kind: Candidate["kind"]) =>
      startGatheredRun(bindings, environmentId, candidate(runId, kind, options), Date.now());
    expect(await begin(a, "counted")).toMatchObject({ started: true });
    expect(await begin(b, "wanted")).toEqual({ started: "busy" });
    expect(await runStub(bindings, environmentId, b).view()).toBeNull();
    await runStub(bindings, environmentId, a).cancel({ by: "api" });
    await vi.waitFor(async () => expect(await begin(b, "wanted")).toMatchObject({ started: true }), 10_000);
  });
});
