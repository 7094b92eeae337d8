import { createExecutionContext, createMessageBatch, getQueueResult } from "cloudflare:test";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { Bindings } from "../../src/bindings.ts";
import { consumeHistory } from "../../src/history/consume.ts";
import { eventStatements, findEvent, listEvents, loadEvents, storeEvents } from "../../src/history/events.ts";
import type { HistoryMessage, RunReport } from "../../src/history/message.ts";
import { findRun, listRuns, type RunFilter, runStatements } from "../../src/history/runs.ts";
import { ensureSchema } from "../../src/history/schema.ts";
import { encodeUlid } from "../../src/ids.ts";
import type { Json } from "../../src/json.ts";
import { HISTORY } from "../../src/limits.ts";
import { anEvent, aReport, aRun, bindings, freshEnvironment } from "./records.ts";

const db = bindings.DB;

/** The database as another isolate has it: the same data behind an object of its own, whose batches can be watched or spoilt. */
function databaseOfAnotherIsolate(batch: D1Database["batch"] = (statements) => db.batch(statements)) {
  const reads: string[] = [];
  const prepare = (query: string) => {
    reads.push(query);
    return db.prepare(query);
  };
  // Only these two methods are used.
  return { database: { prepare, batch } as D1Database, reads };
}

async function written(statements: D1PreparedStatement[]): Promise<number> {
  const results = await db.batch(statements);
  return results.reduce((sum, { meta }) => sum + meta.rows_written, 0);
}

describe("the schema", () => {
  it("is there as a whole or not at all", async () => {
    const spoilt = databaseOfAnotherIsolate((statements) => {
      const spoiler =
        statements.length > 1 ? [db.prepare("INSERT INTO d1_migrations (name) VALUES ('0001_initial.sql')")] : [];
      return db.batch([...statements, ...spoiler]);
    });
    await expect(ensureSchema(spoilt.database)).rejects.toThrow();
    const tables = await db.prepare("SELECT name FROM sqlite_master WHERE name IN ('events', 'runs')").all();
    expect(tables.results).toEqual([]);
  });

  it("is applied once, however many isolates begin at the same time, in wrangler's own table", async () => {
    await Promise.all(Array.from({ length: 4 }, () => ensureSchema(databaseOfAnotherIsolate().database)));
    const { results } = await db.prepare("SELECT name FROM d1_migrations").all();
    expect(results).toEqual([{ name: "0001_initial.sql" }]);
    const columns = await db.prepare("SELECT name FROM pragma_table_info('d1_migrations')").all();
    expect(columns.results.map((column) => column["name"])).toEqual(["id", "name", "applied_at"]);
  });

  it("costs one read when it is up to date, and nothing after that", async () => {
    const { database, reads } = databaseOfAnotherIsolate(() => Promise.reject(new Error("nothing is to be written")));
    await ensureSchema(database);
    expect(reads).toHaveLength(1);
    await ensureSchema(database);
    expect(reads).toHaveLength(1);
  });
});

describe("what a run costs", () => {
  beforeAll(() => ensureSchema(db));

  it("a short run is five rows: its event with one index entry, its end event, its row with one index entry", async () => {
    const { run, events } = aReport(freshEnvironment());
    const entries = events.map((stored) => ({ environmentId: run.environmentId, stored, routed: true }));
    expect(await written(eventStatements(db, entries))).toBe(3);
    expect(await written(runStatements(db, [run]))).toBe(2);
    expect(await written([...eventStatements(db, entries), ...runStatements(db, [run])])).toBe(0);
  });

  it("a long run's end costs one row more, an event's routing one, and a sender's id one index entry", async () => {
    const environmentId = freshEnvironment();
    const run = aRun(environmentId, { status: "running", sequence: 1, endedAt: null, output: null });
    await written(runStatements(db, [run]));
    expect(
      await written(runStatements(db, [{ ...run, status: "failed", sequence: 2, output: { message: "no" } }])),
    ).toBe(1);
    const stored = anEvent({ deduplicationId: "cart-1" });
    expect(await written(eventStatements(db, [{ environmentId, stored, routed: false }]))).toBe(3);
    expect(await written(eventStatements(db, [{ environmentId, stored, routed: true }]))).toBe(1);
  });

  it("a hundred reports are two statements", () => {
    const reports = Array.from({ length: 100 }, () => aReport("env"));
    const entries = reports.flatMap(({ events }) =>
      events.map((stored) => ({ environmentId: "env", stored, routed: true })),
    );
    expect(eventStatements(db, entries)).toHaveLength(1);
    expect(
      runStatements(
        db,
        reports.map(({ run }) => run),
      ),
    ).toHaveLength(1);
  });
});

