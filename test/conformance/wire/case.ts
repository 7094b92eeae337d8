/**
 * Wire cases as data: what an app answers, and what the engine must make of it. Owns how a table of them is run: one engine and one
 * app per test file, each case a function of its own, all started together so that waiting costs nothing.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type EventJson,
  hasEnded,
  type RunJson,
  startTestEngine,
  type TestEngine,
  type TestEngineOptions,
  type TestEvent,
} from "../harness/engine.ts";
import { type AppCall, type ScriptedApp, type ScriptedFunction, startScriptedApp } from "../harness/scripted-app.ts";

/** A call as expectations describe it; what is left out is not looked at. */
export interface CallShape {
  /** `step`, or the id of the step that is asked for. */
  readonly stepId?: string;
  readonly attempt?: number;
  /** Ids of finished steps, in order. */
  readonly stack?: readonly string[];
  readonly steps?: Readonly<Record<string, unknown>>;
  readonly version?: number;
  /** `disable_immediate_execution`. */
  readonly planning?: boolean;
}

/** One entry of `GET /v1/runs/:id/jobs`. */
export interface JobJson {
  readonly kind: string;
  readonly at: string;
  readonly attempt: number;
  readonly step: string | null;
}

/** What a case led to. */
export interface Seen {
  readonly engine: TestEngine;
  readonly app: ScriptedApp;
  readonly calls: readonly AppCall[];
  readonly run: RunJson;
  /** What the run has queued; empty once it has ended. */
  readonly jobs: readonly JobJson[];
  readonly event: () => Promise<EventJson>;
}

/** One case. */
export interface WireCase extends Pick<ScriptedFunction, "script" | "retries" | "options"> {
  /** Unique in its table; names the function. */
  readonly id: string;
  /** The test's name: spec or protocol section, and what holds. */
  readonly proves: string;
  /** Fields of the event besides its name. */
  readonly event?: Omit<TestEvent, "name">;
  /** Starts the run in another way than with the event `wire/<id>`; answers the event's internal id, or null when another case starts it. */
  readonly start?: (engine: TestEngine) => Promise<string | null>;
  /** When to look: when the run has ended (default), or when it is at rest with only work for later. */
  readonly at?: "end" | "rest";
  /** The run's status, `Completed` unless said otherwise. */
  readonly status?: RunJson["status"];
  /** The run's whole output. */
  readonly output?: unknown;
  /** Fields of the run's output, when it is an error. */
  readonly error?: Readonly<Partial<Record<"name" | "code" | "message" | "stack", unknown>>>;
  /** All calls, in order of arrival. */
  readonly calls?: readonly CallShape[];
  /** Anything else. */
  readonly check?: (seen: Seen) => void | Promise<void>;
}

/** What the cases of a table share. `waitMs` is how long a case may take until it can be looked at. */
export interface TableOptions {
  readonly bindings?: Readonly<Record<string, string>>;
  readonly waitMs?: number;
  /** Receives everything the engine logs. */
  readonly onLine?: NonNullable<TestEngineOptions["onLine"]>;
  /** Declares tests that share engine and app with the cases, and come after them. */
  readonly also?: (world: () => Pick<Seen, "engine" | "app">) => void;
}

const APP = "wire";

/** Declares one test per case. */
export function runTable(title: string, cases: readonly WireCase[], options: TableOptions = {}): void {
  describe(title, () => {
    let engine: TestEngine | undefined;
    let app: ScriptedApp | undefined;
    const outcomes = new Map<string, Promise<Seen>>();

    beforeAll(async () => {
      const [startedEngine, startedApp] = await Promise.all([
        startTestEngine({
          ...(options.bindings === undefined ? {} : { bindings: options.bindings }),
          ...(options.onLine === undefined ? {} : { onLine: options.onLine }),
        }),
        startScriptedApp(),
      ]);
      engine = startedEngine;
      app = startedApp;
      const functions = cases.map((item) => ({ ...item, options: item.options ?? {}, event: eventName(item) }));
      const registered = await startedApp.register(startedEngine, APP, functions);
      expect(registered.json, registered.text).toMatchObject({ ok: true });
      for (const item of cases) {
        const outcome = observe(startedEngine, startedApp, item, options.waitMs ?? 20_000);
        outcome.catch(() => undefined); // it is awaited again by its test
        outcomes.set(item.id, outcome);
      }
    });
    afterAll(async () => {
      await Promise.all([engine?.stop(), app?.stop()]);
    });

    for (const item of cases) {
      it(`${item.proves} [${item.id}]`, async () => {
        const seen = await outcomes.get(item.id);
        if (seen === undefined) throw new Error("The table did not start.");
        judge(item, seen);
        await item.check?.(seen);
      });
    }
    options.also?.(() => {
      if (engine === undefined || app === undefined) throw new Error("The table did not start.");
      return { engine, app };
    });
  });
}

