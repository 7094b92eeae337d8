import { beforeAll, describe, expect, it } from "vitest";
import { restV1 } from "../../src/api/rest-v1.ts";
import { LOCAL } from "../../src/environments/environment.ts";
import { storeEvents } from "../../src/history/events.ts";
import type { RunStatus } from "../../src/history/message.ts";
import { type RunFilter, runStatements } from "../../src/history/runs.ts";
import { ensureSchema } from "../../src/history/schema.ts";
import { encodeUlid, newUlid } from "../../src/ids.ts";
import { SEARCH } from "../../src/limits.ts";
import { listEvents } from "../../src/search/events.ts";
import { listRuns, searchRuns } from "../../src/search/runs.ts";
import { compileSearch, type SearchPlace } from "../../src/search/source.ts";
import { apiOf, getFrom } from "./api.ts";
import { anEvent, aRun, bindings, freshEnvironment } from "./records.ts";

const db = bindings.DB;

const app = apiOf([restV1]);
const get = (path: string) => getFrom(app, path);

function expression(source: string, place: SearchPlace) {
  const compiled = compileSearch(source, place);
  if (!compiled.ok) throw new Error(compiled.error.message);
  return compiled.expression;
}

const ANY_EVENT = { name: null, receivedAfter: null, receivedBefore: null };
const ANY_RUN: RunFilter = {
  statuses: [],
  appId: null,
  functionId: null,
  from: null,
  until: null,
  timeField: "queued_at",
};

async function findEvents(environmentId: string, source: string, limit = 20) {
  const page = { limit, cursor: null };
  return await listEvents(db, environmentId, ANY_EVENT, page, expression(source, "event_search"));
}

async function findRuns(
  environmentId: string,
  source: string,
  filter: Partial<RunFilter> = {},
  cursor: string | null = null,
) {
  const page = { limit: 20, cursor };
  return await searchRuns(bindings, environmentId, { ...ANY_RUN, ...filter }, page, expression(source, "run_search"));
}

beforeAll(() => ensureSchema(db));

describe("searching events", () => {
  it("OB-1: by fields of the event, several lines together", async () => {
    const environmentId = freshEnvironment();
    const make = (name: string, data: Record<string, string | number>) => anEvent({ payload: { name, data } });
    const [a, b, c] = [make("shop", { hello: "world" }), make("billing", { hello: "world" }), make("shop", { n: 7 })];
    await storeEvents(db, environmentId, [a, b, c], { routed: true });
    const ids = async (source: string) =>
      (await findEvents(environmentId, source)).items.map(({ event }) => event.internalId);
    expect(await ids('event.data.hello == "world"\nevent.name != "billing"')).toEqual([a.event.internalId]);
    expect(await ids("event.data.n >= 7 || event.name == 'billing'")).toEqual([c.event.internalId, b.event.internalId]);
    expect(await ids(`event.id == "${c.event.internalId}" && event.v == null`)).toEqual([c.event.internalId]);
    expect(await ids('event.data.hello.startsWith("wor") && event.name.contains("op")')).toEqual([a.event.internalId]);
  });

  it("OB-1: the engine's own events are found when the expression names one", async () => {
    const environmentId = freshEnvironment();
    const own = anEvent({ payload: { name: "inngest/function.failed", data: { function_id: "shop-pay" } } });
    await storeEvents(db, environmentId, [own, anEvent()], { routed: true });
    const found = await findEvents(
      environmentId,
      'event.name == "inngest/function.failed" && event.data.function_id == "shop-pay"',
    );
    expect(found.items).toHaveLength(1);
    expect((await findEvents(environmentId, 'event.data.function_id == "shop-pay"')).items).toEqual([]);
  });

  it("OB-1: payloads in parts are searched like any other", async () => {
    const environmentId = freshEnvironment();
    const large = anEvent({ payload: { data: { key: "needle", blob: "x".repeat(1_600_000) } } });
    await storeEvents(db, environmentId, [anEvent(), large, anEvent()], { routed: true });
    const found = await findEvents(environmentId, 'event.data.key == "needle"');
    expect(found.items.map(({ event }) => event.internalId)).toEqual([large.event.internalId]);
  });

  it("OB-3: rows for which the expression fails are told, not passed over in silence", async () => {
    const environmentId = freshEnvironment();
    const make = (n: number | string) => anEvent({ payload: { data: { n } } });
    await storeEvents(db, environmentId, [make("a"), make(1), make("b"), make(2)], { routed: true });
    const found = await findEvents(environmentId, "event.data.n.startsWith('a')");
    expect(found.items).toHaveLength(1);
    expect(found.faults).toMatchObject({ count: 2, reason: expect.stringContaining("startsWith") });
  });

  it("API-7: by several names, by sender and by time; REST answers with how far it came", async () => {
    const name = `search/${newUlid(Date.now())}`;
    const events = ["a", "b", "c"].map((part, i) =>
      anEvent({ source: `sdk-${i}`, payload: { name: `${name}/${part}`, data: { i } } }),
    );
    await storeEvents(db, LOCAL.id, events, { routed: true });
    const names = encodeURIComponent(`${name}/a, ${name}/c`);
    const both = await get(`/v1/events?names=${names}`);
    expect(both.body.data.map(({ data }: { data: { i: number } }) => data.i)).toEqual([2, 0]);
    expect(both.body.metadata).toMatchObject({ next_cursor: null, searched_until: null, expression_errors: null });
    expect((await get(`/v1/events?names=${names}&source=sdk-2`)).body.data).toHaveLength(1);
    const q = encodeURIComponent(`event.data.i > 0\nevent.name.endsWith("b")`);
    expect((await get(`/v1/events?names=${names}&q=${q}`)).body.data).toEqual([]);
    expect((await get(`/v1/events?q=${encodeURIComponent(`event.name == "${name}/b"`)}`)).body.data).toHaveLength(1);
  });

  it.each([
    ["/v1/events", "event.data.a ==", "line 1, column 16"],
    ["/v1/events", "event.data.a == 1\noutput == 1", "line 2, column 1"],
    ["/v1/runs", "event.data.a == 1\n\n  nope", "line 3, column 3"],
  ])("OB-3: %s refuses %j and names the position", async (path, source, position) => {
    const { status, body } = await get(`${path}?q=${encodeURIComponent(source)}`);
    expect({ status, code: body.code }).toEqual({ status: 400, code: "expression_invalid" });
    expect(body.error).toContain(position);
  });
});

