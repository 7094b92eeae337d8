import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Bindings } from "../../src/bindings.ts";
import { EVENT } from "../../src/limits.ts";
import { eventIdStub } from "../../src/objects.ts";

// The plugin binds what wrangler.toml declares, which is what Bindings describes.
const bindings = env as unknown as Bindings;

const DAY = 24 * 60 * 60 * 1000;

let ids = 0;
/** The window of an id nobody used before. */
function freshWindow() {
  return eventIdStub(bindings, "env-window", `id-${ids++}`);
}

/** Lets the objects' clock jump; alarms and timers go on in real time. */
function jump(ms: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
}

afterEach(() => {
  vi.useRealTimers();
});

describe("Window", () => {
  it("EV-15: the first event with an id owns it, also when it asks again; the next is a duplicate", async () => {
    const window = freshWindow();
    expect(await window.claim("first")).toEqual({ standing: "owner", settled: false });
    expect(await window.claim("first")).toEqual({ standing: "owner", settled: false });
    await window.settle("first");
    expect(await window.claim("second")).toEqual({ standing: "duplicate" });
    expect(await window.claim("first")).toEqual({ standing: "owner", settled: true });
  });

  it("EV-16: others are answered when the first event's runs are durable, not before", async () => {
    const window = freshWindow();
    await window.claim("first");
    const order: string[] = [];
    const others = ["second", "third"].map(async (id) => {
      const { standing } = await window.claim(id);
      order.push(standing);
    });
    await scheduler.wait(50);
    order.push("settling");
    await window.settle("first");
    await Promise.all(others);
    expect(order).toEqual(["settling", "duplicate", "duplicate"]);
  });

  it("EV-8: when the first event's send dies, one other event acts in its place and the rest wait for that one", async () => {
    const window = freshWindow();
    await window.claim("first");
    jump(EVENT.claimGrace);
    expect(await window.claim("second")).toEqual({ standing: "stand_in", owner: "first", settled: false });
    const third = window.claim("third");
    await window.settle("second");
    expect(await third).toEqual({ standing: "duplicate" });
  });

  it("EV-8: waiting ends by itself after the grace", async () => {
    const window = freshWindow();
    await window.claim("first");
    jump(EVENT.claimGrace - 100);
    const began = performance.now();
    expect(await window.claim("second")).toMatchObject({ standing: "stand_in", owner: "first" });
    expect(performance.now() - began).toBeLessThan(EVENT.claimGrace / 2);
  });

  it("EV-15: claim and settlement outlive the instance", async () => {
    const window = freshWindow();
    await window.claim("first");
    await evictDurableObject(window);
    expect(await window.claim("first")).toEqual({ standing: "owner", settled: false });
    await window.settle("first");
    await evictDurableObject(window);
    expect(await window.claim("second")).toEqual({ standing: "duplicate" });
  });

  it("EV-15: of many events at the same moment exactly one acts", async () => {
    const window = freshWindow();
    const events = Array.from({ length: 20 }, (_, i) => `event-${i}`);
    const standings = await Promise.all(
      events.map(async (event) => {
        const answer = await window.claim(event);
        if (answer.standing === "owner") await window.settle(event);
        return answer.standing;
      }),
    );
    expect(standings.filter((standing) => standing === "owner")).toHaveLength(1);
    expect(standings.filter((standing) => standing === "duplicate")).toHaveLength(19);
  });

  it("EV-15: after 24 h the id is new, even if the alarm is late", async () => {
    const window = freshWindow();
    await window.claim("first");
    await window.settle("first");
    jump(DAY);
    expect(await window.claim("second")).toEqual({ standing: "owner", settled: false });
  });

  it("the alarm is set to the end of the 24 h and leaves nothing behind", async () => {
    const window = freshWindow();
    const before = Date.now();
    await window.claim("first");
    await window.settle("first");
    const alarm = await runInDurableObject(window, (_, state) => state.storage.getAlarm());
    expect(alarm).toBeGreaterThanOrEqual(before + DAY);
    expect(alarm).toBeLessThanOrEqual(Date.now() + DAY);
    jump(DAY);
    expect(await runDurableObjectAlarm(window)).toBe(true);
    await runInDurableObject(window, async (_, { storage }) => {
      expect(storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'claim'").toArray()).toEqual([]);
      expect(await storage.getAlarm()).toBeNull();
    });
    expect(await window.claim("second")).toEqual({ standing: "owner", settled: false });
  });

  it("an alarm that comes early keeps the claim and is set again", async () => {
    const window = freshWindow();
    await window.claim("first");
    await window.settle("first");
    expect(await runDurableObjectAlarm(window)).toBe(true);
    expect(await window.claim("second")).toEqual({ standing: "duplicate" });
    const alarm = await runInDurableObject(window, (_, state) => state.storage.getAlarm());
    expect(alarm).toBeGreaterThan(Date.now() + DAY - 60_000);
  });

  it("a repeated claim, a repeated settlement and a duplicate write nothing", async () => {
    const window = freshWindow();
    const changes = () =>
      runInDurableObject(window, (_, { storage }) => storage.sql.exec("SELECT total_changes() AS n").one()["n"]);
    await window.claim("first");
    await window.settle("first");
    const settled = await changes();
    await window.claim("first");
    await window.settle("first");
    await window.claim("second");
    expect(await changes()).toBe(settled);
  });

  it("SE-8: the same id in two environments is two ids", async () => {
    expect(await eventIdStub(bindings, "env-a", "x").claim("one")).toMatchObject({ standing: "owner" });
    expect(await eventIdStub(bindings, "env-b", "x").claim("two")).toMatchObject({ standing: "owner" });
  });

  it("EV-3: ids of the full length are told apart", async () => {
    const id = "💧".repeat(EVENT.idLength - 1);
    expect(await eventIdStub(bindings, "env-long", `${id}a`).claim("one")).toMatchObject({
      standing: "owner",
    });
    expect(await eventIdStub(bindings, "env-long", `${id}b`).claim("two")).toMatchObject({
      standing: "owner",
    });
  });
});
