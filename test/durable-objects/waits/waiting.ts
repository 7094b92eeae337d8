/**
 * A stage for tests of waits: a fresh environment and name for each test, and runs that are played by the test. What matters on it is
 * who hears of what.
 */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, beforeEach, expect, vi } from "vitest";
import { Run } from "../../../durable-objects/run.ts";
import type { Waits } from "../../../durable-objects/waits.ts";
import type { Wait } from "../../../src/decide/waits/wait.ts";
import type { AcceptedEvent, EventPayload } from "../../../src/events/event.ts";
import { ensureSchema } from "../../../src/history/schema.ts";
import type { JsonObject } from "../../../src/json.ts";
import { waitsStub } from "../../../src/objects.ts";
import { anEvent as aRoutedEvent, bindings } from "../records.ts";

export const NAME = "app/go";
export const HOUR = 60 * 60 * 1000;
/** ms; a busy machine may take its time. */
export const PATIENCE = 10_000;
/** A condition that the index can use. */
export const USER = "event.data.userId == async.data.userId";

let environments = 0;
export let environmentId = "";
/** The object under test. */
export let waits: DurableObjectStub<Waits>;
/** What runs heard, as "run step event". */
export let heard: string[] = [];
/** How the runs behave: they take every event, unless a test says otherwise. */
export const runs: { answer: (runId: string, event: AcceptedEvent) => boolean | Promise<boolean> } = {
  answer: () => true,
};

/** Makes the name of the object under test another one. */
export function named(name: string): void {
  waits = waitsStub(bindings, environmentId, "event", name);
}

/** Sets the stage for every test of a file. */
export function setStage(): void {
  beforeAll(() => ensureSchema(bindings.DB));
  beforeEach(() => {
    environmentId = `env-waits-${environments++}`;
    named(NAME);
    heard = [];
    runs.answer = () => true;
    vi.spyOn(Run.prototype, "offerEvent").mockImplementation(async function (this: Run, stepId, event) {
      const [environment, runId = ""] = (Reflect.get(this, "ctx") as DurableObjectState).id.name?.split(":") ?? [];
      // What an earlier test left under way is none of this one's.
      if (environment !== environmentId) return true;
      const taken = await runs.answer(runId, event);
      heard.push(`${runId} ${stepId} ${event.internalId}`);
      return taken;
    });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });
}

export function anEvent(data: JsonObject = {}, draft: Partial<AcceptedEvent> = {}): AcceptedEvent {
  return aRoutedEvent({ ...draft, payload: { name: NAME, data } }).event;
}

export function aWait(runId: string, draft: Partial<Wait> = {}): Wait {
  const since = Date.now();
  return {
    runId,
    stepId: "s",
    since,
    expiresAt: since + HOUR,
    expression: null,
    event: trigger({}),
    triggers: [],
    ...draft,
  };
}

/** A wait for events of a user, the same as its trigger event's. */
export function forUser(runId: string, userId: string | number, data: JsonObject = {}): Wait {
  return aWait(runId, { expression: USER, event: trigger({ userId, ...data }) });
}

export function trigger(data: JsonObject): EventPayload {
  return { name: "app/start", data, id: "trigger", ts: 1, user: {} };
}

/** Resolves when the runs have heard exactly this, in any order. */
export async function hears(...expected: string[]): Promise<void> {
  await vi.waitFor(() => expect(heard.toSorted()).toEqual(expected.toSorted()), PATIENCE);
}

/** Lets everything that is under way come to an end. */
export const settled = () => scheduler.wait(50);

export const alarmOf = () => runInDurableObject(waits, (_, { storage }) => storage.getAlarm());

export function rows(table: string): Promise<number> {
  return runInDurableObject(waits, (_, { storage }) => {
    const { n } = storage.sql.exec<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table}`).one();
    return n;
  });
}

export const tables = () =>
  runInDurableObject(waits, (_, { storage }) =>
    storage.sql
      .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'")
      .toArray(),
  );

export const announcedNames = async () => {
  const query = "SELECT name FROM awaited_names WHERE environment_id = ?";
  const { results } = await bindings.DB.prepare(query).bind(environmentId).all<{ name: string }>();
  return results.map(({ name }) => name);
};

/** Lets the objects' clock jump, and fires the alarm as often as it is due by then. */
export async function jump(ms: number): Promise<void> {
  const now = Date.now() + ms;
  vi.useFakeTimers({ toFake: ["Date"], now });
  for (let i = 0; i < 10; i++) {
    const alarm = await alarmOf();
    if (alarm === null || alarm > now) return;
    await runDurableObjectAlarm(waits);
  }
  throw new Error("the alarm does not come to rest");
}