describe("events", () => {
  beforeAll(() => ensureSchema(db));

  it("EV-27: come back as they were accepted", async () => {
    const environmentId = freshEnvironment();
    const fn = { functionId: "f", functionSlug: "shop-pay" };
    const stored = anEvent({
      deduplicationId: "cart-1",
      outcomes: [{ ...fn, outcome: "skipped", reason: "rate_limited" }],
      payload: {
        data: { text: "é€😀\u0000\ud800 'quoted' \"twice\"", n: 1e21, deep: [[[{}]]] },
        v: "1",
        user: { plan: "pro" },
      },
    });
    await storeEvents(db, environmentId, [stored], { routed: true });
    expect(await findEvent(db, environmentId, stored.event.internalId)).toEqual({ ...stored, routed: true });
  });

  it("EV-6: are found by the sender's id as well, the newest first", async () => {
    const environmentId = freshEnvironment();
    const [first, second] = [
      anEvent({ deduplicationId: "cart-1" }),
      anEvent({ deduplicationId: "cart-1", duplicate: true }),
    ];
    await storeEvents(db, environmentId, [first, second], { routed: true });
    expect((await findEvent(db, environmentId, "cart-1"))?.event.internalId).toBe(second.event.internalId);
    expect(await findEvent(db, environmentId, "cart-2")).toBeNull();
    const ulidShaped = anEvent({ deduplicationId: "01ARZ3NDEKTSV4RRFFQ69G5FAV" });
    await storeEvents(db, environmentId, [ulidShaped], { routed: true });
    expect((await findEvent(db, environmentId, "01ARZ3NDEKTSV4RRFFQ69G5FAV"))?.event).toEqual(ulidShaped.event);
  });

  it("SE-8: are invisible to other environments", async () => {
    const [mine, theirs] = [freshEnvironment(), freshEnvironment()];
    const stored = anEvent({ deduplicationId: "secret", payload: { data: { blob: "x".repeat(HISTORY.rowBytes) } } });
    await storeEvents(db, mine, [stored], { routed: true });
    const id = stored.event.internalId;
    expect(await loadEvents(db, mine, [id])).toHaveLength(1);
    expect(await loadEvents(db, theirs, [id])).toEqual([]);
    expect(await findEvent(db, theirs, id)).toBeNull();
    expect(await findEvent(db, theirs, "secret")).toBeNull();
    // The same internal id may exist on both sides; neither sees the other's payload.
    await storeEvents(db, theirs, [anEvent({ internalId: id })], { routed: true });
    expect((await findEvent(db, theirs, id))?.event.payload.data).toEqual({});
    expect((await findEvent(db, mine, id))?.event).toEqual(stored.event);
  });

  it("EV-12: outcomes replace a pending fan-out, once, and are never taken back", async () => {
    const environmentId = freshEnvironment();
    const pending = anEvent();
    const done = {
      ...pending,
      outcomes: [{ functionId: "f", functionSlug: "s", outcome: "started", runId: "r" }] as const,
    };
    const store = (event: typeof pending, routed: boolean) => storeEvents(db, environmentId, [event], { routed });
    const read = () => findEvent(db, environmentId, pending.event.internalId);
    await store(pending, false);
    expect(await read()).toEqual({ ...pending, routed: false });
    await store(done, true);
    expect(await read()).toEqual({ ...done, routed: true });
    await store(pending, false);
    await store(pending, true);
    expect(await read()).toEqual({ ...done, routed: true });
  });

  it("a routed event wins over a pending one in one batch as well", async () => {
    const environmentId = freshEnvironment();
    for (const order of [
      [true, false],
      [false, true],
    ]) {
      const stored = anEvent();
      await db.batch(
        eventStatements(
          db,
          order.map((routed) => ({ environmentId, stored, routed })),
        ),
      );
      expect((await findEvent(db, environmentId, stored.event.internalId))?.routed).toBe(true);
    }
  });

  it.each([
    ["ASCII", "x".repeat(3_000_000)],
    ["characters of two, three and four bytes", "é€😀".repeat(330_000)],
    ["quotes, which double when they are quoted", '"\\'.repeat(600_000)],
  ])("EV-5: a payload larger than a row is kept whole (%s)", async (_, blob) => {
    const environmentId = freshEnvironment();
    const [large, small] = [anEvent({ payload: { data: { blob } } }), anEvent()];
    await storeEvents(db, environmentId, [large, small], { routed: false });
    await storeEvents(db, environmentId, [large], { routed: true });
    const loaded = await loadEvents(db, environmentId, [small.event.internalId, large.event.internalId]);
    expect(loaded).toEqual([small.event, large.event]);
    const parts = await db.prepare("SELECT MAX(LENGTH(body)) AS n FROM payload_parts").first<number>("n");
    expect(parts).toBeLessThanOrEqual(HISTORY.rowBytes);
  });

  it("are loaded in the order asked for, unknown ones left out", async () => {
    const environmentId = freshEnvironment();
    const events = Array.from({ length: 150 }, () => anEvent());
    await storeEvents(db, environmentId, events, { routed: false });
    const ids = events.map(({ event }) => event.internalId).reverse();
    const loaded = await loadEvents(db, environmentId, ["01ARZ3NDEKTSV4RRFFQ69G5FAV", ...ids]);
    expect(loaded.map((event) => event.internalId)).toEqual(ids);
  });

  it("EV-5: 5,000 events of one request are stored, all or none", async () => {
    const environmentId = freshEnvironment();
    const events = Array.from({ length: 5000 }, () => anEvent({ payload: { data: { text: "x".repeat(400) } } }));
    await storeEvents(db, environmentId, events, { routed: false });
    const count = await db
      .prepare("SELECT COUNT(*) AS n FROM events WHERE environment_id = ?1")
      .bind(environmentId)
      .first("n");
    expect(count).toBe(5000);
  });
});

