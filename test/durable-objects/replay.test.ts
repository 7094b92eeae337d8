import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { Operation } from "../../durable-objects/operation.ts";
import { Run } from "../../durable-objects/run.ts";
import { pauseFunction, resumeFunction } from "../../src/apps/pauses.ts";
import type { OperationState, PageOutcome, ReplayRequest } from "../../src/decide/operation/operation.ts";
import type { RoutedEvent } from "../../src/events/event.ts";
import { storeEvents } from "../../src/history/events.ts";
import type { RunStatus } from "../../src/history/message.ts";
import { runStatements } from "../../src/history/runs.ts";
import { ensureSchema } from "../../src/history/schema.ts";
import { newUlid } from "../../src/ids.ts";
import { REPLAY } from "../../src/limits.ts";
import { operationStub } from "../../src/objects.ts";
import { preview } from "../../src/operations/preview.ts";
import { replayPage } from "../../src/operations/replay.ts";
import { anEvent, aRun, bindings, freshEnvironment } from "./records.ts";
import { muteApps, registerFunctions } from "./registered.ts";

const db = bindings.DB;
const HOUR = 3_600_000;
const fn = { id: "id-of-shop-rep", slug: "shop-rep" };

interface World {
  readonly environmentId: string;
  readonly request: ReplayRequest;
  /** Ids of the failed runs that history knows, in order. */
  readonly runs: readonly string[];
}

/** So many failed runs, which only history knows, and a replay of them. Their new runs do not begin before an hour has passed. */
async function world(count: number, { events = 1, kept = count, singleton = false } = {}): Promise<World> {
  const environmentId = freshEnvironment();
  await registerFunctions(
    db,
    environmentId,
    { "shop-rep": ["app/rep"] },
    singleton ? { singleton: { mode: "skip", key: null } } : {},
  );
  const begun = Date.now() - 60_000;
  const stored: RoutedEvent[] = [];
  const rows = Array.from({ length: count }, (_, n) => {
    const own = Array.from({ length: events }, () =>
      anEvent({ receivedAt: begun + n, payload: { name: "app/rep", data: { n }, ts: Date.now() + HOUR } }),
    );
    if (n < kept) stored.push(...own);
    return aRun(environmentId, {
      runId: newUlid(begun + n),
      functionId: fn.id,
      functionSlug: fn.slug,
      status: "failed",
      queuedAt: begun + n,
      endedAt: begun + n + 5,
      eventIds: own.map(({ event }) => event.internalId),
      output: { name: "Error", message: `bug ${n}` },
    });
  });
  await storeEvents(db, environmentId, stored, { routed: true });
  await db.batch(runStatements(db, rows));
  return { environmentId, request: requestIn(environmentId), runs: rows.map(({ runId }) => runId) };
}

function requestIn(environmentId: string, over: Partial<ReplayRequest> = {}): ReplayRequest {
  const now = Date.now();
  return {
    id: newUlid(now),
    environmentId,
    kind: "replay",
    app: { id: "app-id", name: "shop" },
    function: fn,
    after: null,
    before: now,
    condition: null,
    createdAt: now,
    name: "again",
    statuses: ["failed"],
    preview: 0,
    ...over,
  };
}

/** Starts of runs, by environment: how often each was asked to begin. */
const starts = new Map<string, string[]>();
const startsIn = ({ environmentId }: World) => starts.get(environmentId) ?? [];

/** All pages of one pass; answers what they came to. */
async function pass(request: ReplayRequest) {
  const pages: PageOutcome[] = [];
  let cursor: string | null = null;
  do {
    const page = await replayPage(bindings, request, { cursor });
    pages.push(page);
    cursor = page.hold === undefined ? page.cursor : null;
  } while (cursor !== null);
  const sum = (of: (page: (typeof pages)[number]) => number) => pages.reduce((all, page) => all + of(page), 0);
  return {
    pages: pages.length,
    count: sum(({ count }) => count),
    asked: sum(({ asked }) => asked),
    lost: sum(({ lost = 0 }) => lost),
  };
}

