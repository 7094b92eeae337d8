import { beforeAll, describe, expect, it } from "vitest";
import type { MinuteOfActivity } from "../../src/decide/run/activity.ts";
import type { RoutedEvent } from "../../src/events/event.ts";
import type { RunReport, RunRow } from "../../src/history/message.ts";
import { projectionStatements } from "../../src/history/projection.ts";
import { ensureSchema } from "../../src/history/schema.ts";
import { METRICS } from "../../src/limits.ts";
import { COLUMNS } from "../../src/metrics/columns.ts";
import { eventType, eventTypes, eventVolume, namesContaining } from "../../src/metrics/event-types.ts";
import { unfinishedRuns } from "../../src/metrics/gauges.ts";
import { prometheusText } from "../../src/metrics/prometheus.ts";
import { sumsByDay, sumsByFunction, sumsByPoint } from "../../src/metrics/read.ts";
import { expireMetrics } from "../../src/metrics/statements.ts";
import { anEvent, aReport, aRun, bindings, freshEnvironment } from "./records.ts";

const db = bindings.DB;
/** A minute's beginning, so that what is a few seconds later falls into the same one. */
const T = Math.floor(Date.now() / METRICS.bucket) * METRICS.bucket;
const EVER = { from: T - METRICS.retention, until: T + METRICS.retention, appId: null, functionId: null };

/** Writes reports as the consumer does; answers the rows that were written. */
async function record(reports: readonly RunReport[]): Promise<number> {
  const events = reports.flatMap(({ run, events }) =>
    events.map((stored) => ({ environmentId: run.environmentId, stored, routed: true, by: run })),
  );
  const results = await db.batch(
    projectionStatements(
      db,
      events,
      reports.map(({ run }) => run),
    ),
  );
  return results.reduce((sum, { meta }) => sum + meta.rows_written, 0);
}

async function totals(environmentId: string): Promise<Record<string, number>> {
  const rows = await sumsByFunction(db, environmentId, EVER, COLUMNS);
  const nonzero = COLUMNS.map((column) => [column, rows.reduce((sum, row) => sum + (row[column] ?? 0), 0)] as const);
  return Object.fromEntries(nonzero.filter(([, sum]) => sum !== 0));
}

const activity = (calls: number, minute = T / METRICS.bucket): MinuteOfActivity => {
  return {
    minute,
    scheduled: calls,
    succeeded: calls,
    errored: 0,
    failed: 0,
    bytes: 10 * calls,
    steps: calls,
    busy: 5,
  };
};

