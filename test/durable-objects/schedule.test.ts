import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { archive, unarchive } from "../../src/apps/archive.ts";
import type { FunctionConfiguration } from "../../src/apps/function.ts";
import { pauseFunction, resumeFunction } from "../../src/apps/pauses.ts";
import { bumpStatement } from "../../src/apps/store.ts";
import type { Bindings } from "../../src/bindings.ts";
import { counters } from "../../src/counters.ts";
import { findEvent } from "../../src/history/events.ts";
import { derivedUlid, runIdFor } from "../../src/ids.ts";
import { SCHEDULE } from "../../src/limits.ts";
import { environmentStub, runStub, scheduleStub } from "../../src/objects.ts";
import { bindings } from "./records.ts";
import { muteApps, registerFunctions } from "./registered.ts";

const FUNCTION = "id-of-ticks";
const MINUTE = 60_000;
/** A moment far enough ahead that no alarm comes by itself while the tests hold the clock. */
const START = Date.parse("2031-01-06T10:00:30Z");
const at = (time: string) => Date.parse(`2031-01-06T${time}Z`);

let environments = 0;
let environmentId = "";
const schedule = () => scheduleStub(bindings, environmentId, FUNCTION);
const environment = () => environmentStub(bindings, environmentId);

type Cron = string | { cron: string; jitter?: number };

/** Stores a catalog in which the function has these crons, and no other function. */
async function register(crons: readonly Cron[], options: Partial<FunctionConfiguration> = {}): Promise<void> {
  const ticks = crons.map((cron) => (typeof cron === "string" ? { cron } : cron));
  await registerFunctions(bindings.DB, environmentId, { ticks }, options);
}

/** Stores it and tells the schedule, as a sync does. */
async function sync(...crons: readonly Cron[]): Promise<void> {
  await register(crons);
  await environment().reschedule();
}

/** Pauses the function, or ends that, as if whoever did it had died before saying so. */
async function pauseUnheard(paused: boolean): Promise<void> {
  const { DB } = bindings;
  const update = DB.prepare("UPDATE functions SET paused_at = ?1, paused_running = 'hold' WHERE environment_id = ?2");
  await DB.batch([update.bind(paused ? Date.now() : null, environmentId), bumpStatement(DB, environmentId)]);
}

const alarm = () => runInDurableObject(schedule(), (_, { storage }) => storage.getAlarm());

/** Moves the clock and fires the alarm, as the platform would. */
async function alarmAt(now: number): Promise<void> {
  vi.setSystemTime(now);
  expect(await runDurableObjectAlarm(schedule())).toBe(true);
}

/** Replaces what the schedule's object is bound to: settings, or a platform that fails. */
async function bind(changes: Partial<Bindings>): Promise<void> {
  await runInDurableObject(schedule(), (instance) => {
    Reflect.set(instance, "env", { ...bindings, ...changes });
  });
}

/** The run of a tick; null when there is none. */
async function runAt(time: string, functionId = FUNCTION) {
  const eventId = await derivedUlid(at(time), "cron", environmentId, functionId);
  const run = runStub(bindings, environmentId, await runIdFor(environmentId, functionId, eventId));
  const view = await run.view();
  return view === null ? null : { eventId, row: view.row, events: await run.events() };
}

/** Which of these ticks have a run. */
async function ran(...times: string[]): Promise<string[]> {
  const runs = await Promise.all(times.map((time) => runAt(time)));
  return times.filter((_, index) => runs[index] !== null);
}

beforeAll(muteApps);

