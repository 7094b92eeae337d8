import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { Bindings } from "../../../src/bindings.ts";
import type { RunIdentity } from "../../../src/decide/run/identity.ts";
import { newUlid } from "../../../src/ids.ts";
import { EVENT, WINDOW } from "../../../src/limits.ts";
import { runStub, windowStub } from "../../../src/objects.ts";
import { muteApps } from "../registered.ts";

// The plugin binds what wrangler.toml declares, which is what Bindings describes.
const bindings = env as unknown as Bindings;

const ENVIRONMENT = "env-singleton";
const FUNCTION = "22222222-2222-8222-8222-222222222222";
const skip = { verdict: "skip" };
const go = { verdict: "go", replaced: [] };

let keys = 0;
/** The window of a key nobody used before, with a way to start runs that have it. */
async function freshWindow() {
  const key = `key-${keys++}`;
  const window = await windowStub(bindings, ENVIRONMENT, "singleton", { functionId: FUNCTION, key });
  const start = async (runId: string) => await runStub(bindings, ENVIRONMENT, runId).start(identity(runId, key));
  return { window, start };
}

type Stub = Awaited<ReturnType<typeof freshWindow>>["window"];

/** A run that waits for an hour before it calls anything, so that nothing but cancelling ends it. */
function identity(runId: string, singleton: string): RunIdentity {
  const now = Date.now();
  const payload = { name: "app/a", data: {}, id: runId, ts: now, user: {} };
  const event = { internalId: runId, receivedAt: now, source: "test", deduplicationId: null, payload };
  return {
    environmentId: ENVIRONMENT,
    runId,
    app: { id: "11111111-1111-8111-8111-111111111111", name: "shop" },
    function: { id: FUNCTION, slug: "shop-one", name: "one", version: 1 },
    retries: 0,
    events: [{ event, outcomes: [], duplicate: false }],
    queuedAt: now,
    startAt: now + 3_600_000,
    depth: 0,
    parent: null,
    originalRunId: null,
    flow: {
      lines: [],
      priority: 0,
      priorityError: null,
      singleton,
      timeouts: { start: null, finish: null },
      cancelOn: [],
    },
  };
}

const cancel = (runId: string) => runStub(bindings, ENVIRONMENT, runId).cancel({ by: "api" });

const standings = (window: Stub) =>
  runInDurableObject(window, (_, { storage }) =>
    storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'claimants'").toArray().length === 0
      ? []
      : storage.sql
          .exec<{ standing: string }>("SELECT standing FROM claimants")
          .toArray()
          .map((row) => row.standing),
  );

const alarmOf = (window: Stub) => runInDurableObject(window, (_, state) => state.storage.getAlarm());

/** Lets the objects' clock jump; alarms and timers go on in real time. */
function jump(ms: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
}

beforeAll(muteApps);

afterEach(() => {
  vi.useRealTimers();
});