describe("what reports add to metrics", () => {
  beforeAll(() => ensureSchema(db));

  it("API-28: a run of one report costs one row more, a hundred runs of one function still one", async () => {
    const environmentId = freshEnvironment();
    const at = { queuedAt: T, startedAt: T + 1, endedAt: T + 9 };
    const reportAt = () => ({ ...aReport(environmentId, at), events: aReport(environmentId).events });
    const fixed = ({ run, events }: RunReport): RunReport => ({
      run,
      events: events.map((one) => ({ ...one, event: { ...one.event, receivedAt: T } })),
    });
    expect(await record([fixed(reportAt())])).toBe(6);
    expect(await record(Array.from({ length: 100 }, () => fixed(reportAt())))).toBe(501);
    expect(await totals(environmentId)).toMatchObject({ received: 101, scheduled: 101, started: 101, completed: 101 });
  });

  it.each([1, 2, 5])("API-28: reports that arrive %i times, in every order, count once", async (times) => {
    const base = { queuedAt: T, eventIds: [] };
    const make = (environmentId: string): RunRow[] => {
      const queued = aRun(environmentId, {
        ...base,
        status: "queued",
        startedAt: null,
        endedAt: null,
        sequence: 1,
        activity: [{ ...activity(0), scheduled: 1 }],
      });
      const running: RunRow = {
        ...queued,
        status: "running",
        startedAt: T + 200,
        sequence: 2,
        activity: [activity(2)],
      };
      const ended: RunRow = { ...running, status: "failed", endedAt: T + 900, sequence: 9, activity: [activity(4)] };
      return [queued, running, ended, { ...ended, sequence: 10 }];
    };
    const orders = [[0, 1, 2, 3], [2, 0, 1, 3], [3, 2, 1, 0], [1, 3, 0], [3], [0, 2]];
    for (const order of orders) {
      const environmentId = freshEnvironment();
      const rows = make(environmentId);
      const event = anEvent({ receivedAt: T });
      for (let i = 0; i < times; i++) {
        for (const index of order) {
          const run = rows[index];
          if (run !== undefined) await record([{ run, events: [event] }]);
        }
      }
      expect(await totals(environmentId), `order ${order}`).toEqual({
        received: 1,
        scheduled: 1,
        started: 1,
        failed: 1,
        calls_scheduled: 4,
        calls_succeeded: 4,
        steps: 4,
        step_bytes: 40,
        busy: 5,
        latency: 200,
        within_250: 1,
        within_500: 1,
        within_1000: 1,
        within_2500: 1,
        within_5000: 1,
        within_10000: 1,
        within_60000: 1,
      });
    }
  });

  it("API-28: of one batch that holds several reports of a run, and one event twice, each fact counts once", async () => {
    const environmentId = freshEnvironment();
    const ended = aRun(environmentId, { queuedAt: T, startedAt: T + 1, endedAt: T + 2, sequence: 5 });
    const running: RunRow = { ...ended, status: "running", endedAt: null, sequence: 2 };
    const event = anEvent({ receivedAt: T });
    await record([running, ended, running].map((run) => ({ run, events: [event] })));
    expect(await totals(environmentId)).toMatchObject({ received: 1, scheduled: 1, started: 1, completed: 1 });
  });

  it("API-28: what a long run goes on doing counts in the minutes in which it does it", async () => {
    const environmentId = freshEnvironment();
    const minute = T / METRICS.bucket;
    const running = aRun(environmentId, {
      status: "running",
      queuedAt: T,
      startedAt: T,
      endedAt: null,
      sequence: 1,
      activity: [activity(1)],
    });
    const later = [activity(3), activity(2, minute + 7)];
    await record([{ run: running, events: [] }]);
    await record([{ run: { ...running, sequence: 4, activity: later }, events: [] }]);
    const points = await sumsByPoint(db, environmentId, { ...EVER, from: T, until: T + 10 * METRICS.bucket }, [
      "steps",
    ]);
    expect(points.map(({ slot, steps }) => [slot - minute, steps])).toEqual([
      [0, 3],
      [7, 2],
    ]);
  });

  it("API-28: events of the engine's own do not count, events without a run do, and a rate limit counts for its function", async () => {
    const environmentId = freshEnvironment();
    const limited: RoutedEvent = anEvent({
      receivedAt: T,
      outcomes: [{ functionId: "f", functionSlug: "shop-limited", outcome: "skipped", reason: "rate_limited" }],
    });
    const own = anEvent({ receivedAt: T, payload: { name: "inngest/function.finished" } });
    const entries = (routed: boolean) => [limited, own].map((stored) => ({ environmentId, stored, routed }));
    for (const routed of [false, false, true, true, false]) {
      await db.batch(projectionStatements(db, entries(routed), []));
    }
    expect(await totals(environmentId)).toEqual({ received: 1, rate_limited: 1 });
    const byFunction = await sumsByFunction(db, environmentId, EVER, ["rate_limited"]);
    expect(byFunction.map(({ function_slug, rate_limited }) => [function_slug, rate_limited])).toEqual([
      ["", 0],
      ["shop-limited", 1],
    ]);
  });

  it("OB-17: a cancelled run that never began leaves the backlog, and a skipped one was never in it", async () => {
    const environmentId = freshEnvironment();
    const never = { queuedAt: T, startedAt: null, endedAt: T + 1, output: null };
    await record([
      { run: aRun(environmentId, { ...never, status: "cancelled" }), events: [] },
      { run: aRun(environmentId, { ...never, status: "skipped", sequence: 0 }), events: [] },
    ]);
    expect(await totals(environmentId)).toEqual({ scheduled: 1, cancelled: 1, dropped: 1, skipped: 1 });
  });

  it("API-28: 480 completed and 20 failed runs are just these in the text", async () => {
    const environmentId = freshEnvironment();
    const day = Date.UTC(2026, 10, 21, 12);
    const at = { queuedAt: day, startedAt: day + 30, endedAt: day + 40 };
    const runs = Array.from({ length: 500 }, (_, i) =>
      aRun(environmentId, { ...at, status: i < 20 ? "failed" : "completed" }),
    );
    await record(runs.map((run) => ({ run, events: [] })));
    const text = prometheusText(await sumsByDay(db, environmentId, day, COLUMNS), []);
    const label = 'date="2026-11-21",fn="shop-pay"';
    expect(text.split("\n")).toEqual(
      expect.arrayContaining([
        "# TYPE inngest_function_run_ended_total counter",
        `inngest_function_run_ended_total{${label},status="Completed"} 480`,
        `inngest_function_run_ended_total{${label},status="Failed"} 20`,
        `inngest_function_run_started_total{${label}} 500`,
        'millrace_event_to_first_call_seconds_bucket{date="2026-11-21",le="0.025"} 0',
        'millrace_event_to_first_call_seconds_bucket{date="2026-11-21",le="0.05"} 500',
        'millrace_event_to_first_call_seconds_sum{date="2026-11-21"} 15',
      ]),
    );
  });

  it("API-28: gauges tell runs that wait, go on and sleep", async () => {
    const environmentId = freshEnvironment();
    const going = { startedAt: T, endedAt: null, output: null, status: "running" } as const;
    const runs = [
      aRun(environmentId, { ...going, status: "queued", startedAt: null, dueAt: T }),
      aRun(environmentId, { ...going, dueAt: T + 1000 }),
      aRun(environmentId, { ...going, dueAt: T + 60 * 60 * 1000 }),
      aRun(environmentId),
    ];
    await record(runs.map((run) => ({ run, events: [] })));
    expect(await unfinishedRuns(db, environmentId, T)).toEqual([
      expect.objectContaining({ function_slug: "shop-pay", queued: 1, running: 1, sleeping: 1 }),
    ]);
  });

  it("OB-23: counts go when their time has passed, and no others", async () => {
    const environmentId = freshEnvironment();
    for (const queuedAt of [T - METRICS.retention - METRICS.bucket, T - METRICS.retention, T]) {
      await record([
        { run: aRun(environmentId, { queuedAt, startedAt: null, endedAt: null, status: "queued" }), events: [] },
      ]);
    }
    await expireMetrics(db, environmentId, T - METRICS.retention).run();
    expect(await totals(environmentId)).toEqual({ scheduled: 2 });
  });
});

