import { createExecutionContext, createMessageBatch, getQueueResult } from "cloudflare:test";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { Bindings } from "../../src/bindings.ts";
import { consumeHistory } from "../../src/history/consume.ts";
import { eventStatements, findEvent } from "../../src/history/events.ts";
import type { HistoryMessage, RunReport } from "../../src/history/message.ts";
import { findRun, runStatements } from "../../src/history/runs.ts";
import { ensureSchema } from "../../src/history/schema.ts";
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
    const { results } = await db.prepare("SELECT name FROM d1_migrations ORDER BY id").all();
    const names = results.map(({ name }) => name);
    expect(names[0]).toBe("0001_initial.sql");
    expect(names).toEqual([...new Set(names)].sort());
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

  it("a long run's end costs one row more, two when it failed, an event's routing one, and a sender's id one index entry", async () => {
    const environmentId = freshEnvironment();
    const run = aRun(environmentId, { status: "running", sequence: 1, endedAt: null, output: null });
    await written(runStatements(db, [run]));
    expect(
      await written(runStatements(db, [{ ...run, status: "failed", sequence: 2, output: { message: "no" } }])),
    ).toBe(2);
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

describe("the consumer", () => {
  type Far = { reports?: Map<string, RunReport>; failing?: ReadonlySet<string> };

  /** Bindings whose run objects answer from a script: what is beyond our control is whether a call to them fails (row 24). */
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
    expect({ acked, retried, batches }).toEqual({ acked: ["m0", "m1", "m2"], retried: [], batches: [3] });
    expect(confirmed).toEqual(ended.map((report) => [nameOf(report), report.run.sequence]));
    for (const { run, events } of [...ended, going]) {
      expect(await findRun(db, run.environmentId, run.runId)).toEqual(run);
      for (const stored of events) {
        expect(await findEvent(db, run.environmentId, stored.event.internalId)).toEqual({ ...stored, routed: true });
      }
    }
  });

  it("row 4: the same message again changes nothing and is acknowledged again", async () => {
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

  it("row 25: without the database nothing is acknowledged or confirmed, and everything is tried again, later each time", async () => {
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

  it("row 24: a run that cannot be reached is tried again and holds up no other", async () => {
    const [reachable, lost, lostReference] = [1, 2, 3].map(() => aReport(freshEnvironment()));
    if (reachable === undefined || lost === undefined || lostReference === undefined)
      throw new Error("three were made");
    const { bindings: on, confirmed } = world({ failing: new Set([nameOf(lost), nameOf(lostReference)]) });
    const { environmentId, runId } = lostReference.run;
    const bodies = [message(lost), message(reachable), { kind: "reference", environmentId, runId } as const];
    expect(await consume(bodies, on)).toMatchObject({ acked: ["m1"], retried: ["m0", "m2"] });
    expect(confirmed).toEqual([[nameOf(reachable), reachable.run.sequence]]);
  });

  it("row 22: a report that cannot be written stops being in the way at its second delivery", async () => {
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