beforeAll(async () => {
  await ensureSchema(db);
  muteApps();
  const start = Run.prototype.start;
  vi.spyOn(Run.prototype, "start").mockImplementation(async function (this: Run, identity) {
    starts.set(identity.environmentId, [...(starts.get(identity.environmentId) ?? []), identity.runId]);
    return await start.call(this, identity);
  });
});

describe("a pass over history", () => {
  it("CR-24: starts one run for each that is chosen; another pass starts nothing and counts the same", async () => {
    const one = await world(60);
    expect(await pass(one.request)).toEqual({ pages: 3, count: 60, asked: 60, lost: 0 });
    expect(new Set(startsIn(one)).size).toBe(60);
    // No new run has shown itself in history yet: asked again, each says that it exists.
    expect(await pass(one.request)).toMatchObject({ count: 60, asked: 60 });
    expect(new Set(startsIn(one)).size).toBe(60);
    const rows = [...new Set(startsIn(one))].map((runId) =>
      aRun(one.environmentId, { runId, functionId: fn.id, queuedAt: Date.now(), status: "queued", endedAt: null }),
    );
    await db.batch(runStatements(db, rows));
    expect(await pass(one.request)).toEqual({ pages: 1, count: 60, asked: 0, lost: 0 });
    expect(startsIn(one)).toHaveLength(120);
  });

  it("CR-24: a page that is done again, or by two at a time, doubles nothing", async () => {
    const one = await world(10);
    const pages = await Promise.all([1, 2].map(() => replayPage(bindings, one.request, { cursor: null })));
    expect(pages.map(({ count }) => count)).toEqual([10, 10]);
    expect(new Set(startsIn(one)).size).toBe(10);
  });

  it("another replay of the same runs starts others", async () => {
    const one = await world(3);
    await pass(one.request);
    await pass(requestIn(one.environmentId));
    expect(new Set(startsIn(one)).size).toBe(6);
  });

  it("CR-22: with a condition only what meets it is started, wherever pages are cut", async () => {
    const one = await world(70);
    const condition = "event.data.n % 2 == 0 && output.message != 'bug 4'";
    const request = { ...one.request, condition };
    expect(await preview(bindings, request)).toEqual({ count: 34, exact: true });
    expect(await pass(request)).toMatchObject({ count: 34, asked: 34, pages: 2 });
    expect(new Set(startsIn(one)).size).toBe(34);
  });

  it("CR-25: runs whose events are gone are counted as lost, and the others go on", async () => {
    const one = await world(30, { kept: 25 });
    expect(await pass(one.request)).toEqual({ pages: 2, count: 25, asked: 30, lost: 5 });
  });

  it("CR-21: a batch keeps its events, and large batches are loaded one by one", async () => {
    const one = await world(3, { events: 15 });
    expect(await pass(one.request)).toMatchObject({ count: 3 });
    const [first = ""] = startsIn(one);
    expect(await bindings.RUN.getByName(`${one.environmentId}:${first}`).events()).toHaveLength(15);
  });

  it("FC-43: a singleton lets one start; the page waits before the next, and goes on from there", async () => {
    const one = await world(4, { singleton: true });
    const first = await replayPage(bindings, one.request, { cursor: null });
    expect(first).toMatchObject({ count: 1, asked: 1, hold: "wait", cursor: one.runs[0] });
    const again = await replayPage(bindings, one.request, { cursor: first.cursor });
    expect(again).toMatchObject({ count: 0, asked: 0, hold: "wait", cursor: one.runs[0] });
    expect(startsIn(one)).toHaveLength(1);
    await bindings.RUN.getByName(`${one.environmentId}:${startsIn(one)[0]}`).cancel({ by: "api" });
    const next = await vi.waitFor(async () => {
      const page = await replayPage(bindings, one.request, { cursor: first.cursor });
      expect(page.count).toBe(1);
      return page;
    }, 10_000);
    expect(next).toMatchObject({ asked: 1, hold: "wait", cursor: one.runs[1] });
    // A new pass meets the first ones again, which are known or say that they exist.
    expect(await replayPage(bindings, one.request, { cursor: null })).toMatchObject({ hold: "wait" });
    expect(new Set(startsIn(one)).size).toBe(2);
  });

  it("CR-14: waits while the function is paused, and ends when it is archived", async () => {
    const one = await world(2);
    await pauseFunction(bindings, one.environmentId, fn.id, { running: "hold", now: Date.now() });
    expect(await replayPage(bindings, one.request, { cursor: null })).toMatchObject({
      hold: "wait",
      asked: 0,
      cursor: null,
    });
    await resumeFunction(bindings, one.environmentId, fn.id, Date.now() + 1);
    expect(await replayPage(bindings, one.request, { cursor: null })).toMatchObject({ count: 2 });
    await registerFunctions(db, one.environmentId, { "shop-other": ["app/rep"] });
    const request = { ...one.request, function: { id: "id-of-nobody", slug: "shop-nobody" } };
    expect(await replayPage(bindings, request, { cursor: null })).toMatchObject({ hold: "stop" });
  });
});