describe("event names", () => {
  beforeAll(() => ensureSchema(db));

  it("OB-18: each name with its volume, its first and its last event; the engine's own are left out", async () => {
    const environmentId = freshEnvironment();
    const now = Date.now();
    const names = [...Array<string>(10).fill("shop/paid"), "shop/asked", "a/first", "inngest/function.finished"];
    const events = names.map((name) => anEvent({ payload: { name } }));
    await db.batch(
      projectionStatements(
        db,
        events.map((stored) => ({ environmentId, stored, routed: true })),
        [],
      ),
    );
    const types = await eventTypes(db, environmentId, { after: "", limit: 10, from: now - 1000 });
    expect(types.map(({ name, recent }) => [name, recent])).toEqual([
      ["a/first", 1],
      ["shop/asked", 1],
      ["shop/paid", 10],
    ]);
    expect(types[2]?.firstSeen).toBeGreaterThanOrEqual(now - 1000);
    const rest = await eventTypes(db, environmentId, { after: "a/first", limit: 1, from: now + 60_000 });
    expect(rest.map(({ name, recent }) => [name, recent])).toEqual([["shop/asked", 0]]);
    expect(await eventType(db, environmentId, "shop/paid", now - 1000)).toEqual(types[2]);
    expect(await eventType(db, environmentId, "shop/pai", now - 1000)).toBeNull();
    expect(await namesContaining(db, environmentId, "SHOP", 10)).toEqual(["shop/asked", "shop/paid"]);
    expect(await eventVolume(db, environmentId, "shop/paid", [now - 5000, now - 2000, now + 5000])).toEqual({
      counts: [0, 10],
      sources: ["js:v4.24.0"],
    });
  });
});
