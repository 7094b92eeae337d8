import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { FunctionConfiguration } from "../../src/apps/function.ts";
import { pauseFunction } from "../../src/apps/pauses.ts";
import { counters } from "../../src/counters.ts";
import type { Claim, LineRef } from "../../src/decide/capacity/line.ts";
import { storeOperation } from "../../src/history/operations.ts";
import { newUlid } from "../../src/ids.ts";
import { SCHEDULE, SWEEP, WINDOW } from "../../src/limits.ts";
import {
  capacityStub,
  directoryStub,
  environmentStub,
  operationStub,
  pauseStub,
  waitsStub,
  windowStub,
} from "../../src/objects.ts";
import { patrol } from "../../src/sweep/patrol.ts";
import { bindings, freshEnvironment } from "./records.ts";
import { muteApps, registerFunctions } from "./registered.ts";
import { aWait } from "./waits/waiting.ts";
import { gatherings, membersOf, windowOf } from "./window/gathered.ts";

const FN = "id-of-fn";
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** ms; a busy machine may take its time. */
const PATIENCE = 20_000;

let environmentId = "";
const sweep = () => environmentStub(bindings, environmentId).sweep();
const register = (options: Partial<FunctionConfiguration> = {}) =>
  registerFunctions(bindings.DB, environmentId, { fn: ["app/a"] }, options);
const directory = () => directoryStub(bindings, environmentId, FN);
const listed = async () => (await directory().list(["line", "batch", "debounce"])).entries;

/** Lets the objects' clock jump; alarms go on in real time, so that none fires by itself. */
function jump(ms: number): number {
  const now = Date.now() + ms;
  vi.useFakeTimers({ toFake: ["Date"], now });
  return now;
}

type Stub = DurableObjectStub<Rpc.DurableObjectBranded & DurableObject>;

const alarmOf = (stub: unknown) => runInDurableObject(stub as Stub, (_, { storage }) => storage.getAlarm());

/** What the platform does to an alarm whose handler has failed too often; nobody calls the object any more. */
async function forget(stub: unknown): Promise<void> {
  await runInDurableObject(stub as Stub, (_, { storage }) => storage.deleteAlarm());
  await evictDurableObject(stub as Stub);
}

