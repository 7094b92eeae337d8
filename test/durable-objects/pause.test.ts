import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { Run } from "../../durable-objects/run.ts";
import { changeCatalog } from "../../src/apps/change-catalog.ts";
import type { PausedRuns } from "../../src/apps/function.ts";
import { pauseFunction, readPause, resumeFunction } from "../../src/apps/pauses.ts";
import type { LineRef } from "../../src/decide/capacity/line.ts";
import type { RunIdentity } from "../../src/decide/run/identity.ts";
import { findRun, runStatements } from "../../src/history/runs.ts";
import { newUlid } from "../../src/ids.ts";
import { PAUSE } from "../../src/limits.ts";
import { pauseStub, runStub } from "../../src/objects.ts";
import { anEvent, aRun, bindings, freshEnvironment } from "./records.ts";
import { registerFunctions } from "./registered.ts";

const db = bindings.DB;
const FN = "id-of-fn";
const HOUR = 3_600_000;
/** ms; a busy machine may take its time. */
const PATIENCE = 20_000;

let environmentId = "";
let calls: string[] = [];

/** What the app answers to a call: operations, or null to end the run. */
let answer: (runId: string) => object[] | null = () => null;

/** The app notes each call. */
async function app(_url: string | URL | Request, init?: RequestInit): Promise<Response> {
  const call = (await new Request("http://app", { ...init, method: "POST" }).json()) as { ctx: { run_id: string } };
  calls.push(call.ctx.run_id);
  const headers = { "x-inngest-sdk": "test:v1.0.0", "x-inngest-req-version": "2", "content-type": "application/json" };
  const ops = answer(call.ctx.run_id);
  return Response.json(ops ?? "done", { status: ops === null ? 200 : 206, headers });
}

const UNLIMITED = {
  priority: 0,
  priorityError: null,
  singleton: null,
  timeouts: { start: null, finish: null },
  cancelOn: [],
};

const stubOf = (runId: string) => runStub(bindings, environmentId, runId);
const statusOf = async (runId: string) => (await stubOf(runId).view())?.row.status;
const pauses = () => pauseStub(bindings, environmentId, FN);

/** Starts a run that is due after `delay` ms; history knows it unless told otherwise. */
async function begin({ delay = HOUR, known = true, slug = "fn", lines = [] as LineRef[] } = {}): Promise<string> {
  const now = Date.now();
  const identity: RunIdentity = {
    environmentId,
    runId: newUlid(now),
    app: { id: "app-id", name: "shop" },
    function: { id: `id-of-${slug}`, slug, name: slug, version: 1 },
    retries: 4,
    events: [anEvent()],
    queuedAt: now,
    startAt: now + delay,
    depth: 0,
    parent: null,
    originalRunId: null,
    ...(lines.length === 0 ? {} : { flow: { ...UNLIMITED, lines } }),
  };
  if (known) {
    const row = aRun(environmentId, {
      runId: identity.runId,
      functionId: identity.function.id,
      queuedAt: now,
      status: "queued",
      sequence: 0,
    });
    await db.batch(runStatements(db, [row]));
  }
  await stubOf(identity.runId).start(identity);
  return identity.runId;
}

const pause = (running: PausedRuns = "hold", now = Date.now()) =>
  pauseFunction(bindings, environmentId, FN, { running, now });
const resume = (now = Date.now()) => resumeFunction(bindings, environmentId, FN, now);

/** A change of the catalog by somebody who died before telling anybody. */
async function unheard(set: string): Promise<void> {
  const update = db
    .prepare(`UPDATE functions SET ${set} WHERE environment_id = ?1 AND id = ?2`)
    .bind(environmentId, FN);
  expect(await changeCatalog(bindings, environmentId, update)).toBe(true);
}

async function becomes(runId: string, status: string): Promise<void> {
  await vi.waitFor(async () => expect(await statusOf(runId)).toBe(status), PATIENCE);
}

async function isHeld(runId: string): Promise<void> {
  await vi.waitFor(
    async () => expect((await findRun(db, environmentId, runId))?.sequence).toBeGreaterThan(1),
    PATIENCE,
  );
  expect(await statusOf(runId)).not.toBe("completed");
}

beforeAll(() => vi.stubGlobal("fetch", app));
beforeEach(async () => {
  environmentId = freshEnvironment();
  calls = [];
  answer = () => null;
  await registerFunctions(db, environmentId, { fn: ["app/start"] });
});

describe("pauses in the catalog", () => {
  it("CR-14: a pause is made once, may become stricter but not milder, and ends once", async () => {
    expect(await readPause(db, environmentId, FN)).toBeNull();
    expect(await resume()).toBe(false);
    expect(await pause("hold", 1000)).toBe(true);
    expect(await pause("hold", 2000)).toBe(false);
    expect(await pause("cancel", 3000)).toBe(true);
    expect(await pause("hold", 4000)).toBe(false);
    expect(await readPause(db, environmentId, FN)).toMatchObject({ since: 1000, until: null, running: "cancel" });
    expect(await resume(5000)).toBe(true);
    expect(await resume(6000)).toBe(false);
    expect(await readPause(db, environmentId, FN)).toMatchObject({ since: 1000, until: 5000 });
  });

  it("pauses never overlap nor share a beginning, whatever the clock does", async () => {
    await pause("hold", 5000);
    await resume(4000);
    expect(await readPause(db, environmentId, FN)).toMatchObject({ since: 5000, until: 5000 });
    await pause("hold", 4000);
    expect(await readPause(db, environmentId, FN)).toMatchObject({ since: 5001, until: null });
  });

  it("CR-14: a registration leaves them alone", async () => {
    await pause("hold", 1000);
    await registerFunctions(db, environmentId, { fn: ["app/other"] });
    await registerFunctions(db, environmentId, { other: ["app/other"] });
    expect(await readPause(db, environmentId, FN)).toMatchObject({ since: 1000, until: null });
  });
});

