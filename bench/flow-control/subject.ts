/**
 * The engine and a bare app whose functions are limited. Owns the registration, what a call of each function does, and the record of
 * when calls came: the app's own, independent of what the engine says.
 */
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { buildWorker, startEngine } from "../../cli/engine.ts";
import { listenWith } from "../app.ts";
import { client } from "../http.ts";
import { stateDir } from "../state.ts";

/** The first call of one run, by the app's clock. */
export interface Arrival {
  readonly function: FunctionName;
  readonly runId: string;
  readonly key: string;
  /** The event's `ts`: when the engine received it, ms since 1970. */
  readonly ts: number;
  /** ms since 1970. */
  readonly at: number;
}

/** What the benchmark works with. */
export interface Subject {
  /** The engine's origin. */
  readonly url: string;
  /** Sends events of one function in one request. */
  send(name: FunctionName, events: readonly { readonly key: string; readonly hold?: number }[]): Promise<void>;
  /** First calls of runs so far. */
  readonly arrivals: readonly Arrival[];
  /** Runs that have ended so far, of a function. */
  ended(name: FunctionName): number;
  /** The most calls of a function that were open at one moment. */
  peak(name: FunctionName): number;
  close(): Promise<void>;
}

/** ms; the period or time-out of every window. */
export const PERIOD = 3000;

const KEY = "event.data.key";
const OPTIONS = {
  keyed: { concurrency: [{ limit: 1, key: KEY }] },
  debounced: { debounce: { period: `${PERIOD}ms`, key: KEY } },
  batched: { batchEvents: { maxSize: 100, timeout: `${PERIOD}ms`, key: KEY } },
  throttled: { throttle: { limit: 1, period: `${PERIOD}ms`, key: KEY } },
  crowded: { concurrency: [{ limit: 5 }] },
  free: {},
} as const;

/** The functions; event `bench/<name>` starts the one of that name. */
export type FunctionName = keyof typeof OPTIONS;

const HEADERS = {
  "content-type": "application/json",
  "x-inngest-sdk": "bench:v0",
  "x-inngest-sdk-handled": "true",
  "x-inngest-req-version": "2",
};
const names = z.enum(["keyed", "debounced", "batched", "throttled", "crowded", "free"]);
const callSchema = z.object({
  event: z.object({ ts: z.number(), data: z.object({ key: z.string(), hold: z.number().default(0) }) }),
  ctx: z.object({ run_id: z.string(), stack: z.object({ stack: z.array(z.string()) }) }),
});
const STEP = JSON.stringify([
  { id: "work", op: "StepRun", name: "work", displayName: "work", opts: {}, userland: { id: "work" }, data: 1 },
]);

/** Starts both. */
export async function startSubject({ inMemory }: { readonly inMemory: boolean }): Promise<Subject> {
  const arrivals: Arrival[] = [];
  const ended = new Map<FunctionName, number>();
  const open = new Map<FunctionName, number>();
  const peaks = new Map<FunctionName, number>();
  const count = (counts: Map<FunctionName, number>, name: FunctionName, by: number) => {
    const now = (counts.get(name) ?? 0) + by;
    counts.set(name, now);
    return now;
  };

  // `keyed` has one step that takes its time, and then ends; the others end with their first call.
  const answer = async (name: FunctionName, body: string, at: number): Promise<[status: number, text: string]> => {
    const { event, ctx } = callSchema.parse(JSON.parse(body));
    const first = ctx.stack.stack.length === 0;
    if (first) arrivals.push({ function: name, runId: ctx.run_id, key: event.data.key, ts: event.ts, at });
    if (first && event.data.hold > 0) await sleep(event.data.hold);
    return first && name === "keyed" ? [206, STEP] : [200, "null"];
  };

  const app = await listenWith((request, response) => {
    const at = Date.now();
    const name = names.parse(new URL(request.url ?? "/", "http://app").searchParams.get("fnId")?.slice("flow-".length));
    peaks.set(name, Math.max(peaks.get(name) ?? 0, count(open, name, 1)));
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    request.once("end", async () => {
      const [status, text] = await answer(name, body, at);
      count(open, name, -1);
      if (status === 200) count(ended, name, 1);
      response.writeHead(status, HEADERS).end(text);
    });
  });

  const persistDir = await stateDir(inMemory);
  const bundleDir = await buildWorker();
  const engine = await startEngine({ port: 0, persistDir, bundleDir, quiet: true, bindings: { MILLRACE_MODE: "dev" } });
  const http = client(engine.url, 16);
  await http.post("/fn/register", JSON.stringify(registration(app.origin)));
  return {
    url: engine.url,
    arrivals,
    ended: (name) => ended.get(name) ?? 0,
    peak: (name) => peaks.get(name) ?? 0,
    send: (name, events) =>
      http.post("/e/bench", JSON.stringify(events.map((data) => ({ name: `bench/${name}`, data })))),
    async close() {
      http.close();
      await app.close();
      await engine.stop();
    },
  };
}

function registration(origin: string) {
  const functions = names.options.map((name) => {
    const url = `${origin}/?fnId=flow-${name}&stepId=step`;
    const step = { id: "step", name: "step", runtime: { type: "http", url } };
    return { id: `flow-${name}`, name, triggers: [{ event: `bench/${name}` }], steps: { step }, ...OPTIONS[name] };
  });
  return {
    url: origin,
    appName: "flow",
    sdk: "bench:v0",
    framework: "none",
    v: "0.1",
    deployType: "ping",
    functions,
  };
}