describe("searching runs", () => {
  it("OB-2, OB-4: by what they returned or why they failed, and by their event", async () => {
    const environmentId = freshEnvironment();
    const event = anEvent({ payload: { data: { userId: "12345" } } });
    await storeEvents(db, environmentId, [event], { routed: true });
    const eventIds = [event.event.internalId];
    const failed = aRun(environmentId, {
      status: "failed",
      eventIds,
      output: { name: "UserNotFoundError", message: "Failed to import data", stack: "" },
    });
    const returned = aRun(environmentId, { eventIds, output: { success: true, nested: [{ a: 1 }] } });
    const other = aRun(environmentId, { status: "failed", output: { name: "Error", message: "no" } });
    await db.batch(runStatements(db, [failed, returned, other]));
    const ids = async (source: string, filter: Partial<RunFilter> = {}) =>
      (await findRuns(environmentId, source, filter)).items.map(({ runId }) => runId);
    expect(await ids('output.name == "UserNotFoundError" && output.message == "Failed to import data"')).toEqual([
      failed.runId,
    ]);
    expect(await ids('event.data.userId == "12345" && output.name == "UserNotFoundError"')).toEqual([failed.runId]);
    expect(await ids('event.data.userId == "12345"')).toEqual([returned.runId, failed.runId]);
    expect(await ids("output.success == true && output.nested[0].a == 1")).toEqual([returned.runId]);
    expect(await ids("output.name != null", { statuses: ["failed"] })).toEqual([other.runId, failed.runId]);
    expect(await ids('event.name == "cart/done"', { functionId: failed.functionId })).toHaveLength(3);
  });

  it("API-10: failed and cancelled runs, unfinished ones and all others are found by status", async () => {
    const environmentId = freshEnvironment();
    const statuses: RunStatus[] = ["completed", "failed", "cancelled", "running", "queued", "skipped"];
    const several: RunStatus[][] = [
      ["failed", "cancelled"],
      ["running", "queued"],
      ["failed", "running"],
    ];
    const runs = statuses.map((status) =>
      aRun(environmentId, {
        status,
        ...(status === "running" || status === "queued" ? { endedAt: null, output: null } : {}),
      }),
    );
    await db.batch(runStatements(db, runs));
    for (const wanted of [...statuses.map((status) => [status]), ...several]) {
      const { items } = await listRuns(
        db,
        environmentId,
        { ...ANY_RUN, statuses: wanted },
        { limit: 10, cursor: null },
      );
      expect(items.map(({ status }) => status).sort()).toEqual([...wanted].sort());
      const oldest = await listRuns(
        db,
        environmentId,
        { ...ANY_RUN, statuses: wanted },
        { limit: 10, cursor: null, order: "oldest" },
      );
      expect(oldest.items).toEqual(items.toReversed());
    }
  });

  it("API-10: a stretch of time begins and ends where it says, also when ids are older than their runs", async () => {
    const environmentId = freshEnvironment();
    const hour = 60 * 60 * 1000;
    const t = Date.UTC(2026, 0, 1);
    // The last one gathered in a window for a day before it was queued.
    const runs = [0, 1, 2, 3].map((i) =>
      aRun(environmentId, {
        runId: encodeUlid(t + i * 24 * hour - (i === 3 ? 24 * hour : 0), new Uint8Array(10).fill(i)),
        queuedAt: t + i * 24 * hour,
      }),
    );
    await db.batch(runStatements(db, runs));
    const list = async (from: number | null, until: number | null) => {
      const filter = { ...ANY_RUN, from, until };
      const { items, nextCursor } = await listRuns(db, environmentId, filter, { limit: 10, cursor: null });
      expect(nextCursor).toBeNull();
      return items.map(({ queuedAt }) => (queuedAt - t) / 24 / hour);
    };
    expect(await list(t + 24 * hour, t + 48 * hour)).toEqual([1]);
    expect((await list(t + 48 * hour, null)).sort()).toEqual([2, 3]);
    expect(await list(null, t + 1)).toEqual([0]);
  });

  it("OB-3: a search that would cost too much stops, says where, and goes on from there", async () => {
    const environmentId = freshEnvironment();
    const count = SEARCH.list.passed + 20_000;
    await fill(environmentId, count);
    const rare = { ...ANY_RUN, statuses: ["skipped" as const] };
    const first = await listRuns(db, environmentId, rare, { limit: 10, cursor: null });
    expect(first.items).toEqual([]);
    expect(first.nextCursor).not.toBeNull();
    expect(first.searchedUntil).toBe(first.nextCursor);
    let [cursor, pages] = [first.nextCursor, 1];
    const found: string[] = [];
    while (cursor !== null) {
      const next = await listRuns(db, environmentId, rare, { limit: 10, cursor });
      found.push(...next.items.map(({ runId }) => runId));
      cursor = next.nextCursor;
      pages++;
    }
    expect(found).toEqual([encodeUlid(1, new Uint8Array(10))]);
    expect(pages).toBeLessThan(10);
    const matched = await findRuns(environmentId, "output.n == 70000", {}, null);
    expect(matched.items).toHaveLength(1);
  });

  it("OB-3: an expression that only the language can judge is held against 50,000 rows at most", async () => {
    const environmentId = freshEnvironment();
    await fill(environmentId, SEARCH.expression.judged + 1000);
    const first = await findRuns(environmentId, "string(output.n) == '5'");
    expect(first.items).toEqual([]);
    expect(first.searchedUntil).not.toBeNull();
    let { nextCursor: cursor } = first;
    const found: string[] = [];
    for (let pages = 0; cursor !== null && pages < 40; pages++) {
      const next = await findRuns(environmentId, "string(output.n) == '5'", {}, cursor);
      found.push(...next.items.map(({ runId }) => runId));
      cursor = next.nextCursor;
    }
    expect(found).toHaveLength(1);
  }, 60_000);
});

/** So many completed runs, number n of which returned n; the oldest is a skipped one. */
async function fill(environmentId: string, count: number): Promise<void> {
  const oldest = aRun(environmentId, { runId: encodeUlid(1, new Uint8Array(10)), status: "skipped", sequence: 0 });
  await db.batch(runStatements(db, [oldest]));
  await db
    .prepare(
      `INSERT INTO runs (environment_id, run_id, app_id, function_id, function_slug, function_version, status, queued_at, event_ids, event_name,
         output, sequence)
       WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?2)
       SELECT ?1, '01' || printf('%024d', n), 'a', 'f', 's', 1, 'completed', n, '[]', 'e', json_object('n', n), 1 FROM numbers`,
    )
    .bind(environmentId, count)
    .run();
}
