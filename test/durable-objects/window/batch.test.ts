import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { Gathering } from "../../../src/events/gathering.ts";
import { runIdFor } from "../../../src/ids.ts";
import { WAITS, WINDOW } from "../../../src/limits.ts";
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

const KIB = 1024;
const MIB = 1024 * KIB;
const TIMEOUT = 60_000;

let environments = 0;
/** An environment of its own with the batched function `fn`, and the window of one of its keys. */
async function freshWindow(): Promise<{ environmentId: string; window: WindowStub }> {
  const environmentId = `env-batch-${environments++}`;
  const batchEvents = { maxSize: 100, timeout: TIMEOUT, key: null, condition: null };
  await registerFunctions(bindings.DB, environmentId, { fn: ["app/a"] }, { batchEvents });
  return { environmentId, window: await windowOf(environmentId, "batch") };
}

function join(window: WindowStub, events: readonly Gathering[], options = {}): Promise<string[]> {
  const given = { version: 1, maxSize: 100, timeout: TIMEOUT, ...options };
  return window.join({ kind: "batch", events, key: "", options: given, depth: 0 });
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

beforeAll(muteApps);

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("a batch", () => {
  it("FC-32: full ones start at once, the rest when its time is over, each with its events in order", async () => {
    const { environmentId, window } = await freshWindow();
    const events = gatherings(250);
    const runIds = await join(window, events);
    expect([...new Set(runIds)]).toEqual([runIds[0], runIds[100], runIds[200]]);
    expect(runIds[200]).toBe(await runIdFor(environmentId, "id-of-fn", events[200]?.event.internalId ?? ""));
    expect(await membersOf(environmentId, runIds[0])).toEqual(range(0, 100));
    expect(await membersOf(environmentId, runIds[100])).toEqual(range(100, 200));
    expect(await eventsOf(environmentId, runIds[200])).toBeNull();
    expect(await window.openWindow()).toMatchObject({ runId: runIds[200], events: 50, key: "" });
    await alarmAfter(window, TIMEOUT);
    expect(await membersOf(environmentId, runIds[200])).toEqual(range(200, 250));
    expect(await window.openWindow()).toBeNull();
  });

  it("FC-32: an alarm that comes early closes nothing and is set again", async () => {
    const { window } = await freshWindow();
    await join(window, gatherings(1));
    const due = await alarmOf(window);
    expect(await runDurableObjectAlarm(window)).toBe(true);
    expect(await window.openWindow()).toMatchObject({ events: 1 });
    expect(await alarmOf(window)).toBe(due);
  });

  it("FC-36: a repeated send changes nothing: while the batch is open, when it has started, and after an eviction", async () => {
    const { environmentId, window } = await freshWindow();
    const events = gatherings(3);
    const runIds = await join(window, events);
    expect(await join(window, events)).toEqual(runIds);
    await evictDurableObject(window);
    expect(await join(window, events)).toEqual(runIds);
    expect(await window.openWindow()).toMatchObject({ events: 3 });
    await window.closeWindow();
    expect(await membersOf(environmentId, runIds[0])).toEqual([0, 1, 2]);
    await vi.waitFor(async () => expect(await tablesWith(window, "batches")).toBe(0));
    expect(await join(window, events)).toEqual(runIds);
    await evictDurableObject(window);
    const [known, fresh] = [events[1], gatherings(1)[0]];
    if (known === undefined || fresh === undefined) throw new Error("these were made above");
    const again = await join(window, [known, fresh]);
    expect(again).toEqual([runIds[0], await runIdFor(environmentId, "id-of-fn", fresh.event.internalId)]);
    expect(await window.openWindow()).toMatchObject({ events: 1 });
  });

  it("FC-36: members survive evictions between joins", async () => {
    const { environmentId, window } = await freshWindow();
    let runId: string | undefined;
    for (let i = 0; i < 2; i++) {
      [runId] = await join(
        window,
        gatherings(2, (n) => ({ data: { n: i * 2 + n } })),
      );
      await evictDurableObject(window);
    }
    expect(await window.openWindow()).toMatchObject({ events: 4 });
    await alarmAfter(window, TIMEOUT);
    expect(await membersOf(environmentId, runId)).toEqual(range(0, 4));
  });

  it("FC-36: a batch that closed is kept until its run exists, whatever happens, and others go on meanwhile", async () => {
    const { environmentId, window } = await freshWindow();
    const complaint = vi.spyOn(console, "error").mockImplementation(() => {});
    const first = gatherings(2);
    const runId = await runIdFor(environmentId, "id-of-fn", first[0]?.event.internalId ?? "");
    const mend = await spoil(environmentId, runId);
    expect(await join(window, first, { maxSize: 2 })).toEqual([runId, runId]);
    await vi.waitFor(() => expect(complaint).toHaveBeenCalled());
    // The next batch does not wait for it.
    const next = await join(window, gatherings(2), { maxSize: 2 });
    expect(await membersOf(environmentId, next[0])).toEqual([0, 1]);
    expect(await alarmOf(window)).toBeLessThanOrEqual(Date.now() + WAITS.retry.first);
    await alarmAfter(window, WAITS.retry.first);
    const failed = complaint.mock.calls.length;
    expect(failed).toBeGreaterThanOrEqual(2);
    expect(await alarmOf(window)).toBeGreaterThan(Date.now());
    await evictDurableObject(window);
    expect(await join(window, first, { maxSize: 2 })).toEqual([runId, runId]);
    await mend();
    await alarmAfter(window, WAITS.retry.max);
    expect(await membersOf(environmentId, runId)).toEqual([0, 1]);
    await vi.waitFor(async () => expect(await tablesWith(window, "batches")).toBe(0));
  });

  it("FC-33: no batch passes 10 MiB; events larger than a row and split characters come back whole", async () => {
    const { environmentId, window } = await freshWindow();
    // Two characters of UTF-16 and four bytes of UTF-8, at every offset of a page's end.
    const text = `x${"💧".repeat((3 * MIB) / 4 - 100)}`;
    const [a, b, c, d] = gatherings(4, (n) => ({ data: { n, text } }));
    if (a === undefined || b === undefined || c === undefined || d === undefined) throw new Error("these are four");
    const runIds = [...(await join(window, [a])), ...(await join(window, [b, c])), ...(await join(window, [d]))];
    expect(runIds).toEqual([runIds[0], runIds[0], runIds[0], runIds[3]]);
    expect(runIds[3]).not.toBe(runIds[0]);
    expect(await membersOf(environmentId, runIds[0])).toEqual([0, 1, 2]);
    const events = await eventsOf(environmentId, runIds[0]);
    expect(events?.every(({ data }) => data["text"] === text)).toBe(true);
    expect(await window.openWindow()).toMatchObject({ events: 1, runId: runIds[3] });
    const rows = await runInDurableObject(window, (_, { storage }) =>
      storage.sql.exec("SELECT MAX(LENGTH(CAST(body AS BLOB))) AS n FROM members").one(),
    );
    expect(Number(rows["n"])).toBeLessThan(2 * MIB);
  });

  it("FC-33: a full 10 MiB of events of one call", async () => {
    const { environmentId, window } = await freshWindow();
    const events = gatherings(12, (n) => ({ data: { n, s: "x".repeat(900 * KIB) } }));
    const runIds = [...(await join(window, events.slice(0, 10))), ...(await join(window, events.slice(10)))];
    expect(await membersOf(environmentId, runIds[0])).toEqual(range(0, 11));
    expect(await window.openWindow()).toMatchObject({ events: 1, runId: runIds[11] });
  });

  it("FC-32: an event that joins an open batch writes one row and no alarm", async () => {
    const { window } = await freshWindow();
    await join(window, gatherings(1));
    const [before, due] = [await changesOf(window), await alarmOf(window)];
    for (let i = 0; i < 5; i++) await join(window, gatherings(1));
    expect((await changesOf(window)) - before).toBe(5);
    await join(window, gatherings(50));
    expect((await changesOf(window)) - before).toBe(6);
    expect(await alarmOf(window)).toBe(due);
  });

  it("the newest registration's time-out counts: an open batch closes earlier", async () => {
    const { environmentId, window } = await freshWindow();
    const [runId] = await join(window, gatherings(1));
    await join(window, gatherings(1), { version: 2, timeout: 10_000 });
    expect(await alarmOf(window)).toBeLessThanOrEqual(Date.now() + 10_000);
    await alarmAfter(window, 10_000);
    expect(await membersOf(environmentId, runId)).toHaveLength(2);
  });

  it("leaves nothing behind when its events need not be remembered any more", async () => {
    const { environmentId, window } = await freshWindow();
    const [runId] = await join(window, gatherings(2));
    await alarmAfter(window, TIMEOUT);
    await membersOf(environmentId, runId);
    await vi.waitFor(async () => expect(await tablesWith(window, "remembered")).toBe(1));
    await alarmAfter(window, WINDOW.remembered);
    await runInDurableObject(window, async (_, { storage }) => {
      expect(storage.sql.exec("SELECT name FROM sqlite_master WHERE name IN ('batches', 'members')").toArray()).toEqual(
        [],
      );
      expect(await storage.getAlarm()).toBeNull();
    });
    expect(await join(window, gatherings(1))).toHaveLength(1);
  });
});

/** Rows of one of the window's tables. */
function tablesWith(window: WindowStub, table: "batches" | "remembered"): Promise<number> {
  return runInDurableObject(window, (_, { storage }) =>
    Number(storage.sql.exec(`SELECT COUNT(*) AS n FROM ${table}`).one()["n"]),
  );
}
