import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { Schedules } from "../../durable-objects/environment/schedules.ts";
import { Run } from "../../durable-objects/run.ts";
import type { Bindings } from "../../src/bindings.ts";
import type { RunIdentity } from "../../src/decide/run/identity.ts";
import type { RunRow } from "../../src/history/message.ts";
import { forgetRuns, overdueRuns, postponeRuns } from "../../src/history/overdue.ts";
import { findRun, runStatements } from "../../src/history/runs.ts";
import { newUlid } from "../../src/ids.ts";
import { RUN, SWEEP } from "../../src/limits.ts";
import { environmentStub, runStub } from "../../src/objects.ts";
import { settingsOf } from "../../src/settings.ts";
import { rouseOverdue } from "../../src/sweep/overdue.ts";
import { walksOf, watchedDatabase } from "./plans.ts";
import { anEvent, aRun, bindings, freshEnvironment } from "./records.ts";
import { registerFunctions } from "./registered.ts";

const db = bindings.DB;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** ms; a busy machine may take its time. */
const PATIENCE = 20_000;

let environmentId = "";
let calls: string[] = [];
/** What the app answers to a call: operations, or null to end the run. */
let answer: () => object[] | null = () => null;
/** A call is answered when this resolves. */
let gate: Promise<void> = Promise.resolve();

async function app(_url: string | URL | Request, init?: RequestInit): Promise<Response> {
  const call = (await new Request("http://app", { ...init, method: "POST" }).json()) as { ctx: { run_id: string } };
  calls.push(call.ctx.run_id);
  const headers = { "x-inngest-sdk": "test:v1.0.0", "x-inngest-req-version": "2", "content-type": "application/json" };
  const ops = answer();
  await gate;
  return Response.json(ops ?? "done", { status: ops === null ? 200 : 206, headers });
}

const stubOf = (runId: string) => runStub(bindings, environmentId, runId);
const sweep = () => environmentStub(bindings, environmentId).sweep();
const statusOf = async (runId: string) => (await stubOf(runId).view())?.row.status;
const at = (now: number) => vi.useFakeTimers({ toFake: ["Date"], now });
const alarmOf = (runId: string) => runInDurableObject(stubOf(runId), (_, { storage }) => storage.getAlarm());
/** What the platform does to an alarm whose handler has failed too often. */
const dropAlarm = (runId: string) => runInDurableObject(stubOf(runId), (_, { storage }) => storage.deleteAlarm());

/** When history expects the run to be looked at; null when it has ended, undefined when it has no row. */
const dueOf = async (runId: string) =>
  (
    await db
      .prepare("SELECT due_at FROM runs WHERE environment_id = ?1 AND run_id = ?2")
      .bind(environmentId, runId)
      .first<{ due_at: number | null }>()
  )?.due_at;

/** Starts a run that is due after `delay` ms; resolves when history knows of it. */
async function begin(delay: number): Promise<string> {
  const now = Date.now();
  const identity: RunIdentity = {
    environmentId,
    runId: newUlid(now),
    app: { id: "app-id", name: "shop" },
    function: { id: "id-of-fn", slug: "fn", name: "fn", version: 1 },
    retries: 4,
    events: [anEvent()],
    queuedAt: now,
    startAt: now + delay,
    depth: 0,
    parent: null,
    originalRunId: null,
  };
  await stubOf(identity.runId).start(identity);
  await vi.waitFor(async () => expect(await dueOf(identity.runId)).not.toBeUndefined(), PATIENCE);
  return identity.runId;
}

/** Rows of runs whose objects are played by the test, which were due at `dueAt`. */
async function unfinished(count: number, dueAt: number, draft: Partial<RunRow> = {}): Promise<string[]> {
  const rows = Array.from({ length: count }, () =>
    aRun(environmentId, { status: "running", endedAt: null, output: null, dueAt, ...draft }),
  );
  await db.batch(runStatements(db, rows));
  return rows.map(({ runId }) => runId);
}

/** Plays the objects of runs. */
function play(rouse: (runId: string) => Promise<number | null>): string[] {
  const asked: string[] = [];
  vi.spyOn(Run.prototype, "rouse").mockImplementation(async function (this: Run) {
    const [environment, runId = ""] = (Reflect.get(this, "ctx") as DurableObjectState).id.name?.split(":") ?? [];
    if (environment !== environmentId) return null;
    asked.push(runId);
    return await rouse(runId);
  });
  return asked;
}

