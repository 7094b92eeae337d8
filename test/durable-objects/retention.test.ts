import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { Run } from "../../durable-objects/run.ts";
import { counters } from "../../src/counters.ts";
import type { RunIdentity } from "../../src/decide/run/identity.ts";
import type { EventOutcome, RoutedEvent } from "../../src/events/event.ts";
import { eventStatements, findEvent } from "../../src/history/events.ts";
import { pageOfEvents, pageOfRuns, removeEvents, removeRecords, removeRuns } from "../../src/history/expired.ts";
import type { RunRow } from "../../src/history/message.ts";
import { readRun } from "../../src/history/read.ts";
import { findRun, runStatements } from "../../src/history/runs.ts";
import { encodeUlid, newUlid } from "../../src/ids.ts";
import { HISTORY, RETENTION } from "../../src/limits.ts";
import { environmentStub, runStub } from "../../src/objects.ts";
import { listRuns } from "../../src/search/runs.ts";
import { settingsOf } from "../../src/settings.ts";
import { walksOf, watchedDatabase } from "./plans.ts";
import { anEvent, aRun, bindings, freshEnvironment } from "./records.ts";
import { registerFunctions } from "./registered.ts";

const db = bindings.DB;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** ms; a busy machine may take its time. */
const PATIENCE = 20_000;
const KEPT = settingsOf(bindings).retention;

let environmentId = "";
/** What the app answers to a call: operations, or null to end the run. */
let answer: () => object[] | null = () => null;

async function app(): Promise<Response> {
  const headers = { "x-inngest-sdk": "test:v1.0.0", "x-inngest-req-version": "2", "content-type": "application/json" };
  const ops = answer();
  return Response.json(ops ?? "canary-ret", { status: ops === null ? 200 : 206, headers });
}

const stubOf = (runId: string) => runStub(bindings, environmentId, runId);
const environment = () => environmentStub(bindings, environmentId);
const sweep = () => environment().sweep();
const at = (now: number) => vi.useFakeTimers({ toFake: ["Date"], now });
/** Resolves when nothing is left of the run's object, which leaves memory soon after. */
const isGone = (runId: string) =>
  vi.waitFor(async () => {
    const tables = await runInDurableObject(stubOf(runId), (_, { storage }) =>
      storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT GLOB '_cf_*'").toArray(),
    );
    expect(tables).toEqual([]);
  }, PATIENCE);
const outcome = (runId: string, kind: "started" | "debounced" | "batched" = "started"): EventOutcome => ({
  functionId: "id-of-fn",
  functionSlug: "fn",
  outcome: kind,
  runId,
});

/** Ids of a time: `newUlid` never goes back. */
const idAt = (time: number) => encodeUlid(time, crypto.getRandomValues(new Uint8Array(10)));
/** An event that was received at a time. */
const eventAt = (receivedAt: number, draft: Parameters<typeof anEvent>[0] = {}) =>
  anEvent({ internalId: idAt(receivedAt), receivedAt, ...draft });

/** How many rows a table has of the environment. */
async function count(table: "events" | "payload_parts" | "runs" | "syncs" | "operations"): Promise<number> {
  const query = `SELECT COUNT(*) AS n FROM ${table} WHERE environment_id = ?1`;
  return (await db.prepare(query).bind(environmentId).first<number>("n")) ?? 0;
}

const isKept = async ({ event }: RoutedEvent) => (await findEvent(db, environmentId, event.internalId)) !== null;

/** Starts a run for an event of its own; resolves when history knows of both. */
async function begin(): Promise<{ runId: string; trigger: RoutedEvent }> {
  const now = Date.now();
  const runId = newUlid(now);
  const trigger = anEvent({ outcomes: [outcome(runId)], payload: { data: { canary: "canary-ev" } } });
  const identity: RunIdentity = {
    environmentId,
    runId,
    app: { id: "app-id", name: "shop" },
    function: { id: "id-of-fn", slug: "fn", name: "fn", version: 1 },
    retries: 4,
    events: [trigger],
    queuedAt: now,
    startAt: now,
    depth: 0,
    parent: null,
    originalRunId: null,
  };
  await stubOf(runId).start(identity);
  await vi.waitFor(async () => expect(await findRun(db, environmentId, runId)).not.toBeNull(), PATIENCE);
  return { runId, trigger };
}

/** Resolves when history has confirmed the end of a run: with the time at which the run would go by itself. It leaves memory soon after. */
async function confirmed(runId: string): Promise<number> {
  return await vi.waitFor(async () => {
    const alarm = await runInDurableObject(stubOf(runId), (_, { storage }) => storage.getAlarm());
    expect(alarm).toBeGreaterThan(Date.now() + KEPT);
    return alarm ?? 0;
  }, PATIENCE);
}

