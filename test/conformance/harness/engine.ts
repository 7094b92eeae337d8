/**
 * A real engine for one test file: workerd on a port and a state directory of its own, spoken to over HTTP only.
 * Owns starting, killing and removing it, and the few requests every test makes. Guarantees that nothing of it is left after `stop`,
 * and that a request the engine refuses unexpectedly fails the test with the engine's own words.
 */
import { mkdir } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { buildWorker, type Engine, startEngine } from "../../../cli/engine.ts";
import type { RuntimeLine } from "../../../cli/runtime-line.ts";
import { temporaryState } from "../../../cli/state.ts";

/** How to start an engine. */
export interface TestEngineOptions {
  /** Variables and secrets; `MILLRACE_MODE` is `dev` unless given. */
  readonly bindings?: Readonly<Record<string, string>>;
  /** Seconds between attempts instead of the back-off table; 0 keeps the table. Default 1. */
  readonly retryInterval?: number;
  /** State to keep: it is not removed at the end. Default: a new directory in memory, removed by {@link TestEngine.stop}. */
  readonly persistDir?: string;
  /** Receives everything the engine logs, which is dropped otherwise. */
  readonly onLine?: (line: RuntimeLine) => void;
}

/** What the engine answered. */
export interface Answer {
  readonly status: number;
  /** The parsed body; undefined when it is not JSON. */
  readonly json: unknown;
  readonly text: string;
  readonly headers: Headers;
}

const runSchema = z.looseObject({
  run_id: z.string(),
  run_started_at: z.string().nullable(),
  ended_at: z.string().nullable(),
  status: z.enum(["Scheduled", "Running", "Completed", "Failed", "Cancelled", "Skipped"]),
  output: z.unknown(),
  function_id: z.string(),
  function_slug: z.string(),
  event_id: z.string().nullable(),
  event_ids: z.array(z.string()),
  event_name: z.string().nullable(),
  queued_at: z.string(),
});

/** A run as `GET /v1/runs/:id` shows it (API-8); fields not named here are there too. */
export type RunJson = z.infer<typeof runSchema>;

const eventSchema = z.looseObject({ internal_id: z.string(), id: z.string(), name: z.string(), data: z.unknown() });

/** An event as `GET /v1/events/:id` shows it (API-7). */
export type EventJson = z.infer<typeof eventSchema>;

const acceptedSchema = z.object({ ids: z.array(z.string()), status: z.literal(200) });

