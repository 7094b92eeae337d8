import { beforeAll, describe, expect, it } from "vitest";
import { eventStatements, findEvent, loadEvents, storeEvents } from "../../src/history/events.ts";
import { ensureSchema } from "../../src/history/schema.ts";
import { encodeUlid } from "../../src/ids.ts";
import { HISTORY } from "../../src/limits.ts";
import { listEvents } from "../../src/search/events.ts";
import { listRuns } from "../../src/search/runs.ts";
import { anEvent, bindings, freshEnvironment } from "./records.ts";

const db = bindings.DB;

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
    const twin = anEvent({ internalId: id, payload: { data: { blob: "y".repeat(HISTORY.rowBytes) } } });
    await storeEvents(db, theirs, [twin], { routed: true });
    expect((await findEvent(db, theirs, id))?.event).toEqual(twin.event);
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
    const at = (receivedAt: number, name: string) =>
      anEvent({ receivedAt, internalId: encodeUlid(receivedAt, new Uint8Array(10)), payload: { name } });
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
    expect(await planOf(read)).toContain(`INDEX ${index}`);
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