beforeAll(muteApps);
beforeEach(async () => {
  environmentId = freshEnvironment();
  await register();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("the patrol (I4, row 8)", { timeout: 60_000 }, () => {
  it("FC-24: a debounce window that nobody closes is found, and starts its run", async () => {
    await register({ debounce: { period: MINUTE, timeout: null, key: null } });
    const window = await windowOf(environmentId, "debounce");
    const options = { version: 1, period: MINUTE, timeout: null };
    const [runId] = await window.join({ kind: "debounce", events: gatherings(2), key: "", options, depth: 0 });
    await vi.waitFor(async () => expect(await listed()).toHaveLength(1), PATIENCE);
    await forget(window);
    const now = jump(2 * MINUTE);
    await sweep();
    expect(await alarmOf(window)).toBe(now);
    await runDurableObjectAlarm(window);
    expect(await membersOf(environmentId, runId)).toEqual([1]);
  });

  it("FC-5: a line in which somebody waits is found", async () => {
    const ref: LineRef = { counts: "steps", scope: "fn", functionId: FN, expression: null, key: "" };
    const line = await capacityStub(bindings, environmentId, ref);
    const claim = (runId: string): Claim => ({
      environmentId,
      runId,
      functionId: FN,
      fence: { sequence: 1, stamp: Date.now() },
      busy: 0,
      wants: 1,
      place: { rank: 0, score: 0, tie: "" },
      limit: { version: 1, limit: 1, period: 0, burst: 0 },
    });
    expect(await line.claim(ref, claim("first"))).toMatchObject({ held: 1 });
    expect(await line.claim(ref, claim("second"))).toMatchObject({ held: 0 });
    await vi.waitFor(async () => expect(await listed()).toHaveLength(1), PATIENCE);
    expect(await alarmOf(line)).not.toBeNull();
    await forget(line);
    jump(SWEEP.grace);
    await sweep();
    expect(await alarmOf(line)).not.toBeNull();
  });

  it("EX-41: the waits for a name are found", async () => {
    const waits = waitsStub(bindings, environmentId, "event", "app/go");
    await waits.register(aWait("run"));
    await forget(waits);
    await sweep();
    expect(await alarmOf(waits)).not.toBeNull();
  });

  it("CR-9: an operation that goes on is found", async () => {
    const now = jump(HOUR);
    const id = newUlid(now);
    const operation = operationStub(bindings, environmentId, id);
    const state = await operation.begin({
      id,
      environmentId,
      kind: "cancel",
      app: { id: "app-id", name: "shop" },
      function: { id: FN, slug: "fn" },
      after: null,
      before: now,
      condition: null,
      createdAt: now,
    });
    await forget(operation);
    await sweep();
    expect(await alarmOf(operation)).toBe(now);
    // History may know of one whose object is gone.
    const lost = { ...state, request: { ...state.request, id: newUlid(now) } };
    await storeOperation(bindings.DB, lost);
    await sweep();
    expect(await alarmOf(operationStub(bindings, environmentId, lost.request.id))).toBeNull();
  });

  it("CR-15: the pauses of a function are found", async () => {
    const now = jump(HOUR);
    await pauseFunction(bindings, environmentId, FN, { running: "hold", now });
    const pause = pauseStub(bindings, environmentId, FN);
    await forget(pause);
    await sweep();
    expect(await alarmOf(pause)).not.toBeNull();
  });

  it("an alarm that is set is left alone, also one that is a little late", async () => {
    const waits = waitsStub(bindings, environmentId, "event", "app/go");
    await waits.register(aWait("run"));
    const before = (await alarmOf(waits)) ?? 0;
    await sweep();
    expect(await alarmOf(waits)).toBe(before);
    const written = counters.rowsWritten;
    jump(before - Date.now() + SWEEP.grace - 1000);
    await waits.rouse();
    expect(counters.rowsWritten).toBe(written);
    // One that is held back is set anew.
    jump(2000);
    await waits.rouse();
    expect(counters.rowsWritten).toBe(written + 1);
  });

  it("comes to everybody within an hour", async () => {
    const slugs = Array.from({ length: 130 }, (_, i) => `fn-${i}`);
    await registerFunctions(bindings.DB, environmentId, Object.fromEntries(slugs.map((slug) => [slug, ["app/a"]])));
    const asked = new Set<string>();
    const getByName = vi.spyOn(bindings.DIRECTORY, "getByName");
    for (let minute = 0; minute * SCHEDULE.sweep < SWEEP.patrol; minute++) {
      jump(SCHEDULE.sweep);
      const before = asked.size;
      getByName.mockClear();
      await patrol(bindings, environmentId, Date.now());
      for (const [name] of getByName.mock.calls) asked.add(name);
      expect(asked.size - before).toBeLessThanOrEqual(3);
    }
    expect(asked.size).toBe(130 + 1);
  });

  it("FC-28: what is listed and holds nothing any more is not asked for ever", async () => {
    await directory().enter({ kind: "batch", key: "gone", name: `${environmentId}:batch:${FN}:=gone` });
    const ref: LineRef = { counts: "steps", scope: "fn", functionId: FN, expression: null, key: "gone" };
    const name = `${environmentId}:steps:fn:${FN}::=gone`;
    await directory().enter({ kind: "line", key: "gone", name });
    await sweep();
    expect(await listed()).toEqual([]);
    for (const stub of [
      await windowOf(environmentId, "batch", "gone"),
      await capacityStub(bindings, environmentId, ref),
    ]) {
      expect(await alarmOf(stub)).toBeNull();
    }
  });
});

describe("objects that no list leads to", { timeout: 60_000 }, () => {
  it("FC-19: a rate limit in use notices by itself that its alarm is gone", async () => {
    const window = await windowStub(bindings, environmentId, "rate-limit", { functionId: FN, key: "" });
    const limit = { limit: 100, period: HOUR };
    expect(await window.pass("a", Date.now(), limit)).toBe(true);
    await forget(window);
    expect(await window.pass("b", Date.now(), limit)).toBe(true);
    await vi.waitFor(async () => expect(await alarmOf(window)).not.toBeNull(), PATIENCE);
    const set = await alarmOf(window);
    expect(set).toBeLessThanOrEqual(Date.now() + WINDOW.remembered);
    expect(await window.pass("c", Date.now(), limit)).toBe(true);
    expect(await alarmOf(window)).toBe(set);
  });
});
