/**
 * A stage for tests of lines: a fresh environment and line for each test, and runs that are played by the test. What matters on it is who
 * is told what.
 */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, expect, vi } from "vitest";
import type { Capacity } from "../../../durable-objects/capacity.ts";
import { Run } from "../../../durable-objects/run.ts";
import type { Claim, Fence, Held, LineLimit, LineRef, Needs } from "../../../src/decide/capacity/line.ts";
import { capacityStub } from "../../../src/objects.ts";
import { bindings } from "../records.ts";

/** ms; a busy machine may take its time. */
export const PATIENCE = 10_000;

let environments = 0;
export let environmentId = "";
/** What the object under test keeps. */
export let ref: LineRef;
/** What runs were told, as "run held". */
export let told: string[] = [];
/** How the runs behave: they use what they are given, unless a test says otherwise. */
export const runs: { answer: (runId: string, held: Held) => Needs | Promise<Needs> } = { answer: use };

let stamp = 0;
/** Said now, and after everything else. */
function fence(): Fence {
  stamp = Math.max(stamp + 1, Date.now());
  return { sequence: 1, stamp };
}

/** A run that uses everything it holds and wants no more. */
export function use(_: string, { held }: Held): Needs {
  return { fence: fence(), busy: held, wants: 0 };
}

/** Sets the stage for every test of a file: in one environment, or in a fresh one for each test. */
export function setStage(environment?: string): void {
  beforeEach(() => {
    environmentId = environment ?? `env-line-${environments++}`;
    on({});
    told = [];
    runs.answer = use;
    vi.spyOn(Run.prototype, "capacity").mockImplementation(async function (this: Run, line: LineRef, held: Held) {
      const [ownEnvironment, runId = ""] = (Reflect.get(this, "ctx") as DurableObjectState).id.name?.split(":") ?? [];
      // What an earlier test left under way is none of this one's.
      if (ownEnvironment !== environmentId) return null;
      if (line.functionId !== ref.functionId) return null;
      expect(line).toEqual(ref);
      const needs = await runs.answer(runId, held);
      told.push(`${runId} ${held.held}${held.yields ? " yields" : ""}`);
      return needs;
      // The method of the object answers at once; over RPC there is no difference.
    } as unknown as Run["capacity"]);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });
}

/** Makes the line under test another one. */
export function on(draft: Partial<LineRef>): void {
  ref = { counts: "steps", scope: "fn", functionId: "f", expression: "event.data.id", key: "a", ...draft };
}

/** The object under test; a new one after it was reset. */
export function line(): Promise<DurableObjectStub<Capacity>> {
  return capacityStub(bindings, environmentId, ref);
}

type Draft = Partial<Omit<Claim, "limit">> & { readonly limit?: number | LineLimit; readonly score?: number };

/** Says something newer than anything said before; gives what the run holds. Wants one unit of one, unless the draft says otherwise. */
export async function says(runId: string, { limit = 1, score = 0, ...draft }: Draft = {}): Promise<number> {
  const stub = await line();
  const claim: Claim = {
    environmentId,
    runId,
    functionId: "f",
    fence: fence(),
    busy: 0,
    wants: 1,
    place: { rank: 0, score, tie: "" },
    limit: typeof limit === "number" ? { version: 1, limit, period: 0, burst: 0 } : limit,
    ...draft,
  };
  return (await stub.claim(ref, claim)).held;
}

/** A run needs nothing any more. */
export const leaves = (runId: string, draft: Draft = {}) => says(runId, { ...draft, wants: 0 });

/** Resolves when the runs have been told exactly this, in any order. */
export async function hears(...expected: string[]): Promise<void> {
  await vi.waitFor(() => expect(told.toSorted()).toEqual(expected.toSorted()), PATIENCE);
}

/** The object is lost at this moment, with everything it has in memory. */
export async function crash(): Promise<void> {
  await runInDurableObject(await line(), async (_, state) => {
    await state.storage.sync();
    state.abort("crash");
  }).catch(() => undefined);
}

/** Lets everything that is under way come to an end. */
export const settled = () => scheduler.wait(50);

export const alarmOf = async () => runInDurableObject(await line(), (_, { storage }) => storage.getAlarm());

export async function rows(table: string): Promise<number> {
  return runInDurableObject(await line(), (_, { storage }) => {
    const { n } = storage.sql.exec<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table}`).one();
    return n;
  });
}

export const tables = async () =>
  runInDurableObject(await line(), (_, { storage }) =>
    storage.sql
      .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'")
      .toArray()
      .map(({ name }) => name),
  );

/** Lets the objects' clock jump, and fires the alarm as often as it is due by then. */
export async function jump(ms: number): Promise<void> {
  const now = Date.now() + ms;
  vi.useFakeTimers({ toFake: ["Date"], now });
  for (let i = 0; i < 10; i++) {
    const alarm = await alarmOf();
    if (alarm === null || alarm > now) return;
    await runDurableObjectAlarm(await line());
  }
  throw new Error("the alarm does not come to rest");
}