describe("the replay's object", () => {
  const stubOf = ({ environmentId, request }: World) => operationStub(bindings, environmentId, request.id);
  const stateOf = (stub: DurableObjectStub<Operation>) =>
    runInDurableObject(stub, (operation) => operation.view() as OperationState);
  /** The ends of the runs it has started, as history tells them. */
  const tell = async (one: World, status: RunStatus) => {
    const rows = [...new Set(startsIn(one))].map((runId) =>
      aRun(one.environmentId, { runId, functionId: fn.id, status, replayId: one.request.id, sequence: 9 }),
    );
    await db.batch(runStatements(db, rows));
  };

  it("CR-24: rests between pages, looks again until history must know all, then waits for every end", {
    timeout: 60_000,
  }, async () => {
    const one = await world(30);
    const stub = stubOf(one);
    expect(await stub.begin(one.request)).toMatchObject({ status: "running", count: 0, watch: null });
    expect(await stub.begin({ ...one.request, name: "other" })).toMatchObject({ request: { name: "again" } });
    const first = await vi.waitFor(
      async () => {
        const state = await stateOf(stub);
        expect(state.count).toBe(REPLAY.page.acts);
        return state;
      },
      { timeout: 10_000, interval: 10 },
    );
    expect(first.due - Date.now()).toBeGreaterThan(0);
    await vi.waitFor(async () => expect((await stateOf(stub)).watch).not.toBeNull(), {
      timeout: 40_000,
      interval: 100,
    });
    expect(new Set(startsIn(one)).size).toBe(30);
    expect(await stateOf(stub)).toMatchObject({ status: "running", count: 30 });
    await tell(one, "completed");
    await runDurableObjectAlarm(stub);
    expect(await stateOf(stub)).toMatchObject({ status: "completed", watch: { ended: 30 } });
  });

  it("CR-24: stopped between two pages it starts nothing more", { timeout: 30_000 }, async () => {
    const one = await world(100);
    const stub = stubOf(one);
    await stub.begin(one.request);
    await vi.waitFor(async () => expect((await stateOf(stub)).count).toBeGreaterThan(0), {
      timeout: 10_000,
      interval: 10,
    });
    const stopped = await stub.stop();
    expect(stopped).toMatchObject({ status: "stopped" });
    await scheduler.wait(2 * REPLAY.rest);
    const started = new Set(startsIn(one)).size;
    expect(started).toBeLessThan(100);
    expect(await stateOf(stub)).toMatchObject({ status: "stopped", count: started });
    await runDurableObjectAlarm(stub);
    expect(new Set(startsIn(one)).size).toBe(started);
  });
});