/** A running engine and the requests tests make to it. */
export interface TestEngine {
  /** `http://127.0.0.1:<port>`: the same after a restart. */
  readonly url: string;
  readonly bindings: Readonly<Record<string, string>>;
  /** Any request; never throws because of a status. With a signing key configured, its bearer is sent unless `headers` names another. */
  api(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** Sends events and answers their internal ids; throws when they are refused. */
  send(event: TestEvent | readonly TestEvent[]): Promise<string[]>;
  /** Throws when the engine does not know the event. */
  event(id: string): Promise<EventJson>;
  /** The runs an event started, up to 100. */
  runsOf(eventId: string): Promise<RunJson[]>;
  run(runId: string): Promise<RunJson>;
  /** Waits until the event has `n` runs that have ended, and answers all its runs. Throws, telling what it saw, after `timeoutMs`. */
  ended(eventId: string, n?: number, timeoutMs?: number): Promise<RunJson[]>;
  /** Asks again and again until the answer is neither null, undefined nor false. Throws the last error, or that time ran out. */
  until<T>(ask: () => T | Promise<T>, timeoutMs?: number): Promise<Exclude<T, null | undefined | false>>;
  /** Fires the cron trigger, as production does every minute. Throws when the sweep failed. */
  sweep(): Promise<void>;
  /** The process id of workerd; it changes with every restart. */
  pid(): number;
  /** `kill -9` of workerd; resolves when it is gone. */
  kill(): Promise<void>;
  /** Resolves when the engine runs again after {@link kill}, on the same data and port. */
  boot(): Promise<void>;
  /** Ends the engine and removes its state. */
  stop(): Promise<void>;
}

/** An event as a sender writes it. */
export interface TestEvent {
  readonly name: string;
  readonly data?: unknown;
  readonly id?: string;
  readonly ts?: number;
  readonly [other: string]: unknown;
}

/** Statuses that never change again. */
const FINAL: ReadonlySet<RunJson["status"]> = new Set(["Completed", "Failed", "Cancelled", "Skipped"]);

/** True for a run that has ended. */
export function hasEnded(run: RunJson): boolean {
  return FINAL.has(run.status);
}

/** Starts an engine; the bundle is built when nobody has done so. */
export async function startTestEngine(options: TestEngineOptions = {}): Promise<TestEngine> {
  const bindings = {
    MILLRACE_MODE: "dev",
    MILLRACE_RETRY_INTERVAL: String(options.retryInterval ?? 1),
    ...options.bindings,
  };
  const bundleDir = await buildWorker();
  const state = options.persistDir === undefined ? await temporaryState() : await keptState(options.persistDir);
  let engine: Engine;
  try {
    const { onLine } = options;
    const logging = onLine === undefined ? { quiet: true } : { quiet: false, onLine };
    engine = await startEngine({ port: 0, persistDir: state.dir, bindings, bundleDir, ...logging });
  } catch (error) {
    await state.release();
    throw error;
  }
  const requests = requestsTo(engine.url, bindings);
  return {
    url: engine.url,
    bindings,
    ...requests,
    sweep: () => engine.sweep(),
    pid: () => engine.pid(),
    kill: () => engine.kill(),
    boot: () => engine.ready(),
    async stop() {
      await engine.stop();
      await state.release();
    },
  };
}

async function keptState(dir: string) {
  await mkdir(dir, { recursive: true });
  return { dir, release: () => Promise.resolve() };
}

/** The same engine to whoever has other keys, and `INNGEST_ENV` for a branch: clients of scenarios get them, and requests carry them (EV-21). */
export function seenWith(engine: TestEngine, keys: Readonly<Record<string, string>>): TestEngine {
  const bindings = { ...engine.bindings, ...keys };
  return { ...engine, bindings, ...requestsTo(engine.url, bindings) };
}

type Requests = Pick<TestEngine, "api" | "send" | "event" | "runsOf" | "run" | "ended" | "until">;

function requestsTo(url: string, bindings: Readonly<Record<string, string>>): Requests {
  const { INNGEST_SIGNING_KEY: signingKey, INNGEST_ENV: branch } = bindings;
  const bearer = {
    ...(signingKey === undefined ? {} : { authorization: `Bearer ${signingKey}` }),
    ...(branch === undefined ? {} : { "x-inngest-env": branch }),
  };
  const eventKey = bindings["INNGEST_EVENT_KEY"]?.split(",")[0] ?? "test";

  const api: Requests["api"] = async (method, path, body, headers = {}) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { ...bearer, ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, json: parsed(text), text, headers: response.headers };
  };
  const data = async <T>(schema: z.ZodType<T>, path: string): Promise<T> => {
    const { status, text, json } = await api("GET", path);
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${text}`);
    return z.object({ data: schema }).parse(json).data;
  };
  const send: Requests["send"] = async (event) => {
    const { status, json, text } = await api("POST", `/e/${eventKey}`, event);
    const accepted = acceptedSchema.safeParse(json);
    if (status !== 200 || !accepted.success) throw new Error(`The events were refused: ${status} ${text}`);
    return accepted.data.ids;
  };
  const runsOf: Requests["runsOf"] = (id) => data(z.array(runSchema), `/v1/events/${id}/runs?limit=100`);
  return {
    api,
    send,
    event: (id) => data(eventSchema, `/v1/events/${id}`),
    runsOf,
    run: (id) => data(runSchema, `/v1/runs/${id}`),
    async ended(eventId, n = 1, timeoutMs = 20_000) {
      let seen: readonly RunJson[] = [];
      try {
        return await until(async () => {
          const runs = await runsOf(eventId);
          seen = runs;
          return runs.filter(hasEnded).length >= n ? runs : null;
        }, timeoutMs);
      } catch (error) {
        const runs = seen.map((run) => `${run.run_id} of ${run.function_slug} ${run.status}`).join(", ") || "no runs";
        throw new Error(`${n} ended run(s) of event ${eventId} were expected; seen: ${runs}`, { cause: error });
      }
    },
    until,
  };
}

/** ms between two questions of {@link until}: at first often, because most answers come at once. */
const PAUSES = [5, 10, 20, 40, 80, 80, 80, 120, 160];
/** ms between later ones. Each question to the engine costs it some ms: those of dozens of waiting scenarios would be most of its work. */
const ASKING = 200;
/** ms between looks at what the app itself noted, which costs nothing. */
const LOOKING = 40;

async function until<T>(ask: () => T | Promise<T>, timeoutMs = 20_000): Promise<Exclude<T, null | undefined | false>> {
  const deadline = performance.now() + timeoutMs;
  let failure: unknown;
  let most = LOOKING;
  for (let asked = 0; ; asked++) {
    try {
      failure = undefined;
      const asking = ask();
      most = asking instanceof Promise ? ASKING : LOOKING;
      const answer = await asking;
      // The three values that mean "not yet" are excluded by the line itself, which TypeScript does not follow for a type parameter.
      if (answer !== null && answer !== undefined && answer !== false) return answer as never;
    } catch (error) {
      failure = error;
    }
    if (performance.now() > deadline) break;
    await sleep(Math.min(PAUSES[asked] ?? most, most));
  }
  throw failure ?? new Error(`Nothing came within ${timeoutMs} ms`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
