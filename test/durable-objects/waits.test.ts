import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import { counters } from "../../src/counters.ts";
import { WAITS } from "../../src/limits.ts";
import { waitsStub } from "../../src/objects.ts";
import { bindings } from "./records.ts";
import {
  anEvent,
  announcedNames,
  aWait,
  environmentId,
  forUser,
  heard,
  hears,
  jump,
  NAME,
  rows,
  setStage,
  settled,
  tables,
  trigger,
  USER,
  waits,
} from "./waits/waiting.ts";

setStage();

describe("finding waits", () => {
  it("EX-42: an event reaches the runs whose condition it meets, each once, and no others", async () => {
    await waits.register(forUser("one", 1));
    await waits.register(forUser("two", 2));
    await waits.register(aWait("any"));
    const event = anEvent({ userId: 2 });
    expect(await waits.offer(event)).toEqual({ matched: 2 });
    await hears(`two s ${event.internalId}`, `any s ${event.internalId}`);
    expect(await rows("waits")).toBe(1);
  });

  it("EX-41: the first match wins, and the next event finds nobody", async () => {
    await waits.register(aWait("one"));
    const [first, second] = [anEvent(), anEvent()];
    const matched = await Promise.all([waits.offer(first), waits.offer(second)]);
    expect(matched).toEqual([{ matched: 1 }, { matched: 0 }]);
    await hears(`one s ${first.internalId}`);
  });

  it("EX-46, row 19: one event resolves any number of waits of any number of runs, and none twice", {
    timeout: 60_000,
  }, async () => {
    const steps = Array.from({ length: 1000 }, (_, i) => ({ runId: `run-${i % 50}`, stepId: `s${i}` }));
    await Promise.all(steps.map(({ runId, stepId }) => waits.register(aWait(runId, { stepId }))));
    const event = anEvent();
    expect(await waits.offer(event)).toEqual({ matched: 1000 });
    expect(await rows("offers")).toBe(1);
    await hears(...steps.map(({ runId, stepId }) => `${runId} ${stepId} ${event.internalId}`));
    await settled();
    expect(heard).toHaveLength(1000);
    expect(await rows("waits")).toBe(0);
  });

  it("EX-45: neither the run's own triggers nor what was received before the step was reached", async () => {
    const now = Date.now();
    const own = anEvent();
    await waits.register(aWait("one", { since: now, triggers: [own.internalId] }));
    expect(await waits.offer(own)).toEqual({ matched: 0 });
    expect(await waits.offer(anEvent({}, { receivedAt: now - 1 }))).toEqual({ matched: 0 });
    expect(await waits.offer(anEvent({}, { receivedAt: now }))).toEqual({ matched: 1 });
  });

  it("I4: an expired wait is never found, whether it was cleared away or not", async () => {
    const since = Date.now() - 1000;
    await waits.register(aWait("late", { since, expiresAt: since }));
    expect(await tables()).toEqual([]);
    await waits.register(aWait("one", { expiresAt: Date.now() + 1000 }));
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 1000 });
    expect(await waits.offer(anEvent())).toEqual({ matched: 0 });
    expect(await rows("waits")).toBe(1);
  });

  it("a wait that can never match is not even stored", async () => {
    await waits.register(aWait("one", { expression: `${USER} && event.data.n > 5`, event: trigger({ n: 1 }) }));
    expect(await tables()).toEqual([]);
    expect(await announcedNames()).toEqual([]);
  });

  it("a wait that was taken back meets no more events", async () => {
    await waits.register(aWait("one"));
    await waits.register(aWait("one", { stepId: "kept" }));
    await waits.forget("one", ["s", "never heard of"]);
    const event = anEvent();
    await waits.offer(event);
    await hears(`one kept ${event.internalId}`);
  });

  it("SE-8: the same name in two environments is two names", async () => {
    await waits.register(aWait("one"));
    expect(await waitsStub(bindings, `${environmentId}-b`, "event", NAME).offer(anEvent())).toEqual({ matched: 0 });
    expect(await waits.offer(anEvent())).toEqual({ matched: 1 });
  });

  it.each(["a:b:c", "event:", "🏭".repeat(128), "\n"])("EX-41: any event name has its waits: %j", async (name) => {
    const stub = waitsStub(bindings, environmentId, "event", name);
    await stub.register(aWait("one"));
    expect(await announcedNames()).toEqual([name]);
    expect(await stub.offer(anEvent())).toEqual({ matched: 1 });
  });

  it.each(["", "\u0000", "a\u0000b", "\ud800", "é", "=", '"]=', "x".repeat(3000), `${"x".repeat(3000)}y`])(
    "XP-19: any text can be waited for: %j",
    async (userId) => {
      await waits.register(forUser("one", userId));
      await waits.register(forUser("two", `${userId}!`));
      const event = anEvent({ userId });
      expect(await waits.offer(event)).toEqual({ matched: 1 });
      await hears(`one s ${event.internalId}`);
    },
  );
});

describe("XP-19: the index", () => {
  /** 100,000 waits for different users, put beside each other as `register` would. */
  async function manyWaits(count: number): Promise<void> {
    await waits.register(forUser("model", 0));
    await runInDurableObject(waits, (_, { storage }) => {
      storage.sql.exec(
        `INSERT INTO waits SELECT replace(index_key, 'number 0', 'number ' || n), expires_at, 'run-' || n, step_id, since,
           expression, replace(event, '"userId":0', '"userId":' || n), triggers
         FROM waits, (WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < ${count}) SELECT n FROM counted)`,
      );
    });
  }

  const rowsReadBy = async (work: () => Promise<unknown>) => {
    const before = counters.rowsRead;
    await work();
    return counters.rowsRead - before;
  };

  it("an event costs a look-up, however many wait for others", { timeout: 30_000 }, async () => {
    await manyWaits(100_000);
    expect(await rows("waits")).toBe(100_001);
    const [match, miss] = [anEvent({ userId: 77_777 }), anEvent({ userId: 200_000 })];
    expect(await rowsReadBy(() => waits.offer(miss))).toBeLessThan(10);
    expect(await rowsReadBy(() => waits.offer(match))).toBeLessThan(10);
    await hears(`run-77777 s ${match.internalId}`);
    // Also after the object has left memory, and for a registration.
    await evictDurableObject(waits);
    expect(await rowsReadBy(() => waits.offer(anEvent({ userId: 200_000 })))).toBeLessThan(20);
    expect(await rowsReadBy(() => waits.register(forUser("one more", 1)))).toBeLessThan(10);
  });

  it("a wait costs two rows besides the alarm, and registering it again nothing", async () => {
    await waits.register(forUser("first", 1));
    const before = counters.rowsWritten;
    await waits.register(forUser("second", 2));
    expect(counters.rowsWritten - before).toBe(2);
    await waits.register(forUser("second", 2));
    expect(counters.rowsWritten - before).toBe(2);
  });

  it("fields nobody is indexed by any more are forgotten", async () => {
    await waits.register(forUser("one", 1));
    await waits.register(aWait("two", { expression: "async.data.plan == 'pro'", expiresAt: Date.now() + 1000 }));
    expect(await rows("paths")).toBe(2);
    await jump(WAITS.sweep.every);
    expect(await rows("paths")).toBe(1);
    expect(await waits.offer(anEvent({ userId: 1 }))).toEqual({ matched: 1 });
  });
});