beforeEach(() => {
  environmentId = `schedule-${environments++}`;
  vi.useFakeTimers({ toFake: ["Date"], now: START });
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("a tick", () => {
  it("TR-10, API-8: starts a run with the event of its time", async () => {
    await sync("0 9 * * MON", "TZ=Europe/Paris */5 * * * *");
    expect(await alarm()).toBe(at("10:05:00"));
    await alarmAt(at("10:05:00"));
    const run = await runAt("10:05:00");
    const cron = "TZ=Europe/Paris */5 * * * *";
    const time = "2031-01-06T10:05:00Z";
    expect(run?.events).toEqual([
      {
        name: "inngest/scheduled.timer",
        data: { cron, scheduledAt: time, fireAt: time },
        id: time,
        ts: at("10:05:00"),
        user: {},
      },
    ]);
    expect(run?.row).toMatchObject({ cron, eventName: "inngest/scheduled.timer", functionSlug: "ticks" });
    expect(await alarm()).toBe(at("10:10:00"));
  });

  it("TR-15, I7: an alarm that comes early starts nothing and is set again", async () => {
    await sync("*/5 * * * *");
    await alarmAt(at("10:04:59.999"));
    expect(await ran("10:05:00")).toEqual([]);
    expect(await alarm()).toBe(at("10:05:00"));
  });

  it("TR-15: with jitter the run starts within it, and its time stays the tick", async () => {
    await sync({ cron: "0 * * * *", jitter: 5 * MINUTE });
    const fireAt = (await alarm()) ?? 0;
    expect(fireAt).toBeGreaterThanOrEqual(at("11:00:01"));
    expect(fireAt).toBeLessThanOrEqual(at("11:05:00"));
    await alarmAt(fireAt - 1);
    expect(await ran("11:00:00")).toEqual([]);
    await alarmAt(fireAt);
    expect((await runAt("11:00:00"))?.events?.[0]).toMatchObject({ id: "2031-01-06T11:00:00Z", ts: at("11:00:00") });
  });

  it("TR-12: crons of one function that tick together start one run", async () => {
    await sync("0 * * * *", "*/30 * * * *");
    await alarmAt(at("10:30:00"));
    expect(await alarm()).toBe(at("11:00:00"));
    await alarmAt(at("11:00:00"));
    expect((await runAt("10:30:00"))?.row).toMatchObject({ cron: "*/30 * * * *" });
    expect((await runAt("11:00:00"))?.row).toMatchObject({ cron: "0 * * * *" });
    expect(await alarm()).toBe(at("11:30:00"));
  });

  it("TR-12: also when their jitter tells them apart", async () => {
    await sync("0 * * * *", { cron: "0 */1 * * *", jitter: 5 * MINUTE });
    await alarmAt(at("11:00:00"));
    expect((await runAt("11:00:00"))?.row).toMatchObject({ cron: "0 * * * *" });
    await alarmAt((await alarm()) ?? 0);
    expect((await runAt("11:00:00"))?.row).toMatchObject({ cron: "0 * * * *" });
  });

  it("TR-1: functions with the same cron have a run each", async () => {
    const cron = { cron: "*/5 * * * *" };
    await registerFunctions(bindings.DB, environmentId, { ticks: [cron], others: [cron] });
    await environment().reschedule();
    vi.setSystemTime(at("10:05:00"));
    await runDurableObjectAlarm(schedule());
    await runDurableObjectAlarm(scheduleStub(bindings, environmentId, "id-of-others"));
    expect((await runAt("10:05:00"))?.row.functionSlug).toBe("ticks");
    expect((await runAt("10:05:00", "id-of-others"))?.row.functionSlug).toBe("others");
  });

  it("TR-17: all flow control applies, and what starts nothing is stored with its outcome", async () => {
    await register(["*/5 * * * *"], { rateLimit: { limit: 1, period: 3_600_000, key: null } });
    await environment().reschedule();
    await alarmAt(at("10:05:00"));
    await alarmAt(at("10:10:00"));
    expect(await ran("10:05:00", "10:10:00")).toEqual(["10:05:00"]);
    const eventId = await derivedUlid(at("10:10:00"), "cron", environmentId, FUNCTION);
    expect(await findEvent(bindings.DB, environmentId, eventId)).toMatchObject({
      event: { source: "cron", payload: { id: "2031-01-06T10:10:00Z" } },
      outcomes: [{ functionSlug: "ticks", outcome: "skipped", reason: "rate_limited" }],
    });
  });

  it("costs two written rows in its schedule", async () => {
    await sync("*/5 * * * *");
    vi.setSystemTime(at("10:05:00"));
    await runInDurableObject(schedule(), async (instance) => {
      // Without a run, whose rows would be counted too.
      Reflect.set(instance, "env", { ...bindings, RUN: { getByName: () => ({ start: async () => {} }) } });
      const before = { ...counters };
      await instance.alarm();
      expect(counters.rowsWritten - before.rowsWritten).toBe(2);
      expect(counters.objectRequests - before.objectRequests).toBe(0);
    });
  });
});

describe("faults", () => {
  it("I1: survives eviction", async () => {
    await sync("*/5 * * * *");
    await evictDurableObject(schedule());
    await alarmAt(at("10:05:00"));
    await evictDurableObject(schedule());
    await alarmAt(at("10:10:00"));
    expect(await ran("10:05:00", "10:10:00")).toEqual(["10:05:00", "10:10:00"]);
  });

  it("I1, I4: a run that cannot be started is tried again, ever more rarely, and the alarm never throws", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    await sync("0 * * * *");
    const start = vi.fn(async () => {
      throw new Error("no such machine");
    });
    await bind({ RUN: { getByName: () => ({ start }) } as unknown as Bindings["RUN"] });
    let now = at("11:00:00");
    const waits: number[] = [];
    for (let tries = 0; tries < 7; tries++) {
      await alarmAt(now);
      waits.push(((await alarm()) ?? 0) - now);
      now += waits.at(-1) ?? 0;
    }
    expect(start).toHaveBeenCalledTimes(6);
    expect(waits.slice(0, 6)).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000]);
    // Then it counts as missed, and dev mode skips it.
    expect(await alarm()).toBe(at("12:00:00"));
  });

  it("I1: what could be published but not noted is published again, without a second run", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    await sync("0 * * * *");
    const rename = (from: string, to: string) =>
      runInDurableObject(schedule(), (_, { storage }) => {
        storage.sql.exec(`ALTER TABLE schedule RENAME COLUMN ${from} TO ${to}`);
      });
    await rename("state", "gone");
    await alarmAt(at("11:00:00"));
    const first = await runAt("11:00:00");
    expect(first).not.toBeNull();
    expect(await alarm()).toBe(at("11:00:01"));
    await rename("gone", "state");
    // The instance that comes next knows nothing of what the one before had done.
    await evictDurableObject(schedule());
    await alarmAt(at("11:00:01"));
    const again = await runAt("11:00:00");
    expect(again?.row.runId).toBe(first?.row.runId);
    expect(again?.row.queuedAt).toBe(at("11:00:00"));
    expect(await alarm()).toBe(at("12:00:00"));
  });

  it("I7: clocks that go back wait; nothing fires twice", async () => {
    await sync("*/5 * * * *");
    await alarmAt(at("10:05:00"));
    await alarmAt(at("10:01:00"));
    expect(await alarm()).toBe(at("10:10:00"));
    expect(await ran("10:05:00", "10:10:00")).toEqual(["10:05:00"]);
  });

  it("I4: the sweep sets an alarm that the platform gave up", async () => {
    await sync("*/5 * * * *");
    await runInDurableObject(schedule(), (_, { storage }) => storage.deleteAlarm());
    await environment().sweep();
    expect(await alarm()).toBe(at("10:05:00"));
    // One that is set is left alone.
    const before = counters.rowsWritten;
    await environment().sweep();
    expect(counters.rowsWritten).toBe(before);
  });

  it("I4: the patrol sets an alarm that the platform holds back", async () => {
    await sync("*/5 * * * *");
    vi.setSystemTime(at("10:05:00") + SCHEDULE.grace);
    await runInDurableObject(schedule(), async (instance, { storage }) => {
      const set = vi.spyOn(storage, "setAlarm").mockImplementation(async () => {});
      await instance.wake();
      expect(set).toHaveBeenCalledWith(at("10:05:00"));
      set.mockRestore();
    });
  });
});