describe("singleton", () => {
  it("FC-37: others are skipped until the run has ended, which it says by itself", async () => {
    const { window, start } = await freshWindow();
    const [a, b, c] = [newUlid(Date.now()), newUlid(Date.now()), newUlid(Date.now())];
    expect(await window.claimSingleton(a, "skip")).toEqual(go);
    await start(a);
    expect(await window.claimSingleton(b, "skip")).toEqual(skip);
    await cancel(a);
    await vi.waitFor(async () => expect(await standings(window)).toContain("ended"), { timeout: 10_000 });
    expect(await window.claimSingleton(c, "skip")).toEqual(go);
  });

  it("every run is answered as before, also by a new instance", async () => {
    const { window, start } = await freshWindow();
    const [a, b] = [newUlid(Date.now()), newUlid(Date.now())];
    for (let i = 0; i < 2; i++) {
      expect(await window.claimSingleton(a, "skip")).toEqual(go);
      await start(a);
      expect(await window.claimSingleton(b, "skip")).toEqual(skip);
      await evictDurableObject(window);
    }
    await window.leaveSingleton(a, "ended");
    await window.leaveSingleton(a, "ended");
    await evictDurableObject(window);
    expect(await window.claimSingleton(b, "skip")).toEqual(skip);
    expect(await window.claimSingleton(a, "skip")).toEqual(go);
  });

  it("of many claims at the same moment one goes", async () => {
    const { window } = await freshWindow();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => window.claimSingleton(newUlid(Date.now()), "skip")),
    );
    expect(answers.filter(({ verdict }) => verdict === "go")).toHaveLength(1);
    expect(answers.filter(({ verdict }) => verdict === "skip")).toHaveLength(19);
  });

  it("a run that was let in and never came to exist keeps nobody out after the grace", async () => {
    const { window } = await freshWindow();
    const [a, b, c] = [newUlid(Date.now()), newUlid(Date.now()), newUlid(Date.now())];
    await window.claimSingleton(a, "skip");
    expect(await window.claimSingleton(b, "skip")).toEqual(skip);
    jump(EVENT.claimGrace);
    expect(await window.claimSingleton(c, "skip")).toEqual(go);
    expect(await window.claimSingleton(a, "skip")).toEqual(skip);
  });

  it("a run that has ended keeps nobody out, even when it could not say so", async () => {
    const { window, start } = await freshWindow();
    const [a, b] = [newUlid(Date.now()), newUlid(Date.now())];
    await start(a);
    await cancel(a);
    // As if the run had been the one until now, and its word were on the way.
    await window.claimSingleton(a, "skip");
    expect(await window.claimSingleton(b, "skip")).toEqual(go);
  });

  it("FC-38: in mode cancel every run goes, and is told whom it replaces until that one has ended", async () => {
    const { window, start } = await freshWindow();
    const [a, b] = [newUlid(Date.now()), newUlid(Date.now())];
    await window.claimSingleton(a, "cancel");
    await start(a);
    const answer = await window.claimSingleton(b, "cancel");
    expect(answer).toMatchObject({ verdict: "go", replaced: [{ runId: a }] });
    await evictDurableObject(window);
    expect(await window.claimSingleton(b, "cancel")).toEqual(answer);
    await cancel(a);
    await vi.waitFor(async () => expect(await window.claimSingleton(b, "cancel")).toEqual(go), { timeout: 10_000 });
  });

  it("nothing is left when its time is over", async () => {
    const { window } = await freshWindow();
    const [a, b] = [newUlid(Date.now()), newUlid(Date.now())];
    await window.claimSingleton(a, "skip");
    await window.claimSingleton(b, "skip");
    await window.leaveSingleton(a, "ended");
    expect(await alarmOf(window)).toBeLessThanOrEqual(Date.now() + WINDOW.remembered);
    jump(WINDOW.remembered + 1000);
    expect(await runDurableObjectAlarm(window)).toBe(true);
    expect(await standings(window)).toEqual([]);
    expect(await alarmOf(window)).toBeNull();
  });

  it("while its run goes on the window looks once a day, and soon again when it has ended", async () => {
    const { window, start } = await freshWindow();
    const a = newUlid(Date.now());
    await window.claimSingleton(a, "skip");
    await start(a);
    expect(await runDurableObjectAlarm(window)).toBe(true);
    expect(await standings(window)).toEqual(["holds"]);
    expect(await alarmOf(window)).toBeGreaterThan(Date.now() + WINDOW.check - 60_000);
    await window.leaveSingleton(a, "ended");
    expect(await alarmOf(window)).toBeLessThanOrEqual(Date.now() + WINDOW.remembered);
  });

  it("the alarm finds out that a run which was let in does not exist", async () => {
    const { window } = await freshWindow();
    await window.claimSingleton(newUlid(Date.now()), "skip");
    jump(WINDOW.remembered);
    await runDurableObjectAlarm(window);
    expect(await standings(window)).toEqual(["void"]);
    jump(2 * WINDOW.remembered);
    await runDurableObjectAlarm(window);
    expect(await standings(window)).toEqual([]);
  });
});