/** Stores events as ingest and reports do. */
async function store(events: readonly RoutedEvent[], { routed } = { routed: true }): Promise<void> {
  await db.batch(
    eventStatements(
      db,
      events.map((stored) => ({ environmentId, stored, routed })),
    ),
  );
}

/** Rows of runs that ended at `endedAt`, whose objects are played by the test. */
async function ended(many: number, endedAt: number, draft: Partial<RunRow> = {}): Promise<string[]> {
  const rows = Array.from({ length: many }, () =>
    aRun(environmentId, { runId: idAt(endedAt), queuedAt: endedAt, endedAt, ...draft }),
  );
  await db.batch(runStatements(db, rows));
  return rows.map(({ runId }) => runId);
}

/** Plays the objects of runs. */
function play(expire: (runId: string) => boolean): string[] {
  const asked: string[] = [];
  vi.spyOn(Run.prototype, "expire").mockImplementation(async function (this: Run) {
    const [, runId = ""] = (Reflect.get(this, "ctx") as DurableObjectState).id.name?.split(":") ?? [];
    asked.push(runId);
    return expire(runId);
  });
  return asked;
}

beforeAll(() => vi.stubGlobal("fetch", app));
beforeEach(async () => {
  environmentId = freshEnvironment();
  answer = () => null;
  await registerFunctions(db, environmentId, { fn: ["app/start"] });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("retention", { timeout: 60_000 }, () => {
  it("SC-158, OB-23, OB-24, OB-26, EV-27, BY-17: an ended run goes with its event; one that sleeps stays and is listed", async () => {
    const short = await begin();
    answer = () => [{ id: "s", op: "Sleep", name: "7d", displayName: "s" }];
    const long = await begin();
    const began = Date.now();
    await vi.waitFor(
      async () => expect(await findRun(db, environmentId, short.runId)).toMatchObject({ status: "completed" }),
      PATIENCE,
    );
    at(began + KEPT - MINUTE);
    await sweep();
    expect(await readRun(bindings, environmentId, short.runId)).toMatchObject({ row: { output: "canary-ret" } });
    expect(await isKept(short.trigger)).toBe(true);

    at(began + KEPT + HOUR);
    await sweep();
    await isGone(short.runId);
    expect(await readRun(bindings, environmentId, short.runId)).toBeNull();
    expect(await isKept(short.trigger)).toBe(false);
    // The sleeper and its event, and nothing besides: no system event of the ended run either.
    expect([await count("runs"), await count("events")]).toEqual([1, 1]);
    expect(await isKept(long.trigger)).toBe(true);
    const all = {
      statuses: [],
      appId: null,
      functionId: null,
      from: null,
      until: null,
      timeField: "queued_at",
    } as const;
    const { items } = await listRuns(db, environmentId, all, { limit: 10, cursor: null });
    expect(items).toMatchObject([{ runId: long.runId, status: "running" }]);

    answer = () => null;
    at(began + 7 * DAY + HOUR);
    await runDurableObjectAlarm(stubOf(long.runId));
    await vi.waitFor(
      async () =>
        expect(await readRun(bindings, environmentId, long.runId)).toMatchObject({ row: { output: "canary-ret" } }),
      PATIENCE,
    );
    await vi.waitFor(
      async () => expect(await findRun(db, environmentId, long.runId)).toMatchObject({ status: "completed" }),
      PATIENCE,
    );
    await sweep();
    expect(await isKept(long.trigger)).toBe(true);
    at(Date.now() + KEPT + HOUR);
    await sweep();
    await isGone(long.runId);
    expect([await count("runs"), await count("events")]).toEqual([0, 0]);
  });

  it("OB-24: an object goes whose alarm was lost after its end, with the row", async () => {
    const { runId } = await begin();
    await confirmed(runId);
    await vi.waitFor(() => runInDurableObject(stubOf(runId), (_, { storage }) => storage.deleteAlarm()), PATIENCE);
    at(Date.now() + KEPT + HOUR);
    await sweep();
    await isGone(runId);
  });

  it("OB-24: an object goes by itself of which history never heard", async () => {
    vi.spyOn(Run.prototype, "confirm").mockResolvedValue();
    const { runId } = await begin();
    await vi.waitFor(async () => expect((await stubOf(runId).view())?.row.status).toBe("completed"), PATIENCE);
    await db.prepare("DELETE FROM runs WHERE run_id = ?1").bind(runId).run();
    at(Date.now() + KEPT - HOUR);
    await runDurableObjectAlarm(stubOf(runId));
    expect((await stubOf(runId).view())?.row.status).toBe("completed");
    at(Date.now() + 2 * HOUR);
    await runDurableObjectAlarm(stubOf(runId));
    await isGone(runId);
  });

  it("OB-24: an object that history confirmed goes by itself when no sweep comes", async () => {
    const { runId } = await begin();
    const own = await confirmed(runId);
    expect(own).toBeLessThanOrEqual(Date.now() + KEPT + RETENTION.own);
    at(own);
    await vi.waitFor(() => runDurableObjectAlarm(stubOf(runId)), PATIENCE);
    await isGone(runId);
  });

  it("a run does not go before its time, whoever asks", async () => {
    const { runId } = await begin();
    await vi.waitFor(async () => expect((await stubOf(runId).view())?.row.status).toBe("completed"), PATIENCE);
    expect(await stubOf(runId).expire()).toBe(false);
    expect(await stubOf(newUlid(Date.now())).expire()).toBe(true);
    answer = () => [{ id: "s", op: "Sleep", name: "7d", displayName: "s" }];
    const long = await begin();
    at(Date.now() + 2 * KEPT);
    expect(await stubOf(long.runId).expire()).toBe(false);
    expect((await stubOf(long.runId).view())?.row.status).toBe("running");
  });
});

describe("what is removed", { timeout: 60_000 }, () => {
  const old = () => Date.now() - KEPT - HOUR;

  it("EV-27: events that started nothing go by their own age, with all parts of their payloads", async () => {
    const long = "x".repeat(HISTORY.rowBytes + 1000);
    const gone = [
      eventAt(old()),
      eventAt(old(), { payload: { name: "inngest/function.finished" } }),
      eventAt(old(), { payload: { data: { long } } }),
    ];
    const kept = [eventAt(Date.now() - KEPT + HOUR), anEvent({ payload: { data: { long } } })];
    await store([...gone, ...kept]);
    const parts = await count("payload_parts");
    await sweep();
    expect(await Promise.all(gone.map(isKept))).toEqual([false, false, false]);
    expect(await Promise.all(kept.map(isKept))).toEqual([true, true]);
    expect(await count("payload_parts")).toBe(parts / 2);
  });

  it("EV-27: an event stays while one of its runs does, be it a repetition of one that is gone", async () => {
    const [first, second] = [idAt(old()), idAt(old())];
    const event = eventAt(old(), { outcomes: [outcome(first), outcome(second)] });
    await store([event]);
    const unfinished = { status: "running", endedAt: null, output: null, dueAt: Date.now() + DAY } as const;
    await db.batch(
      runStatements(db, [
        aRun(environmentId, { runId: second, queuedAt: old(), ...unfinished }),
        aRun(environmentId, { originalRunId: first, ...unfinished }),
      ]),
    );
    await sweep();
    expect(await isKept(event)).toBe(true);
    await db.prepare("DELETE FROM runs WHERE run_id = ?1").bind(second).run();
    at(Date.now() + RETENTION.pass);
    await sweep();
    expect(await isKept(event)).toBe(true);
    await db.prepare("DELETE FROM runs WHERE original_run_id = ?1").bind(first).run();
    at(Date.now() + RETENTION.pass);
    await sweep();
    expect(await isKept(event)).toBe(false);
  });

  it("EV-8, FC-24: an event stays whose fan-out is pending, or whose window may still be open", async () => {
    const pending = eventAt(old());
    await store([pending], { routed: false });
    const waiting = [
      eventAt(old(), { outcomes: [outcome(idAt(old()), "debounced")] }),
      eventAt(old(), { outcomes: [outcome(idAt(old()), "batched")] }),
    ];
    await store(waiting);
    await sweep();
    expect(await Promise.all([pending, ...waiting].map(isKept))).toEqual([true, true, true]);
    at(Date.now() + RETENTION.gathering);
    await sweep();
    expect(await Promise.all([pending, ...waiting].map(isKept))).toEqual([true, false, false]);
  });

  it("EV-7: what was given an id by a seed from the future goes by when it was received", async () => {
    const future = () => idAt(Date.now() + 1000 * DAY);
    const gone = anEvent({ internalId: future(), receivedAt: old() });
    const kept = anEvent({ internalId: future() });
    await store([gone, kept]);
    play(() => true);
    await ended(1, old(), { runId: future() });
    await sweep();
    expect([await isKept(gone), await isKept(kept)]).toEqual([false, true]);
    expect(await count("runs")).toBe(0);
  });

  it("CR-20: a skipped run goes without asking anybody", async () => {
    const asked = play(() => true);
    await ended(2, old(), { status: "skipped", output: null });
    await sweep();
    expect(await count("runs")).toBe(0);
    expect(asked).toEqual([]);
  });

  it("OB-24: a run's row stays until its object is gone", async () => {
    const complaint = vi.spyOn(console, "error").mockImplementation(() => {});
    const [stays = "", broken = "", goes = ""] = await ended(3, old());
    play((runId) => {
      if (runId === broken) throw new Error("overloaded");
      return runId === goes;
    });
    await sweep();
    expect(await findRun(db, environmentId, goes)).toBeNull();
    expect(await findRun(db, environmentId, stays)).not.toBeNull();
    expect(await findRun(db, environmentId, broken)).not.toBeNull();
    expect(complaint).toHaveBeenCalledWith(expect.stringContaining(broken));
    // They are asked again, but not every minute.
    const asked = play(() => true);
    at(Date.now() + MINUTE);
    await sweep();
    expect(asked).toEqual([]);
    at(Date.now() + RETENTION.pass);
    await sweep();
    expect(new Set(asked)).toEqual(new Set([stays, broken]));
    expect(await count("runs")).toBe(0);
  });

  it("OB-23: syncs and operations that are over go after a year, those that go on never", async () => {
    const now = Date.now();
    const year = (ms: number) => idAt(now - RETENTION.records + ms);
    const sync = (id: string) =>
      db
        .prepare(
          `INSERT INTO syncs (environment_id, id, origin, result, changes, created_at) VALUES (?1, ?2, 'app', 'success', '{}', 0)`,
        )
        .bind(environmentId, id);
    const operation = (kind: string, id: string, status: string) =>
      db
        .prepare("INSERT INTO operations (environment_id, kind, id, status, body) VALUES (?1, ?2, ?3, ?4, '{}')")
        .bind(environmentId, kind, id, status);
    const [before, running, after] = [year(-HOUR), year(-HOUR), year(HOUR)];
    await db.batch([
      sync(before),
      sync(after),
      operation("cancel", before, "completed"),
      operation("replay", before, "stopped"),
      operation("cancel", running, "running"),
      operation("cancel", after, "completed"),
    ]);
    await sweep();
    const idsIn = async (table: string) =>
      (
        await db.prepare(`SELECT id FROM ${table} WHERE environment_id = ?1`).bind(environmentId).all<{ id: string }>()
      ).results
        .map(({ id }) => id)
        .sort();
    expect(await idsIn("syncs")).toEqual([after]);
    expect(await idsIn("operations")).toEqual([running, after].sort());
  });

  it("SE-8: of its own environment and of no other", async () => {
    const other = environmentId;
    const event = eventAt(old());
    await store([event]);
    play(() => true);
    await ended(1, old());
    environmentId = freshEnvironment();
    await sweep();
    environmentId = other;
    expect([await count("runs"), await count("events")]).toEqual([1, 1]);
  });
});

describe("how it is removed", { timeout: 60_000 }, () => {
  const old = () => Date.now() - KEPT - DAY;

  it("OB-24: a bounded part in each sweep, and the next one goes on, also after the object was lost", async () => {
    const most = RETENTION.rows * RETENTION.pages.runs;
    await ended(most + 10, old(), { status: "skipped" });
    const events = Array.from({ length: RETENTION.rows + 10 }, () => eventAt(old()));
    await store(events);
    await sweep();
    expect([await count("runs"), await count("events")]).toEqual([10, 0]);
    await evictDurableObject(environment());
    await sweep();
    expect(await count("runs")).toBe(0);
  });

  it("OB-24: rows that stay are not gone through every minute", async () => {
    const now = Date.now();
    const rows = Array.from({ length: 200 }, () =>
      aRun(environmentId, {
        runId: idAt(old()),
        queuedAt: old(),
        status: "running",
        endedAt: null,
        dueAt: now + DAY,
      }),
    );
    await db.batch(runStatements(db, rows));
    await sweep();
    const before = counters.d1RowsRead;
    for (let minute = 1; minute <= 3; minute++) {
      at(now + minute * MINUTE);
      await evictDurableObject(environment());
      await sweep();
    }
    expect(counters.d1RowsRead - before).toBeLessThan(60);
    expect(await count("runs")).toBe(200);
  });

  it("OB-24: an environment at rest writes nothing", async () => {
    await sweep();
    const before = { ...counters };
    for (let hour = 1; hour <= 3; hour++) {
      at(Date.now() + HOUR);
      await sweep();
    }
    expect(counters.rowsWritten).toBe(before.rowsWritten);
    expect(counters.d1RowsWritten).toBe(before.d1RowsWritten);
  });

  it("OB-24: no statement goes through more than its page", async () => {
    await ended(1, old());
    const { db: watched, queries } = watchedDatabase();
    const stretch = { after: "", until: "~" };
    const now = Date.now();
    await pageOfRuns(watched, environmentId, stretch);
    await removeRuns(watched, environmentId, ["x"], now);
    await pageOfEvents(watched, environmentId, stretch, { time: now, gathered: now });
    await removeEvents(watched, environmentId, ["x"]);
    await removeRecords(watched, environmentId, "x");
    expect(queries.size).toBe(7);
    for (const query of queries) expect(await walksOf(query)).toEqual([]);
  });
});
