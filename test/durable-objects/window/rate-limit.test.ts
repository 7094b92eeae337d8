import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Bindings } from "../../../src/bindings.ts";
import { IDEMPOTENCY } from "../../../src/decide/window/rate-limit.ts";
import { WINDOW } from "../../../src/limits.ts";
import { windowStub } from "../../../src/objects.ts";

// The plugin binds what wrangler.toml declares, which is what Bindings describes.
const bindings = env as unknown as Bindings;

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const ONE_A_DAY = { limit: 1, period: DAY };

let keys = 0;
/** The window of a key nobody used before. */
function freshWindow(kind: "rate-limit" | "idempotency" = "rate-limit") {
  return windowStub(bindings, "env-rate", kind, { functionId: "uuid", key: `key-${keys++}` });
}

type Stub = Awaited<ReturnType<typeof freshWindow>>;

const rows = (window: Stub) =>
  runInDurableObject(window, (_, { storage }) =>
    storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'passes'").toArray().length === 0
      ? 0
      : storage.sql.exec<{ n: number }>("SELECT COUNT(*) AS n FROM passes").one().n,
  );

const alarmOf = (window: Stub) => runInDurableObject(window, (_, state) => state.storage.getAlarm());

const changes = (window: Stub) =>
  runInDurableObject(window, (_, { storage }) => storage.sql.exec("SELECT total_changes() AS n").one()["n"]);

/** Lets the objects' clock jump; alarms and timers go on in real time. */
function jump(ms: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
}

afterEach(() => {
  vi.useRealTimers();
});

describe("rate limit", () => {
  it("FC-20: as many as the limit pass at once, the rest is refused", async () => {
    const window = await freshWindow();
    const limit = { limit: 3, period: DAY };
    const passed = [];
    for (let i = 0; i < 5; i++) passed.push(await window.pass(`e${i}`, Date.now(), limit));
    expect(passed).toEqual([true, true, true, false, false]);
  });

  it("the same start takes no second token, and neither does a refused one get it later", async () => {
    const window = await freshWindow();
    const limit = { limit: 1, period: MINUTE };
    const now = Date.now();
    for (let i = 0; i < 3; i++) expect(await window.pass("first", now, limit)).toBe(true);
    expect(await window.pass("second", now, limit)).toBe(false);
    jump(2 * MINUTE);
    expect(await window.pass("second", now, limit)).toBe(false);
    expect(await window.pass("third", Date.now(), limit)).toBe(true);
  });

  it("passes and what is owed for them outlive the instance", async () => {
    const window = await freshWindow();
    const limit = { limit: 2, period: DAY };
    await window.pass("first", Date.now(), limit);
    await window.pass("second", Date.now(), limit);
    await evictDurableObject(window);
    expect(await window.pass("first", Date.now(), limit)).toBe(true);
    expect(await window.pass("third", Date.now(), limit)).toBe(false);
  });

  it("of many starts at the same moment exactly as many as the limit pass", async () => {
    const window = await freshWindow("idempotency");
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => window.pass(`e${i}`, Date.now(), IDEMPOTENCY)),
    );
    expect(answers.filter((passed) => passed)).toHaveLength(1);
  });

  it("a pass is one row, and neither a repetition nor a refusal writes any", async () => {
    const window = await freshWindow();
    await window.pass("first", Date.now(), ONE_A_DAY);
    const before = await changes(window);
    await window.pass("first", Date.now(), ONE_A_DAY);
    await window.pass("second", Date.now(), ONE_A_DAY);
    expect(await changes(window)).toBe(before);
    expect(await rows(window)).toBe(1);
  });

  it("FC-11: a limit that became less strict counts at once, also after the instance is gone", async () => {
    const window = await freshWindow();
    await window.pass("first", Date.now(), ONE_A_DAY);
    const loose = { limit: 1, period: MINUTE };
    expect(await window.pass("second", Date.now(), loose)).toBe(true);
    await evictDurableObject(window);
    expect(await window.pass("third", Date.now(), loose)).toBe(false);
  });

  it("FC-21: an idempotency key is remembered for 24 h and leaves nothing behind", async () => {
    const window = await freshWindow("idempotency");
    const began = Date.now();
    await window.pass("first", began, IDEMPOTENCY);
    expect(await alarmOf(window)).toBeGreaterThanOrEqual(began + DAY);
    expect(await alarmOf(window)).toBeLessThanOrEqual(Date.now() + DAY + 1);
    jump(DAY + MINUTE);
    expect(await runDurableObjectAlarm(window)).toBe(true);
    expect(await rows(window)).toBe(0);
    expect(await alarmOf(window)).toBeNull();
    expect(await window.pass("second", Date.now(), IDEMPOTENCY)).toBe(true);
  });

  it("old passes go when their time is over, and the newest debt stays as long as it is owed", async () => {
    const window = await freshWindow();
    const limit = { limit: 4, period: 4 * 60 * MINUTE };
    await window.pass("first", Date.now(), limit);
    await window.pass("second", Date.now(), limit);
    jump(WINDOW.remembered + MINUTE);
    await window.pass("third", Date.now(), limit);
    expect(await runDurableObjectAlarm(window)).toBe(true);
    // Nothing is owed for the first and second by themselves, but they are part of what is owed after the third.
    expect(await alarmOf(window)).not.toBeNull();
    expect(await window.pass("fourth", Date.now(), limit)).toBe(true);
    jump(3 * 60 * MINUTE);
    await runDurableObjectAlarm(window);
    expect(await rows(window)).toBeLessThan(4);
    await evictDurableObject(window);
    jump(8 * 60 * MINUTE);
    expect(await runDurableObjectAlarm(window)).toBe(true);
    expect(await rows(window)).toBe(0);
  });
});