function eventName(item: WireCase): string {
  return `${APP}/${item.id}`;
}

async function send(engine: TestEngine, item: WireCase): Promise<string | null> {
  const [id = null] = await engine.send({ name: eventName(item), ...item.event });
  return id;
}

async function observe(engine: TestEngine, app: ScriptedApp, item: WireCase, waitMs: number): Promise<Seen> {
  const eventId = await (item.start?.(engine) ?? send(engine, item));
  const slug = `${APP}-${item.id}`;
  const runId = await engine.until(() => app.callsOf(slug)[0]?.runId, waitMs);
  let last: Pick<Seen, "run" | "jobs"> | undefined;
  try {
    await engine.until(async () => {
      const [run, jobs] = await Promise.all([engine.run(runId), jobsOf(engine, runId)]);
      last = { run, jobs };
      return item.at === "rest" ? isAtRest(run, jobs) : hasEnded(run);
    }, waitMs);
  } catch (error) {
    const calls = app.callsOf(slug, runId).map((call) => JSON.stringify(shapeOf(call)));
    throw new Error(`The run never got there: ${JSON.stringify(last)} after the calls\n${calls.join("\n")}`, {
      cause: error,
    });
  }
  if (last === undefined) throw new Error("The run was never seen.");
  return {
    engine,
    app,
    ...last,
    calls: app.callsOf(slug, runId),
    event: () => engine.event(eventId ?? last?.run.event_id ?? ""),
  };
}

/** What the run has queued. */
export async function jobsOf(engine: TestEngine, runId: string): Promise<JobJson[]> {
  const { status, json, text } = await engine.api("GET", `/v1/runs/${runId}/jobs`);
  if (status !== 200) throw new Error(`${status} ${text}`);
  // The engine's own form (API-9); a wrong one fails the expectations made of it.
  return (json as { data: JobJson[] }).data;
}

/**
 * ms by which a call may come late where a case says that it comes in time: the cases of a table share one process and a small machine.
 * How long waits are exactly is tested where they are computed; here they must only not be other waits.
 */
export const SLACK = 4_000;

/** ms from one call to another; their numbers count from 0. */
export function between({ calls }: Pick<Seen, "calls">, one: number, other: number): number {
  return (calls[other]?.at ?? Number.NaN) - (calls[one]?.at ?? Number.NaN);
}

/** Work that is due within this time counts as going on. */
const SOON = 5_000;

function isAtRest(run: RunJson, jobs: readonly JobJson[]): boolean {
  return !hasEnded(run) && jobs.length > 0 && jobs.every((job) => Date.parse(job.at) > Date.now() + SOON);
}

/** A call in the words of {@link CallShape}. */
export function shapeOf(call: AppCall): Required<CallShape> {
  const { ctx, steps, version } = call.body;
  return {
    stepId: call.stepId,
    attempt: ctx.attempt,
    stack: ctx.stack.stack,
    steps,
    version,
    planning: ctx.disable_immediate_execution,
  };
}

function judge(item: WireCase, { run, calls }: Seen): void {
  const output = JSON.stringify(run.output);
  expect(run.status, output).toBe(item.status ?? (item.at === "rest" ? "Running" : "Completed"));
  if ("output" in item) expect(run.output).toEqual(item.output);
  if (item.error !== undefined) expect(run.output).toMatchObject(item.error);
  if (item.calls === undefined) return;
  expectCalls(calls, item.calls);
}

/** Asserts that exactly these calls arrived, each compared in what its expectation names. */
export function expectCalls(calls: readonly AppCall[], expected: readonly CallShape[]): void {
  const got = calls.map((call, index) => narrowed(shapeOf(call), expected[index] ?? { stepId: "" }));
  expect(got).toEqual(expected);
}

function narrowed(shape: Required<CallShape>, like: CallShape): Partial<CallShape> {
  return Object.fromEntries(Object.entries(shape).filter(([name]) => name in like));
}