describe("missed ticks", () => {
  const times = ["10:05:00", "10:10:00", "10:15:00", "10:20:00", "10:25:00", "10:30:00"];

  it.each([
    [{ MILLRACE_MODE: "cloud" }, ["10:30:00"]],
    [{ MILLRACE_MODE: "dev" }, []],
    [{ MILLRACE_MODE: "dev", MILLRACE_CRON_CATCH_UP: "latest" }, ["10:30:00"]],
    [{ MILLRACE_MODE: "cloud", MILLRACE_CRON_CATCH_UP: "skip" }, []],
    [{ MILLRACE_MODE: "cloud", MILLRACE_CRON_CATCH_UP: "all" }, times],
  ])("TR-13: after half an hour without the engine, with %j", async (variables, expected) => {
    await sync("*/5 * * * *");
    await bind(variables);
    await alarmAt(at("10:31:30"));
    expect(await ran(...times)).toEqual(expected);
    expect(await alarm()).toBe(at("10:35:00"));
    for (const time of expected) expect((await runAt(time))?.events?.[0]?.ts).toBe(at(time));
    await alarmAt(at("10:35:00"));
    expect(await ran("10:35:00")).toEqual(["10:35:00"]);
  });

  it("TR-13: all: oldest first", async () => {
    await sync("*/5 * * * *");
    const began: string[] = [];
    const getByName = (name: string) => ({ start: async () => void began.push(name) });
    await bind({ MILLRACE_CRON_CATCH_UP: "all", RUN: { getByName } as unknown as Bindings["RUN"] });
    await alarmAt(at("10:31:30"));
    expect(began).toHaveLength(times.length);
    // Run ids begin with the scheduled time.
    expect(began).toEqual([...began].sort());
  });

  it("TR-13: a tick that is merely late fires whatever the policy", async () => {
    await sync("*/5 * * * *");
    await bind({ MILLRACE_CRON_CATCH_UP: "skip" });
    await alarmAt(at("10:05:59"));
    expect(await ran("10:05:00")).toEqual(["10:05:00"]);
  });
});