beforeAll(() => vi.stubGlobal("fetch", app));
beforeEach(async () => {
  environmentId = freshEnvironment();
  calls = [];
  answer = () => null;
  gate = Promise.resolve();
  await registerFunctions(db, environmentId, { fn: ["app/start"] });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("a run whose alarm the platform gave up", { timeout: 60_000 }, () => {
  it("I4, row 8: is found when it is overdue, and goes on", async () => {
    const runId = await begin(HOUR);
    const due = await dueOf(runId);
    await dropAlarm(runId);
    await evictDurableObject(stubOf(runId));
    at((due ?? 0) + SWEEP.margin - 1000);
    await sweep();
    expect(await alarmOf(runId)).toBeNull();
    expect(calls).toEqual([]);
    at((due ?? 0) + SWEEP.margin + 1000);
    await sweep();
    await vi.waitFor(async () => expect(await statusOf(runId)).toBe("completed"), PATIENCE);
    expect(calls).toEqual([runId]);
    await vi.waitFor(async () => expect(await dueOf(runId)).toBeNull(), PATIENCE);
  });

  it("I4: also when the instance believes that it is set", async () => {
    const runId = await begin(HOUR);
    await dropAlarm(runId);
    at(((await dueOf(runId)) ?? 0) + SWEEP.margin + 1000);
    await sweep();
    await vi.waitFor(async () => expect(await statusOf(runId)).toBe("completed"), PATIENCE);
  });

  it("I4: says when it is due next, and is not asked again before that", async () => {
    answer = () => [{ id: "s", op: "Sleep", name: "2d", displayName: "s" }];
    const runId = await begin(HOUR);
    await dropAlarm(runId);
    const rouse = vi.spyOn(Run.prototype, "rouse");
    const woken = ((await dueOf(runId)) ?? 0) + SWEEP.margin + 1000;
    at(woken);
    await sweep();
    // It sleeps, and is looked at once more before that, should history not have heard of it.
    await vi.waitFor(async () => expect(await alarmOf(runId)).toBe(woken + RUN.watchdog.first), PATIENCE);
    await vi.waitFor(async () => expect(await dueOf(runId)).toBe(woken + 2 * DAY), PATIENCE);
    at(woken + DAY);
    await sweep();
    expect(rouse).toHaveBeenCalledTimes(1);
  });

  it("I4: one that has ended tells history again", async () => {
    const runId = await begin(HOUR);
    const due = (await dueOf(runId)) ?? 0;
    const confirm = vi.spyOn(Run.prototype, "confirm").mockResolvedValue();
    await stubOf(runId).cancel({ by: "api" });
    await vi.waitFor(() => expect(confirm).toHaveBeenCalled(), PATIENCE);
    await dropAlarm(runId);
    // What it said was lost.
    await db
      .prepare("UPDATE runs SET status = 'queued', ended_at = NULL, sequence = 1, due_at = ?2 WHERE run_id = ?1")
      .bind(runId, due)
      .run();
    at(due + SWEEP.margin + 1000);
    await sweep();
    await vi.waitFor(
      async () => expect(await findRun(db, environmentId, runId)).toMatchObject({ status: "cancelled" }),
      PATIENCE,
    );
    expect(await alarmOf(runId)).toBeGreaterThan(Date.now());
  });

  it("I4: one that was woken long before its time tells history, which would look after it too late", async () => {
    answer = () => [{ id: "w", op: "WaitForEvent", displayName: "w", opts: { event: "app/go", timeout: "7d" } }];
    const runId = await begin(0);
    await vi.waitFor(async () => expect(await dueOf(runId)).toBeGreaterThan(Date.now() + 6 * DAY), PATIENCE);
    let open = () => {};
    gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    answer = () => null;
    expect(await stubOf(runId).offerEvent("w", anEvent({ payload: { name: "app/go" } }).event)).toBe(true);
    await vi.waitFor(async () => expect(await dueOf(runId)).toBeLessThan(Date.now() + HOUR), PATIENCE);
    open();
    await vi.waitFor(async () => expect(await dueOf(runId)).toBeNull(), PATIENCE);
  });
});

describe("the sweep of overdue runs", { timeout: 60_000 }, () => {
  it("I4: asks only those that are overdue, those that have been for longest first, and not the same ones every minute", async () => {
    const now = Date.now();
    await unfinished(30, now + HOUR);
    await unfinished(5, now - SWEEP.margin + 1000);
    const [late] = await unfinished(1, now - SWEEP.margin - 1000);
    const [later] = await unfinished(1, now - HOUR);
    const asked = play(async () => Date.now());
    await sweep();
    expect(asked).toEqual([later, late]);
    await sweep();
    expect(asked).toHaveLength(2);
    const [again] = await Promise.all([late, later].map((runId) => dueOf(runId ?? "")));
    expect(again).toBeGreaterThanOrEqual(now + SWEEP.again);
    at(Date.now() + SWEEP.again + SWEEP.margin + 1000);
    await sweep();
    expect(asked).toHaveLength(2 + 5 + 2);
  });

  it("I4: reads nothing of the runs that sleep", async () => {
    const now = Date.now();
    await unfinished(300, now + HOUR);
    const [late] = await unfinished(1, now - HOUR);
    const { db: watched, queries } = watchedDatabase();
    const overdue = await overdueRuns(watched, environmentId, now, 200);
    expect(overdue).toMatchObject([{ runId: late, dueAt: now - HOUR }]);
    await postponeRuns(
      watched,
      environmentId,
      overdue.map((run) => ({ ...run, until: now })),
    );
    await forgetRuns(watched, environmentId, [newUlid(now)]);
    expect(queries.size).toBe(3);
    for (const query of queries) expect(await walksOf(query)).toEqual([]);
  });

  it("row 22: one that cannot be asked keeps no other, and is asked again later", async () => {
    const complaint = vi.spyOn(console, "error").mockImplementation(() => {});
    const now = Date.now();
    const [broken = ""] = await unfinished(1, now - 2 * HOUR);
    const [other = ""] = await unfinished(1, now - HOUR);
    play(async (runId) => {
      if (runId === broken) throw new Error("out of memory");
      return now + DAY;
    });
    await sweep();
    expect(await dueOf(other)).toBe(now + DAY);
    expect(await dueOf(broken)).toBeGreaterThanOrEqual(now + SWEEP.again);
    expect(complaint).toHaveBeenCalledWith(expect.stringContaining(broken));
  });

  it("I4: goes through any number, a bounded part in each sweep", async () => {
    const { page, pages } = SWEEP.runs;
    const most = page * pages;
    await unfinished(most + 10, Date.now() - HOUR);
    const asked: string[] = [];
    const rouse = async () => Date.now() + DAY;
    // Objects that the test plays from outside: a thousand real ones take seconds to make.
    const RUN = { getByName: (name: string) => ({ rouse, name: asked.push(name) }) };
    const played = { ...bindings, RUN } as unknown as Bindings;
    await rouseOverdue(played, environmentId);
    expect(asked).toHaveLength(most);
    await rouseOverdue(played, environmentId);
    expect(asked).toHaveLength(most + 10);
    expect(new Set(asked).size).toBe(most + 10);
  });

  it("OB-24: a run of which nothing is left but its row leaves history when it is past its retention", async () => {
    const complaint = vi.spyOn(console, "error").mockImplementation(() => {});
    const now = Date.now();
    const old = now - settingsOf(bindings).retention - 1000;
    const [gone = ""] = await unfinished(1, now - HOUR, { queuedAt: old });
    const [odd = ""] = await unfinished(1, now - HOUR);
    await sweep();
    expect(await dueOf(gone)).toBeUndefined();
    // Nobody knows what became of this one: it is looked at again, but not soon.
    expect(await dueOf(odd)).toBeGreaterThanOrEqual(now + SWEEP.unknown);
    expect(complaint).toHaveBeenCalledWith(expect.stringContaining(odd));
  });

  it("I6: what a run has reported meanwhile stays", async () => {
    const now = Date.now();
    const [ended = "", moved = ""] = await unfinished(2, now - HOUR);
    const overdue = await overdueRuns(db, environmentId, now, 10);
    await db.prepare("UPDATE runs SET due_at = NULL, status = 'completed' WHERE run_id = ?1").bind(ended).run();
    await db
      .prepare("UPDATE runs SET due_at = ?2 WHERE run_id = ?1")
      .bind(moved, now + DAY)
      .run();
    await postponeRuns(
      db,
      environmentId,
      overdue.map((run) => ({ ...run, until: now })),
    );
    await forgetRuns(db, environmentId, [ended]);
    expect([await dueOf(ended), await dueOf(moved)]).toEqual([null, now + DAY]);
  });

  it("a part that fails keeps no other from being done", async () => {
    const complaint = vi.spyOn(console, "error").mockImplementation(() => {});
    const [late = ""] = await unfinished(1, Date.now() - HOUR);
    const asked = play(async () => Date.now() + DAY);
    const stub = environmentStub(bindings, environmentId);
    await runInDurableObject(stub, async (instance) => {
      vi.spyOn(Schedules.prototype, "reconcile").mockRejectedValueOnce(new Error("the catalog is unreadable"));
      await expect(instance.sweep()).rejects.toThrow("the catalog is unreadable");
    });
    expect(asked).toEqual([late]);
    expect(complaint).toHaveBeenCalledWith(expect.stringContaining("the catalog is unreadable"));
  });
});
