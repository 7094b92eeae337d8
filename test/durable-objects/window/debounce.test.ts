import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { FunctionConfiguration } from "../../../src/apps/function.ts";
import type { EventOutcome } from "../../../src/events/event.ts";
import type { Gathering } from "../../../src/events/gathering.ts";
import { findEvent, storeEvents } from "../../../src/history/events.ts";
import { runIdFor } from "../../../src/ids.ts";
import { WAITS, WINDOW } from "../../../src/limits.ts";
import { listRuns } from "../../../src/search/runs.ts";
import { muteApps, registerFunctions } from "../registered.ts";
import {
  alarmAfter,
  alarmOf,
  bindings,
  changesOf,
  eventsOf,
  gatherings,
  membersOf,
  spoil,
  type WindowStub,
  windowOf,
} from "./gathered.ts";

const MIB = 1024 * 1024;
const PERIOD = 60_000;
const debounce = { period: PERIOD, timeout: null, key: null };

let environments = 0;
/** An environment of its own with the debounced function `fn`, and the window of one of its keys. */
async function freshWindow(options: Partial<FunctionConfiguration> = {}) {
  const environmentId = `env-debounce-${environments++}`;
  await registerFunctions(bindings.DB, environmentId, { fn: ["app/a"] }, { debounce, ...options });
  return { environmentId, window: await windowOf(environmentId, "debounce") };
}

function join(window: WindowStub, events: readonly Gathering[], options = {}): Promise<string[]> {
  const given = { version: 1, period: PERIOD, timeout: null, ...options };
  return window.join({ kind: "debounce", events, key: "", options: given, depth: 0 });
}

function one(n: number, draft = {}): Gathering {
  const [gathering] = gatherings(1, () => ({ data: { n }, ...draft }));
  if (gathering === undefined) throw new Error("one was asked for");
  return gathering;
}

/** Stores an event as ingest does. */
async function store(environmentId: string, { event }: Gathering, runId: string): Promise<void> {
  const outcomes: EventOutcome[] = [
    { functionId: "other", functionSlug: "other", outcome: "started", runId: "another run" },
    { functionId: "id-of-fn", functionSlug: "fn", outcome: "debounced", runId },
  ];
  await storeEvents(bindings.DB, environmentId, [{ event, outcomes, duplicate: false }], { routed: true });
}

async function outcomesOf(environmentId: string, { event }: Gathering) {
  return (await findEvent(bindings.DB, environmentId, event.internalId))?.outcomes;
}

function rows(window: WindowStub, table: "debounces" | "remembered"): Promise<number> {
  return runInDurableObject(window, (_, { storage }) =>
    Number(storage.sql.exec(`SELECT COUNT(*) AS n FROM ${table}`).one()["n"]),
  );
}