describe("runs of a paused function", () => {
  it("CR-15: one that falls due calls nobody, shows itself at once, and goes on when the function is resumed", async () => {
    await pause();
    const runId = await begin({ delay: 0, known: false });
    await isHeld(runId);
    expect(calls).toEqual([]);
    await resume();
    await becomes(runId, "completed");
    expect(calls).toEqual([runId]);
  });

  it("CR-15: one that was told nothing finds out by itself that it may go on, also after its object was evicted", async () => {
    await pause();
    const runId = await begin({ delay: 0 });
    await isHeld(runId);
    await unheard("resumed_at = paused_at");
    await evictDurableObject(stubOf(runId));
    expect(await runDurableObjectAlarm(stubOf(runId))).toBe(true);
    await becomes(runId, "completed");
    expect(calls).toEqual([runId]);
  });

  it("CR-16: those that sleep are cancelled by a pause that says so, and told only what concerns them", async () => {
    const runIds = [await begin(), await begin(), await begin()];
    await pause("cancel");
    for (const runId of runIds) await becomes(runId, "cancelled");
    expect((await stubOf(runIds[0] ?? "").view())?.row.cancelReason).toEqual({ by: "pause" });
    await resume();
    const later = await begin();
    await runDurableObjectAlarm(pauses());
    expect(await statusOf(later)).toBe("queued");
  });

  it("CR-16: a young run that history did not know is found by a later pass", { timeout: 30_000 }, async () => {
    const runId = await begin({ known: false });
    await pause("cancel");
    await runDurableObjectAlarm(pauses());
    const row = aRun(environmentId, { runId, functionId: FN, status: "queued", sequence: 0 });
    await db.batch(runStatements(db, [row]));
    await becomes(runId, "cancelled");
  });

  it("CR-15: after 7 days they are cancelled, whoever died meanwhile", async () => {
    const runId = await begin();
    await pause("hold", Date.now() - PAUSE.hold + HOUR);
    expect(await statusOf(runId)).toBe("queued");
    const alarm = await runInDurableObject(pauses(), (_, { storage }) => storage.getAlarm());
    expect(alarm).toBeGreaterThan(Date.now() + HOUR / 2);
    expect(alarm).toBeLessThanOrEqual(Date.now() + HOUR);
    await unheard(`paused_at = ${Date.now() - PAUSE.hold}`);
    await pauses().look();
    await becomes(runId, "cancelled");
  });
});

describe("places among whole runs", () => {
  it("CR-18: a run that sleeps gives its place to another function's, and takes one again to go on", async () => {
    const limit = { limit: 1, key: "'k'", scope: "env" } as const;
    await registerFunctions(db, environmentId, { fn: ["app/a"], other: ["app/b"] }, { runConcurrency: [limit] });
    const lines: LineRef[] = [{ counts: "runs", scope: "env", functionId: "", expression: "'k'", key: "k" }];
    const sleep = { id: "s", op: "Sleep", name: "4s", displayName: "s" };
    answer = () => (calls.length === 1 ? [sleep] : null);
    const sleeping = await begin({ delay: 0, lines });
    await vi.waitFor(() => expect(calls).toEqual([sleeping]), PATIENCE);
    const waiting = await begin({ delay: 0, slug: "other", lines });
    await scheduler.wait(300);
    expect(await statusOf(waiting)).toBe("queued");
    await pause();
    await becomes(waiting, "completed");
    expect(await statusOf(sleeping)).toBe("running");
    await resume();
    await becomes(sleeping, "completed");
    expect(calls).toEqual([sleeping, waiting, sleeping]);
  });
});

describe("a change that nobody spoke of", () => {
  it("is found, because it was announced", async () => {
    const runId = await begin();
    await pauses().watch();
    await unheard(`paused_at = ${Date.now()}, paused_running = 'cancel'`);
    const alarm = await runInDurableObject(pauses(), (_, { storage }) => storage.getAlarm());
    expect(alarm).toBeLessThanOrEqual(Date.now() + PAUSE.watch);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + PAUSE.watch });
    await runDurableObjectAlarm(pauses());
    vi.useRealTimers();
    await becomes(runId, "cancelled");
  });

  it("a run that cannot be reached is told again, and keeps no other from being told", async () => {
    const heed = Run.prototype.heed;
    const [lost, other] = [await begin(), await begin()];
    let failures = 2;
    const spy = vi.spyOn(Run.prototype, "heed").mockImplementation(async function (this: Run, standing) {
      if (this.view()?.row.runId === lost && failures-- > 0) throw new Error("the object is overloaded");
      return await heed.call(this, standing);
    });
    await pause("cancel");
    await becomes(other, "cancelled");
    await becomes(lost, "cancelled");
    expect(failures).toBeLessThan(0);
    spy.mockRestore();
  });
});