describe("lists", () => {
  beforeAll(() => ensureSchema(db));
  const all = { name: null, receivedAfter: null, receivedBefore: null };

  async function pages(environmentId: string, limit: number, between: () => Promise<void> = async () => {}) {
    const found: string[][] = [];
    for (let cursor: string | null = null; ; await between()) {
      const { items, nextCursor } = await listEvents(db, environmentId, all, { limit, cursor });
      found.push(items.map(({ event }) => event.internalId));
      if (nextCursor === null) return found;
      cursor = nextCursor;
    }
  }

  it("API-5: 45 events paged by 20 are 20, 20 and 5, newest first, also while new ones arrive", async () => {
    const environmentId = freshEnvironment();
    const events = Array.from({ length: 45 }, () => anEvent());
    await storeEvents(db, environmentId, events, { routed: true });
    const found = await pages(environmentId, 20, () => storeEvents(db, environmentId, [anEvent()], { routed: true }));
    expect(found.map((page) => page.length)).toEqual([20, 20, 5]);
    expect(found.flat()).toEqual(events.map(({ event }) => event.internalId).reverse());
  });

  it("API-5: there is no next page after exactly one full page, nor after an empty one", async () => {
    const environmentId = freshEnvironment();
    expect(await pages(environmentId, 5)).toEqual([[]]);
    await storeEvents(
      db,
      environmentId,
      Array.from({ length: 5 }, () => anEvent()),
      { routed: true },
    );
    expect((await pages(environmentId, 5)).map((page) => page.length)).toEqual([5]);
  });

  it("a page of large events ends early and the next goes on from there", async () => {
    const environmentId = freshEnvironment();
    const blob = "x".repeat(1_400_000);
    const events = Array.from({ length: 9 }, () => anEvent({ payload: { data: { blob } } }));
    for (const event of events) await storeEvents(db, environmentId, [event], { routed: true });
    const found = await pages(environmentId, 20);
    expect(found.length).toBeGreaterThan(1);
    expect(found.flat()).toEqual(events.map(({ event }) => event.internalId).reverse());
    for (const page of found) expect(page.length * blob.length).toBeLessThan(HISTORY.pageBytes + HISTORY.rowBytes);
  });

  it("API-7: are filtered by name and time; the engine's own events show only when they are named", async () => {
    const environmentId = freshEnvironment();
    const at = (receivedAt: number, name: string) => anEvent({ receivedAt, payload: { name } });
    const [a, b, c] = [at(1000, "app/a"), at(2000, "app/b"), at(3000, "app/a")];
    const own = at(2500, "inngest/function.finished");
    await storeEvents(db, environmentId, [a, b, c, own], { routed: true });
    const list = async (
      filter: Partial<typeof all> | { name: string } | { receivedAfter: number } | { receivedBefore: number },
    ) => {
      const { items } = await listEvents(db, environmentId, { ...all, ...filter }, { limit: 20, cursor: null });
      return items.map(({ event }) => event.internalId);
    };
    const ids = (...events: (typeof a)[]) => events.map(({ event }) => event.internalId);
    expect(await list({})).toEqual(ids(c, b, a));
    expect(await list({ name: "app/a" })).toEqual(ids(c, a));
    expect(await list({ name: "inngest/function.finished" })).toEqual(ids(own));
    expect(await list({ receivedAfter: 2000 })).toEqual(ids(c, b));
    expect(await list({ receivedBefore: 2000 })).toEqual(ids(a));
  });

  it("API-10: runs are filtered by function, app, status and each of the three times", async () => {
    const environmentId = freshEnvironment();
    const paid = aRun(environmentId, { queuedAt: 10, startedAt: 20, endedAt: 30 });
    const failed = aRun(environmentId, {
      status: "failed",
      functionId: "other",
      queuedAt: 15,
      startedAt: 25,
      endedAt: 35,
    });
    const going = aRun(environmentId, {
      status: "running",
      appId: "third",
      queuedAt: 40,
      startedAt: 50,
      endedAt: null,
      output: null,
    });
    await db.batch(runStatements(db, [paid, failed, going, aRun(freshEnvironment())]));
    const none: RunFilter = {
      statuses: [],
      appId: null,
      functionId: null,
      from: null,
      until: null,
      timeField: "queued_at",
    };
    const list = async (filter: Partial<RunFilter>) =>
      (await listRuns(db, environmentId, { ...none, ...filter }, { limit: 20, cursor: null })).items;
    expect(await list({})).toEqual([going, failed, paid]);
    expect(await list({ functionId: "other" })).toEqual([failed]);
    expect(await list({ functionId: "other", statuses: ["completed"] })).toEqual([]);
    expect(await list({ appId: "third" })).toEqual([going]);
    expect(await list({ statuses: ["completed", "running"] })).toEqual([going, paid]);
    expect(await list({ from: 15, until: 40 })).toEqual([failed]);
    expect(await list({ timeField: "started_at", from: 25 })).toEqual([going, failed]);
    expect(await list({ timeField: "ended_at", until: 35 })).toEqual([paid]);
    const first = await listRuns(db, environmentId, none, { limit: 2, cursor: null });
    expect(first.items).toEqual([going, failed]);
    expect(await listRuns(db, environmentId, none, { limit: 2, cursor: first.nextCursor })).toEqual({
      items: [paid],
      nextCursor: null,
    });
  });

  it.each<[string, string, (database: D1Database) => Promise<unknown>]>([
    [
      "events by name",
      "events_by_name (environment_id=? AND name=? AND internal_id<?)",
      (database) =>
        listEvents(database, "e", { ...all, name: "app/a" }, { limit: 20, cursor: "01ARZ3NDEKTSV4RRFFQ69G5FAV" }),
    ],
    [
      "an event by its sender's id",
      "events_by_sender_id (environment_id=? AND deduplication_id=?)",
      (database) => findEvent(database, "e", "cart-1"),
    ],
    [
      "runs by function",
      "runs_by_function (environment_id=? AND function_id=?)",
      (database) =>
        listRuns(
          database,
          "e",
          { statuses: ["failed"], appId: null, functionId: "f", from: null, until: null, timeField: "queued_at" },
          { limit: 20, cursor: null },
        ),
    ],
  ])("%s are found through the index that is paid for", async (_, index, read) => {
    expect(await planOf(read)).toContain(`USING INDEX ${index}`);
  });

  /** How SQLite would go about the query that `read` makes. */
  async function planOf(read: (database: D1Database) => Promise<unknown>): Promise<string> {
    const plan: string[] = [];
    const prepare = (sql: string) => ({
      bind: (...values: unknown[]) => ({
        async all() {
          const { results } = await db
            .prepare(`EXPLAIN QUERY PLAN ${sql}`)
            .bind(...values)
            .all<{ detail: string }>();
          plan.push(...results.map((row) => row.detail));
          return { results: [] };
        },
      }),
    });
    // These reads prepare, bind and fetch all; nothing else.
    await read({ prepare } as unknown as D1Database);
    return plan.join("\n");
  }
});