beforeAll(muteApps);

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("a debounce window", () => {
  it("FC-24: starts one run with the last event when it has been quiet", async () => {
    const { environmentId, window } = await freshWindow();
    const runIds = [...(await join(window, [one(1)])), ...(await join(window, [one(2), one(3)]))];
    expect(new Set(runIds).size).toBe(1);
    expect(await window.openWindow()).toMatchObject({ events: 3, runId: runIds[0] });
    expect(await eventsOf(environmentId, runIds[0])).toBeNull();
    await alarmAfter(window, PERIOD);
    expect(await membersOf(environmentId, runIds[0])).toEqual([3]);
    expect(await window.openWindow()).toBeNull();
  });

  it("FC-24: an event writes one row; the alarm stays, and is set again when it comes too early", async () => {
    const { window } = await freshWindow();
    await join(window, [one(1)]);
    const [before, due] = [await changesOf(window), await alarmOf(window)];
    const later = Date.now() + PERIOD / 2;
    vi.useFakeTimers({ toFake: ["Date"], now: later });
    await join(window, [one(2)]);
    await join(window, [one(3, { ts: 1 })]);
    expect((await changesOf(window)) - before).toBe(2);
    expect(await alarmOf(window)).toBe(due);
    vi.setSystemTime(due ?? 0);
    await runDurableObjectAlarm(window);
    const open = await window.openWindow();
    expect(open).toMatchObject({ events: 3, closesAt: later + PERIOD });
    expect(await alarmOf(window)).toBe(open?.closesAt);
  });

  it("FC-24: the highest ts wins whatever its size; parts of larger ones are not left behind", async () => {
    const { environmentId, window } = await freshWindow();
    const large = "💧".repeat((3 * MIB) / 4 - 100);
    const now = Date.now();
    const [runId] = await join(window, [one(1, { ts: now + 1, data: { n: 1, large } })]);
    expect(await rows(window, "debounces")).toBe(3);
    await join(window, [one(2, { ts: now })]);
    await evictDurableObject(window);
    await join(window, [one(3, { ts: now + 2, data: { n: 3, large } }), one(4, { ts: now })]);
    expect(await window.openWindow()).toMatchObject({ events: 4 });
    await join(window, [one(5, { ts: now + 3 })]);
    expect(await rows(window, "debounces")).toBe(1);
    await alarmAfter(window, PERIOD);
    expect(await membersOf(environmentId, runId)).toEqual([5]);
  });

  it("a large winner reaches its run whole", async () => {
    const { environmentId, window } = await freshWindow();
    const large = `x${"💧".repeat((3 * MIB) / 4 - 100)}`;
    const [runId] = await join(window, [one(1, { data: { n: 1, large } })]);
    expect(await window.closeWindow()).toBe(runId);
    await membersOf(environmentId, runId);
    expect((await eventsOf(environmentId, runId))?.[0]?.data["large"]).toBe(large);
  });

  it("FC-25: closes at its bound at the latest; the next event opens another", async () => {
    const { environmentId, window } = await freshWindow();
    const bound = { timeout: PERIOD + 5000 };
    const [first] = await join(window, [one(1)], bound);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + PERIOD - 1000 });
    await join(window, [one(2)], bound);
    expect(await window.openWindow()).toMatchObject({ closesAt: expect.any(Number) });
    vi.setSystemTime(Date.now() + 6001);
    // Nobody has closed it: the event does.
    const [second] = await join(window, [one(3)], bound);
    expect(second).not.toBe(first);
    expect(await membersOf(environmentId, first)).toEqual([2]);
    expect(await window.openWindow()).toMatchObject({ events: 1, runId: second });
  });

  it("a repeated send changes nothing, before and after the window has closed", async () => {
    const { environmentId, window } = await freshWindow();
    const events = [one(1), one(2)];
    const runIds = await join(window, events);
    const before = await changesOf(window);
    expect(await join(window, events)).toEqual(runIds);
    expect(await changesOf(window)).toBe(before);
    await window.closeWindow();
    await membersOf(environmentId, runIds[0]);
    await vi.waitFor(async () => expect(await rows(window, "debounces")).toBe(0));
    await evictDurableObject(window);
    expect(await join(window, events)).toEqual(runIds);
    expect(await window.openWindow()).toBeNull();
  });

  it("FC-27: when idempotency lets it start nothing, the event that won says so, once it is stored", async () => {
    const { environmentId, window } = await freshWindow({ idempotency: "'once'" });
    const complaint = vi.spyOn(console, "error").mockImplementation(() => {});
    const [ran] = await join(window, [one(1)]);
    await window.closeWindow();
    expect(await membersOf(environmentId, ran)).toEqual([1]);
    const [lost, won] = [one(2), one(3)];
    const [runId = ""] = await join(window, [lost, won]);
    await window.closeWindow();
    // Its request has not stored it yet.
    await vi.waitFor(() => expect(complaint).toHaveBeenCalledWith(expect.stringContaining("only 0 are stored")));
    await store(environmentId, lost, runId);
    await store(environmentId, won, runId);
    await alarmAfter(window, WAITS.retry.first);
    const other = { functionId: "other", functionSlug: "other", outcome: "started", runId: "another run" };
    await vi.waitFor(async () =>
      expect(await outcomesOf(environmentId, won)).toEqual([
        other,
        { functionId: "id-of-fn", functionSlug: "fn", outcome: "skipped", reason: "idempotent" },
      ]),
    );
    expect(await outcomesOf(environmentId, lost)).toMatchObject([other, { outcome: "debounced" }]);
    expect(await eventsOf(environmentId, runId)).toBeNull();
    await vi.waitFor(async () => expect(await rows(window, "debounces")).toBe(0));
  });

  it("FC-38: a singleton that skips it leaves a skipped run", async () => {
    const { environmentId, window } = await freshWindow({ singleton: { mode: "skip", key: null } });
    const [ran] = await join(window, [one(1)]);
    await window.closeWindow();
    await membersOf(environmentId, ran);
    const second = one(2);
    const [runId = ""] = await join(window, [second]);
    await store(environmentId, second, runId);
    await window.closeWindow();
    await vi.waitFor(async () => {
      expect(await outcomesOf(environmentId, second)).toMatchObject([{}, { reason: "singleton", runId }]);
    });
    const filter = {
      statuses: [],
      appId: null,
      functionId: null,
      from: null,
      until: null,
      timeField: "queued_at",
    } as const;
    const { items } = await listRuns(bindings.DB, environmentId, filter, { limit: 10, cursor: null });
    expect(items.find((run) => run.runId === runId)).toMatchObject({
      status: "skipped",
      skipReason: "singleton",
      eventIds: [second.event.internalId],
    });
  });

  it("FC-41: keys of other options that cannot be computed when it closes are shown on the event", async () => {
    const throttle = { limit: 1, period: 1000, burst: 1, key: "event.data.customer" };
    const { environmentId, window } = await freshWindow({ throttle, debounce: { ...debounce, key: "event.data.key" } });
    const event = one(1);
    const [runId = ""] = await join(window, [event]);
    await store(environmentId, event, runId);
    await window.closeWindow();
    const reason = "the result was missing";
    await vi.waitFor(async () => {
      expect(await outcomesOf(environmentId, event)).toEqual([
        expect.anything(),
        {
          functionId: "id-of-fn",
          functionSlug: "fn",
          outcome: "debounced",
          runId,
          warnings: [
            { option: "debounce.key", reason },
            { option: "throttle.key", reason },
          ],
        },
      ]);
    });
    expect(await membersOf(environmentId, runId)).toEqual([1]);
  });

  it("a function that was archived meanwhile starts nothing, and its event says so", async () => {
    const { environmentId, window } = await freshWindow();
    const warning = vi.spyOn(console, "warn").mockImplementation(() => {});
    const event = one(1);
    const [runId = ""] = await join(window, [event]);
    await store(environmentId, event, runId);
    await registerFunctions(bindings.DB, environmentId, { another: ["app/b"] });
    await window.closeWindow();
    await vi.waitFor(async () => {
      expect(await outcomesOf(environmentId, event)).toMatchObject([
        {},
        { functionSlug: "fn", outcome: "skipped", reason: "function_paused" },
      ]);
    });
    expect(warning).toHaveBeenCalledWith(expect.stringContaining("closed for nothing"));
    expect(await eventsOf(environmentId, runId)).toBeNull();
  });

  it("EX-50: every invocation is answered, also those whose events did not win", async () => {
    const { environmentId, window } = await freshWindow();
    const parents = [1, 2].map((n) => ({ runId: `01ARZ3NDEKTSV4RRFFQ69G5FA${n}`, stepId: `step-${n}` }));
    const [first, second] = [one(1), one(2)];
    const [runId = ""] = await join(window, [
      { ...first, parent: parents[0] ?? null },
      { ...second, parent: parents[1] ?? null },
    ]);
    await evictDurableObject(window);
    await window.closeWindow();
    await membersOf(environmentId, runId);
    const log = await runInDurableObject(bindings.RUN.getByName(`${environmentId}:${runId}`), (_, { storage }) =>
      JSON.stringify(storage.sql.exec("SELECT body FROM log").toArray()),
    );
    for (const { stepId } of parents) expect(log).toContain(stepId);
  });

  it("FC-24: a run that cannot be started is tried again, and the next window does not wait for it", async () => {
    const { environmentId, window } = await freshWindow();
    vi.spyOn(console, "error").mockImplementation(() => {});
    const first = one(1);
    const runId = await runIdFor(environmentId, "id-of-fn", first.event.internalId);
    const mend = await spoil(environmentId, runId);
    await join(window, [first]);
    await alarmAfter(window, PERIOD);
    expect(await rows(window, "debounces")).toBe(1);
    const [next] = await join(window, [one(2)]);
    expect(next).not.toBe(runId);
    await window.closeWindow();
    expect(await membersOf(environmentId, next)).toEqual([2]);
    await mend();
    await evictDurableObject(window);
    await alarmAfter(window, PERIOD + WAITS.retry.max);
    expect(await membersOf(environmentId, runId)).toEqual([1]);
  });

  it("leaves nothing behind when its events need not be remembered any more", async () => {
    const { environmentId, window } = await freshWindow();
    const [runId] = await join(window, [one(1)]);
    await alarmAfter(window, PERIOD);
    await membersOf(environmentId, runId);
    await vi.waitFor(async () => expect(await rows(window, "remembered")).toBe(1));
    await alarmAfter(window, WINDOW.remembered);
    await runInDurableObject(window, async (_, { storage }) => {
      expect(storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'debounces'").toArray()).toEqual([]);
      expect(await storage.getAlarm()).toBeNull();
    });
  });
});
