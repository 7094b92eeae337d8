import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import type { Waits } from "../../../durable-objects/waits.ts";
import { catalogOf, forgetCatalog } from "../../../src/apps/catalog.ts";
import { storeEvents } from "../../../src/history/events.ts";
import { WAITS } from "../../../src/limits.ts";
import { bindings } from "../records.ts";
import {
  alarmOf,
  anEvent,
  announcedNames,
  aWait,
  environmentId,
  forUser,
  HOUR,
  heard,
  hears,
  jump,
  NAME,
  named,
  PATIENCE,
  rows,
  setStage,
  settled,
  tables,
  waits,
} from "./waiting.ts";

setStage();

describe("the awaited name", () => {
  const isAwaited = async () => (await catalogOf(bindings, environmentId, Date.now())).awaits(NAME);

  it("EX-45: is in the catalog when the registration has resolved, and announced once", async () => {
    expect(await isAwaited()).toBe(false);
    await Promise.all([waits.register(aWait("one")), waits.register(aWait("two"))]);
    expect(await isAwaited()).toBe(true);
    const { version } = await catalogOf(bindings, environmentId, Date.now());
    await evictDurableObject(waits);
    await waits.register(aWait("three"));
    forgetCatalog(bindings.DB, environmentId);
    expect((await catalogOf(bindings, environmentId, Date.now())).version).toBe(version);
  });

  it("I1: a registration whose announcement failed is refused, and completed by the next", async () => {
    await bindings.DB.exec("ALTER TABLE awaited_names RENAME TO hidden_names");
    try {
      await runInDurableObject(waits, async (instance: Waits) => {
        await expect(instance.register(aWait("one"))).rejects.toThrow("awaited_names");
      });
    } finally {
      await bindings.DB.exec("ALTER TABLE hidden_names RENAME TO awaited_names");
    }
    await waits.register(aWait("one"));
    expect(await announcedNames()).toEqual([NAME]);
    expect(await waits.offer(anEvent())).toEqual({ matched: 1 });
  });

  it("I1: events that other isolates received without knowing of the name are found in history", async () => {
    const early = anEvent({}, { receivedAt: Date.now() - 1 });
    await waits.register(forUser("one", 1));
    const missed = anEvent({ userId: 1 });
    const other = { ...anEvent({ userId: 1 }), payload: { ...anEvent({ userId: 1 }).payload, name: "app/other" } };
    const routed = [early, missed, other].map((event) => ({ event, outcomes: [], duplicate: false }));
    await storeEvents(bindings.DB, environmentId, routed, { routed: true });
    await jump(WAITS.looks[0] - 1000);
    expect(heard).toEqual([]);
    await jump(1000);
    await hears(`one s ${missed.internalId}`);
    // A history that was late is looked at once more, and never again.
    await waits.register(aWait("two", { since: missed.receivedAt }));
    const late = anEvent({}, { receivedAt: missed.receivedAt });
    await storeEvents(bindings.DB, environmentId, [{ event: late, outcomes: [], duplicate: false }], { routed: true });
    await jump(WAITS.looks[1]);
    await hears(`one s ${missed.internalId}`, `two s ${late.internalId}`);
    expect(await alarmOf()).toBeGreaterThan(Date.now() + WAITS.remembered / 2);
  });

  it("CR-35: system events are found in history too", async () => {
    const name = "inngest/function.finished";
    named(name);
    await waits.register(aWait("one"));
    const event = { ...anEvent(), payload: { ...anEvent().payload, name } };
    await storeEvents(bindings.DB, environmentId, [{ event, outcomes: [], duplicate: false }], { routed: true });
    await jump(WAITS.looks[0]);
    await hears(`one s ${event.internalId}`);
  });

  it("is withdrawn when nobody has waited for a while, and nothing stays behind", async () => {
    await waits.register(aWait("one", { expiresAt: Date.now() + 365 * 24 * HOUR }));
    await waits.offer(anEvent());
    await vi.waitFor(() => expect(heard).toHaveLength(1), PATIENCE);
    await settled();
    await jump(WAITS.linger);
    expect(await announcedNames()).toEqual([NAME]);
    await jump(WAITS.linger + 2 * WAITS.sweep.every);
    expect(await announcedNames()).toEqual([]);
    expect(await isAwaited()).toBe(false);
    expect(await tables()).toEqual([]);
    expect(await alarmOf()).toBeNull();
    // And comes back.
    await waits.register(aWait("two"));
    expect(await isAwaited()).toBe(true);
    expect(await waits.offer(anEvent())).toEqual({ matched: 1 });
  });

  it("EX-45: a wait that comes while the name is being withdrawn announces it again", async () => {
    await waits.register(aWait("one", { expiresAt: Date.now() + 1000 }));
    await jump(WAITS.sweep.every + 1000);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 2 * WAITS.linger });
    await runInDurableObject(waits, async (instance: Waits) => {
      await Promise.all([instance.alarm(), instance.register(aWait("two"))]);
    });
    expect(await isAwaited()).toBe(true);
    expect(await waits.offer(anEvent())).toEqual({ matched: 1 });
    expect(await alarmOf()).not.toBeNull();
  });

  it("I4: expired waits are cleared away, in batches, and the rest is kept", async () => {
    await waits.register(aWait("kept"));
    await waits.register(aWait("model", { expiresAt: Date.now() + 1000 }));
    await runInDurableObject(waits, (_, { storage }) => {
      storage.sql.exec(
        `INSERT INTO waits SELECT index_key, expires_at, 'run-' || n, step_id, since, expression, event, triggers
         FROM waits, (WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < ${2 * WAITS.sweep.rows}) SELECT n FROM counted)
         WHERE run_id = 'model'`,
      );
    });
    await jump(WAITS.sweep.every + 1000);
    expect(await rows("waits")).toBe(1);
    expect(await waits.offer(anEvent())).toEqual({ matched: 1 });
  });

  it("I4: the alarm never throws and is always set again", async () => {
    const complaint = vi.spyOn(console, "error").mockImplementation(() => {});
    await waits.register(aWait("one"));
    await runInDurableObject(waits, (_, { storage }) => storage.sql.exec("ALTER TABLE waits RENAME since TO gone"));
    await evictDurableObject(waits);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 2 * HOUR });
    for (let i = 0; i < 3; i++) expect(await runDurableObjectAlarm(waits)).toBe(true);
    await bindings.DB.exec("ALTER TABLE events RENAME TO hidden_events");
    try {
      await runInDurableObject(waits, (_, { storage }) => {
        storage.sql.exec("UPDATE name SET looks = 0");
        storage.sql.exec("INSERT INTO waits VALUES ('', 1e15, 'r', 's', 0, NULL, NULL, '[]')");
      });
      await evictDurableObject(waits);
      await runInDurableObject(waits, (_, { storage }) => storage.setAlarm(Date.now()));
      expect(await runDurableObjectAlarm(waits)).toBe(true);
      expect(complaint).toHaveBeenCalledWith(expect.stringContaining("alarm failed"));
      expect(await alarmOf()).toBe(Date.now() + WAITS.retry.first);
    } finally {
      await bindings.DB.exec("ALTER TABLE hidden_events RENAME TO events");
    }
  });
});