describe("changes", () => {
  it("TR-14: a replaced cron never fires at an old time", async () => {
    await sync("* * * * *");
    await sync("0 0 1 1 *");
    await alarmAt(at("10:01:00"));
    expect(await ran("10:01:00")).toEqual([]);
    expect(await alarm()).toBe(Date.parse("2032-01-01T00:00:00Z"));
  });

  it("TR-14: a new cron fires as soon as the sync is over, also before the alarm of another", async () => {
    await sync("0 * * * *");
    await sync("0 * * * *", "* * * * *");
    expect(await alarm()).toBe(at("10:01:00"));
  });

  it("TR-14: an unchanged cron keeps its rhythm, and a sync that changes nothing writes nothing", async () => {
    await sync("*/5 * * * *");
    vi.setSystemTime(at("10:05:02"));
    await sync("*/5 * * * *", "0 0 * * *");
    await alarmAt(at("10:05:03"));
    expect(await ran("10:05:00")).toEqual(["10:05:00"]);
    const before = counters.rowsWritten;
    await environment().reschedule();
    expect(counters.rowsWritten).toBe(before);
  });

  it.each<[string, () => Promise<unknown>, () => Promise<unknown>]>([
    ["its crons are gone", () => register([]), () => register(["* * * * *"])],
    [
      "the function is gone",
      () => registerFunctions(bindings.DB, environmentId, { others: ["app/a"] }),
      () => register(["* * * * *"]),
    ],
    [
      "the app is archived",
      () => archive(bindings, environmentId, "app", "app-id", Date.now()),
      () => unarchive(bindings, environmentId, "app", "app-id"),
    ],
    [
      "it is paused",
      () => pauseFunction(bindings, environmentId, FUNCTION, { running: "hold", now: Date.now() }),
      () => resumeFunction(bindings, environmentId, FUNCTION, Date.now()),
    ],
  ])("TR-14: stops when %s, leaves nothing behind, and comes back", async (_, stop, comeBack) => {
    await sync("* * * * *");
    await stop();
    await environment().reschedule();
    expect(await alarm()).toBeNull();
    const tables = await runInDurableObject(schedule(), (_, { storage }) =>
      storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'schedule'").toArray(),
    );
    expect(tables).toEqual([]);
    vi.setSystemTime(at("10:03:10"));
    await comeBack();
    await environment().reschedule();
    expect(await alarm()).toBe(at("10:04:00"));
    await alarmAt(at("10:04:00"));
    expect(await ran("10:01:00", "10:02:00", "10:03:00", "10:04:00")).toEqual(["10:04:00"]);
  });

  it("TR-14: between the catalog's change and the telling nothing that is gone fires", async () => {
    await sync("* * * * *", "*/2 * * * *");
    await register(["*/2 * * * *"]);
    await alarmAt(at("10:01:00"));
    await alarmAt(at("10:02:00"));
    expect(await ran("10:01:00", "10:02:00")).toEqual(["10:02:00"]);
    await pauseUnheard(true);
    await alarmAt(at("10:04:00"));
    await pauseUnheard(false);
    await alarmAt(at("10:06:00"));
    expect(await ran("10:04:00", "10:06:00")).toEqual(["10:06:00"]);
  });

  it("TR-14: the sweep completes a sync that died before it told anybody", async () => {
    await sync("* * * * *");
    await register(["*/5 * * * *"]);
    await environment().sweep();
    await alarmAt(at("10:01:00"));
    expect(await ran("10:01:00")).toEqual([]);
    expect(await alarm()).toBe(at("10:05:00"));
  });

  it("TR-14: what may have been said in vain is said again, also when the catalog is as before", async () => {
    await sync("*/5 * * * *");
    // The schedule hears of the change, and the environment dies before it knows.
    await register(["0 0 1 1 *"]);
    const lost = vi.fn(async (crons: Parameters<ReturnType<typeof schedule>["tell"]>[0], revision: number) => {
      await schedule().tell(crons, revision);
      throw new Error("the connection was lost");
    });
    await runInDurableObject(environment(), (instance) => {
      Reflect.set(instance, "env", { ...bindings, SCHEDULE: { getByName: () => ({ tell: lost }) } });
    });
    await runInDurableObject(environment(), (instance) =>
      expect(instance.reschedule()).rejects.toThrow("the connection was lost"),
    );
    expect(lost).toHaveBeenCalledTimes(1);
    await evictDurableObject(environment());
    await sync("*/5 * * * *");
    await alarmAt(at("10:05:00"));
    expect(await ran("10:05:00")).toEqual(["10:05:00"]);
  });

  it("TR-14: a message that comes too late is not listened to", async () => {
    await sync("*/5 * * * *");
    await schedule().tell([{ cron: "0 0 1 1 *", jitter: null }], 1);
    expect(await alarm()).toBe(at("10:05:00"));
  });

  it("TR-14: a catalog that was reconciled already costs a look at its version and no written row", async () => {
    await sync("*/5 * * * *");
    const before = counters.rowsWritten;
    for (let i = 0; i < 3; i++) await environment().sweep();
    expect(counters.rowsWritten).toBe(before);
  });
});
