import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import { WAITS } from "../../../src/limits.ts";
import {
  alarmOf,
  anEvent,
  aWait,
  heard,
  hears,
  jump,
  PATIENCE,
  rows,
  runs,
  setStage,
  settled,
  trigger,
  USER,
  waits,
} from "./waiting.ts";

setStage();

describe("telling runs", () => {
  it("an event offered again is told once, and finds no wait that came after it", async () => {
    await waits.register(aWait("one", { stepId: "first" }));
    const event = anEvent();
    await waits.offer(event);
    expect(await waits.offer(event)).toEqual({ matched: 0 });
    await hears(`one first ${event.internalId}`);
    await waits.register(aWait("one", { stepId: "second" }));
    // A sender that repeats a request with its seed: the same id, received later.
    expect(await waits.offer({ ...event, receivedAt: Date.now() + 1 })).toEqual({ matched: 0 });
    await evictDurableObject(waits);
    expect(await waits.offer({ ...event, receivedAt: Date.now() + 1 })).toEqual({ matched: 0 });
    await settled();
    expect(heard).toEqual([`one first ${event.internalId}`]);
    expect(await rows("waits")).toBe(1);
  });

  it("I1: a run that cannot be reached is told by the alarm, ever more rarely, and the others at once", async () => {
    const complaint = vi.spyOn(console, "error").mockImplementation(() => {});
    let broken = true;
    runs.answer = (runId) => {
      if (broken && runId === "one") throw new Error("partition");
      return true;
    };
    await waits.register(aWait("one"));
    await waits.register(aWait("two"));
    await jump(WAITS.looks[1]);
    const event = anEvent();
    await waits.offer(event);
    await hears(`two s ${event.internalId}`);
    await settled();
    expect(complaint).toHaveBeenCalledWith("1 of 2 waiting runs were not told: partition");
    const due = await alarmOf();
    expect(due).toBeLessThanOrEqual(Date.now() + WAITS.retry.first);

    await jump(WAITS.retry.first);
    expect(await alarmOf()).toBe(Date.now() + 2 * WAITS.retry.first);
    broken = false;
    // Not before its time.
    await runDurableObjectAlarm(waits);
    expect(heard).toHaveLength(1);
    await jump(2 * WAITS.retry.first);
    expect(heard).toContain(`one s ${event.internalId}`);
    await jump(WAITS.remembered - 10_000);
    expect(heard).toHaveLength(2);
  });

  it("I2: an answer that got lost after it took effect leads to a repetition, which the run is free to ignore", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    let lost = true;
    runs.answer = () => {
      if (!lost) return true;
      lost = false;
      throw new Error("lost");
    };
    await waits.register(aWait("one"));
    const event = anEvent();
    await waits.offer(event);
    await settled();
    await jump(WAITS.retry.first);
    await hears(`one s ${event.internalId}`);
    await jump(WAITS.sweep.every + WAITS.remembered);
    expect(await rows("offers")).toBe(0);
    expect(heard).toHaveLength(1);
  });

  it("I1: what was promised outlives the instance", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    let broken = true;
    runs.answer = () => {
      if (broken) throw new Error("down");
      return true;
    };
    await waits.register(aWait("one"));
    const event = anEvent();
    expect(await waits.offer(event)).toEqual({ matched: 1 });
    await settled();
    await evictDurableObject(waits);
    broken = false;
    await jump(WAITS.retry.first);
    await hears(`one s ${event.internalId}`);
  });

  it("a run that cannot be reached long after its wait timed out is given up", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    runs.answer = () => {
      throw new Error("gone for good");
    };
    await waits.register(aWait("one", { expiresAt: Date.now() + 1000 }));
    await waits.offer(anEvent());
    await settled();
    await jump(WAITS.remembered);
    expect(await rows("offers")).toBe(1);
    await jump(WAITS.remembered + WAITS.sweep.every);
    expect(await rows("offers")).toBe(0);
  });

  it("a run with a large trigger event judges itself, and its wait stays until it has taken an event", async () => {
    const [wrong, right] = [anEvent({ userId: 1, n: 1 }), anEvent({ userId: 1, n: 2 })];
    runs.answer = (_, event) => event.internalId === right.internalId;
    const expression = `${USER} && async.data.n > event.data.n`;
    const event = trigger({ userId: 1, n: 1, ballast: "x".repeat(WAITS.boundBytes) });
    await waits.register(aWait("one", { expression, event }));
    expect(await waits.offer(anEvent({ userId: 2 }))).toEqual({ matched: 0 });
    expect(await waits.offer(wrong)).toEqual({ matched: 1 });
    await hears(`one s ${wrong.internalId}`);
    await settled();
    expect(await rows("waits")).toBe(1);
    await waits.offer(right);
    await hears(`one s ${wrong.internalId}`, `one s ${right.internalId}`);
    await settled();
    expect(await rows("waits")).toBe(0);
  });

  it("EX-45: a run that registers again while it is being told leaves nothing behind", async () => {
    let tell: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      tell = resolve;
    });
    runs.answer = () => held.then(() => true);
    const wait = aWait("one");
    await waits.register(wait);
    await waits.offer(anEvent());
    await waits.register(wait);
    expect(await rows("waits")).toBe(1);
    tell();
    await vi.waitFor(async () => expect(await rows("waits")).toBe(0), PATIENCE);
  });

  it("an event that concerns more runs than fit into a row reaches them all, and is remembered once", {
    timeout: 60_000,
  }, async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    await waits.register(aWait("run-0"));
    await runInDurableObject(waits, (_, { storage }) => {
      storage.sql.exec(
        `INSERT INTO waits SELECT index_key, expires_at, 'run-' || (n % 10), 's' || n, since, expression, event, triggers
         FROM waits, (WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < ${2 * WAITS.targets}) SELECT n FROM counted)`,
      );
    });
    let broken = true;
    runs.answer = (runId) => {
      if (broken && runId === "run-3") throw new Error("partition");
      return true;
    };
    const event = anEvent();
    expect(await waits.offer(event)).toEqual({ matched: 2 * WAITS.targets + 1 });
    await vi.waitFor(() => expect(heard).toHaveLength(1.8 * WAITS.targets + 1), PATIENCE);
    await settled();
    expect(await rows("offers")).toBe(3);
    await evictDurableObject(waits);
    broken = false;
    await jump(WAITS.retry.first);
    expect(new Set(heard).size).toBe(2 * WAITS.targets + 1);
    expect(heard).toHaveLength(2 * WAITS.targets + 1);
    expect(await rows("offers")).toBe(1);
  });

  it("an event larger than a row reaches the run whole", async () => {
    const text = "💧".repeat(600_000);
    let received = "";
    runs.answer = (_, event) => {
      received = String(event.payload.data["text"]);
      return true;
    };
    await waits.register(aWait("one"));
    vi.spyOn(console, "error").mockImplementation(() => {});
    const event = anEvent({ text });
    await waits.offer(event);
    await hears(`one s ${event.internalId}`);
    expect(received).toBe(text);
    // Also when it comes out of the table.
    received = "";
    runs.answer = () => {
      throw new Error("down");
    };
    await waits.register(aWait("two"));
    const again = anEvent({ text });
    await waits.offer(again);
    await settled();
    expect(await rows("offers")).toBe(3);
    runs.answer = (_, event) => {
      received = String(event.payload.data["text"]);
      return true;
    };
    await evictDurableObject(waits);
    await jump(WAITS.retry.first);
    expect(received).toBe(text);
    expect(await rows("offers")).toBe(2);
  });
});