describe("runs", () => {
  beforeAll(() => ensureSchema(db));

  it("I6: of two reports the newer wins, in whatever order they arrive", async () => {
    const environmentId = freshEnvironment();
    const base = aRun(environmentId, { status: "queued", startedAt: null, endedAt: null, output: null, sequence: 1 });
    const going = { ...base, status: "running", startedAt: 5, sequence: 2 } as const;
    const ended = { ...going, status: "failed", endedAt: 9, output: { message: "no" }, sequence: 7 } as const;
    const orders = [
      [base, going, ended],
      [ended, going, base],
      [going, ended, base, going],
      [ended, ended],
    ];
    for (const [i, order] of orders.entries()) {
      const runId = encodeUlid(i, new Uint8Array(10));
      for (const row of order) await db.batch(runStatements(db, [{ ...row, runId }]));
      expect(await findRun(db, environmentId, runId)).toEqual({ ...ended, runId });
      const together = encodeUlid(i, new Uint8Array(10).fill(1));
      await db.batch(
        runStatements(
          db,
          order.map((row) => ({ ...row, runId: together })),
        ),
      );
      expect(await findRun(db, environmentId, together)).toEqual({ ...ended, runId: together });
    }
  });

  it("a run that returned null is told from one that is unfinished", async () => {
    const environmentId = freshEnvironment();
    const [returned, going] = [
      aRun(environmentId, { output: null }),
      aRun(environmentId, { status: "running", output: null }),
    ];
    await db.batch(runStatements(db, [returned, going]));
    const { results } = await db
      .prepare("SELECT output FROM runs WHERE environment_id = ?1 ORDER BY run_id")
      .bind(environmentId)
      .all();
    expect(results).toEqual([{ output: "null" }, { output: null }]);
    expect(await findRun(db, environmentId, returned.runId)).toEqual(returned);
  });

  it.each<[string, Json, boolean]>([
    ["nested deeper than SQLite's JSON allows", nested(5000), true],
    ["of control characters and half surrogates", "\u0000\u001f\ud83d", true],
    ["larger than a row, which only the object keeps", "x".repeat(HISTORY.rowBytes), false],
  ])("an output %s harms nobody", async (_, output, kept) => {
    const environmentId = freshEnvironment();
    const [odd, plain] = [aRun(environmentId, { output }), aRun(environmentId)];
    await db.batch(runStatements(db, [odd, plain]));
    const found = await findRun(db, environmentId, odd.runId);
    expect(JSON.stringify(found?.output)).toBe(JSON.stringify(kept ? output : null));
    expect(await findRun(db, environmentId, plain.runId)).toEqual(plain);
  });
});

