/**
 * `node bench/waits.ts`: how long it takes from an event to the next call of the run that waits for it, beside 10 and beside 100,000
 * other waits for events of the same name (the aim is a p50 of at most 20 ms with both).
 *
 *   --in-memory  state on a memory-backed file system, where there is one
 *   --waits N    instead of 100,000; a multiple of 1,000
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import * as z from "zod";
import { buildWorker, startEngine } from "../cli/engine.ts";
import { listenWith } from "./app.ts";
import { client } from "./http.ts";
import { percentiles } from "./percentiles.ts";
import { stateDir } from "./state.ts";
import { until } from "./until.ts";

const { values } = parseArgs({ options: { "in-memory": { type: "boolean" }, waits: { type: "string" } } });

/** Waits one run of the crowd has: as many as a run may have steps. */
const PER_RUN = 1000;
const FEW = 10;
const MANY = Number(values.waits ?? 100_000);
/** Runs that are measured, one at a time. */
const SAMPLES = 200;
/** Runs of the crowd that register at the same time. */
const AT_ONCE = 4;
/** ms in which a wait of an idle engine is registered, as a rule. */
const REGISTRATION = 100;

const AWAITED = "bench/awaited";
const HEADERS = {
  "content-type": "application/json",
  "x-inngest-sdk": "bench:v0",
  "x-inngest-sdk-handled": "true",
  "x-inngest-req-version": "2",
};
const callSchema = z.object({
  event: z.object({ data: z.object({ key: z.string(), waits: z.number() }) }),
  ctx: z.object({ stack: z.object({ stack: z.array(z.string()) }) }),
});

/** Keys of runs whose first call was answered, and when the second call of others arrived. */
const waiting = new Set<string>();
const resumed = new Map<string, number>();

function waitOp(key: string) {
  return {
    id: key,
    op: "WaitForEvent",
    name: AWAITED,
    displayName: key,
    opts: { timeout: "30d", if: `async.data.key == '${key}'` },
    userland: { id: key },
    data: null,
  };
}

const app = await listenWith((request, response) => {
  const arrived = performance.now();
  let body = "";
  request.setEncoding("utf8").on("data", (text: string) => {
    body += text;
  });
  request.once("end", () => {
    const { event, ctx } = callSchema.parse(JSON.parse(body));
    const { key, waits } = event.data;
    if (ctx.stack.stack.length > 0) {
      resumed.set(key, arrived);
      return response.writeHead(200, HEADERS).end("null");
    }
    const keys = waits === 1 ? [key] : Array.from({ length: waits }, (_, n) => `${key}-${n}`);
    response.once("finish", () => waiting.add(key));
    return response.writeHead(206, HEADERS).end(JSON.stringify(keys.map(waitOp)));
  });
});

const persistDir = await stateDir(values["in-memory"] === true);
const bundleDir = await buildWorker();
const bindings = { MILLRACE_MODE: "dev", MILLRACE_MAX_STEPS: String(PER_RUN) };
const engine = await startEngine({ port: 0, persistDir, bundleDir, quiet: true, bindings });
const http = client(engine.url, AT_ONCE);

const step = { id: "step", name: "step", runtime: { type: "http", url: `${app.origin}/?fnId=waits-f&stepId=step` } };
const registration = {
  url: app.origin,
  appName: "waits",
  sdk: "bench:v0",
  framework: "none",
  v: "0.1",
  deployType: "ping",
  functions: [{ id: "waits-f", name: "f", triggers: [{ event: "bench/wait" }], steps: { step } }],
};
await http.post("/fn/register", JSON.stringify(registration));

async function startRun(key: string, waits: number): Promise<void> {
  await http.post("/e/bench", JSON.stringify({ name: "bench/wait", data: { key, waits } }));
  await until(() => waiting.has(key), `the first call of ${key}`);
}

/** Registers waits that no event of the measurement matches. */
async function crowd(name: string, waits: number): Promise<void> {
  const each = Math.min(waits, PER_RUN);
  let next = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (next < waits / each) await startRun(`${name}-${next++}`, each);
    }),
  );
  await atRest();
}

/** Resolves when the engine has had nothing to do for a second. */
async function atRest(): Promise<void> {
  let last = "";
  for (let same = 0; same < 5; ) {
    await sleep(200);
    const text = await (await fetch(`${engine.url}/dev/counts`)).text();
    same = text === last ? same + 1 : 0;
    last = text;
  }
}

/** ms from the event's departure to the run's next call, of runs that wait one after the other. */
async function measure(name: string): Promise<number[]> {
  const samples: number[] = [];
  for (let n = 0; n < SAMPLES; n++) {
    const key = `${name}-sample-${n}`;
    await startRun(key, 1);
    await sleep(REGISTRATION);
    const sent = performance.now();
    await http.post("/e/bench", JSON.stringify({ name: AWAITED, data: { key } }));
    await until(() => resumed.has(key), `the second call of ${key} (its wait may not have been registered in time)`);
    samples.push((resumed.get(key) ?? Number.NaN) - sent);
  }
  return samples;
}

function print(waits: number, samples: readonly number[]): void {
  const { p50, p95, p99 } = percentiles(samples);
  const ms = (value: number) => `${value.toFixed(1)} ms`.padStart(9);
  console.log(`${waits.toLocaleString("en").padStart(8)} waits   p50 ${ms(p50)}   p95 ${ms(p95)}   p99 ${ms(p99)}`);
}

console.log("event sent → the waiting run's next call");
await crowd("few", FEW);
await measure("warm");
print(FEW, await measure("few"));
const began = performance.now();
await crowd("many", MANY);
console.error(`${MANY.toLocaleString("en")} waits registered in ${((performance.now() - began) / 1000).toFixed(0)} s`);
print(MANY, await measure("many"));
http.close();
await app.close();
await engine.stop();
process.exit(0);