function nested(depth: number): Json {
  let value: Json = [];
  for (let i = 0; i < depth; i++) value = [value];
  return value;
}

describe("the consumer", () => {
  type Far = { reports?: Map<string, RunReport>; failing?: ReadonlySet<string> };

  /** Bindings whose run objects answer from a script: what is beyond our control is whether a call to them fails (faults.md #24). */
  function world({ reports = new Map(), failing = new Set() }: Far = {}, database: D1Database = db) {
    const confirmed: [string, number][] = [];
    const getByName = (name: string) => {
      const guard = async <Value>(value: () => Value) => {
        if (failing.has(name)) throw new Error("the object is overloaded");
        return value();
      };
      return {
        report: () => guard(() => reports.get(name) ?? null),
        confirm: (sequence: number) => guard(() => void confirmed.push([name, sequence])),
      };
    };
    // The consumer uses the database and two methods of run objects.
    return { bindings: { ...bindings, DB: database, RUN: { getByName } } as unknown as Bindings, confirmed };
  }

  async function consume(bodies: readonly HistoryMessage[], on: Bindings, attempts = 1) {
    const messages = bodies.map((body, i) => ({ id: `m${i}`, timestamp: new Date(), attempts, body }));
    const batch = createMessageBatch<HistoryMessage>("millrace-history", messages);
    const retries = batch.messages.map((item) => vi.spyOn(item, "retry"));
    await consumeHistory(batch, on);
    const { explicitAcks, retryMessages } = await getQueueResult(batch, createExecutionContext());
    const delays = retries.flatMap(({ mock }) => mock.calls.map(([options]) => options?.delaySeconds));
    return { acked: explicitAcks.toSorted(), retried: retryMessages.map(({ msgId }) => msgId).toSorted(), delays };
  }

  const message = (report: RunReport): HistoryMessage => ({ kind: "report", report });
  const nameOf = ({ run }: RunReport) => `${run.environmentId}:${run.runId}`;

  it("writes a batch in one transaction, confirms the ended runs and acknowledges all", async () => {
    const environmentId = freshEnvironment();
    const batches: number[] = [];
    const { database } = databaseOfAnotherIsolate((statements) => {
      batches.push(statements.length);
      return db.batch(statements);
    });
    const { bindings: on, confirmed } = world({}, database);
    const ended = [aReport(environmentId), aReport(freshEnvironment(), { status: "cancelled", sequence: 8 })];
    const going = aReport(environmentId, { status: "running", endedAt: null, output: null });
    const { acked, retried } = await consume([...ended, going].map(message), on);
    expect({ acked, retried, batches }).toEqual({ acked: ["m0", "m1", "m2"], retried: [], batches: [2] });
    expect(confirmed).toEqual(ended.map((report) => [nameOf(report), report.run.sequence]));
    for (const { run, events } of [...ended, going]) {
      expect(await findRun(db, run.environmentId, run.runId)).toEqual(run);
      for (const stored of events) {
        expect(await findEvent(db, run.environmentId, stored.event.internalId)).toEqual({ ...stored, routed: true });
      }
    }
  });

  it("faults #4: the same message again changes nothing and is acknowledged again", async () => {
    const report = aReport(freshEnvironment());
    const { bindings: on, confirmed } = world();
    for (let i = 0; i < 3; i++)
      expect((await consume([message(report), message(report)], on)).acked).toEqual(["m0", "m1"]);
    expect(await findRun(db, report.run.environmentId, report.run.runId)).toEqual(report.run);
    expect(confirmed.length).toBeGreaterThanOrEqual(3);
  });

  it("asks the run's object for a report that was too large, and lets go of a run that is gone", async () => {
    const report = aReport(freshEnvironment(), { output: "x".repeat(200_000) });
    const { environmentId, runId } = report.run;
    const { bindings: on, confirmed } = world({ reports: new Map([[nameOf(report), report]]) });
    const reference = { kind: "reference", environmentId, runId } as const;
    const gone = { kind: "reference", environmentId, runId: "01ARZ3NDEKTSV4RRFFQ69G5FAV" } as const;
    expect(await consume([gone, reference], on)).toMatchObject({ acked: ["m0", "m1"], retried: [] });
    expect(await findRun(db, environmentId, runId)).toEqual(report.run);
    expect(confirmed).toEqual([[nameOf(report), report.run.sequence]]);
  });

  it("faults #25: without the database nothing is acknowledged or confirmed, and everything is tried again, later each time", async () => {
    const { database } = databaseOfAnotherIsolate(() => Promise.reject(new Error("D1 is unavailable")));
    const { bindings: on, confirmed } = world({}, database);
    const bodies = [aReport(freshEnvironment()), aReport(freshEnvironment())].map(message);
    const delays: (number | undefined)[] = [];
    for (const attempts of [1, 2, 5, 20]) {
      const settled = await consume(bodies, on, attempts);
      expect(settled).toMatchObject({ acked: [], retried: ["m0", "m1"] });
      delays.push(...new Set(settled.delays));
    }
    expect(delays).toEqual([1, 2, 16, 60]);
    expect(confirmed).toEqual([]);
  });

  it("faults #24: a run that cannot be reached is tried again and holds up no other", async () => {
    const [reachable, lost, lostReference] = [1, 2, 3].map(() => aReport(freshEnvironment()));
    if (reachable === undefined || lost === undefined || lostReference === undefined)
      throw new Error("three were made");
    const { bindings: on, confirmed } = world({ failing: new Set([nameOf(lost), nameOf(lostReference)]) });
    const { environmentId, runId } = lostReference.run;
    const bodies = [message(lost), message(reachable), { kind: "reference", environmentId, runId } as const];
    expect(await consume(bodies, on)).toMatchObject({ acked: ["m1"], retried: ["m0", "m2"] });
    expect(confirmed).toEqual([[nameOf(reachable), reachable.run.sequence]]);
  });

  it("faults #22: a report that cannot be written stops being in the way at its second delivery", async () => {
    const poison = aReport(freshEnvironment());
    const spoilt: RunReport = { ...poison, run: { ...poison.run, functionSlug: null as unknown as string } };
    const good = aReport(freshEnvironment());
    const { bindings: on } = world();
    expect((await consume([message(spoilt), message(good)], on)).acked).toEqual([]);
    expect(await consume([message(spoilt), message(good)], on, 2)).toMatchObject({ acked: ["m1"], retried: ["m0"] });
    expect(await findRun(db, good.run.environmentId, good.run.runId)).toEqual(good.run);
  });

  it("drops what a newer version sent, and says so", async () => {
    const newer = { kind: "trace" } as unknown as HistoryMessage;
    expect(await consume([newer], world().bindings)).toMatchObject({ acked: ["m0"], retried: [] });
  });
});
