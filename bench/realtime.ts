/**
 * `node bench/realtime.ts`: how long a message takes from its publisher's request to subscribers with WebSockets, and whether many messages
 * reach many subscribers in order and without a gap.
 *
 *   --in-memory    state on a memory-backed file system, where there is one
 *   --messages N   messages of the last part, instead of 2,000
 */
import { parseArgs } from "node:util";
import * as z from "zod";
import { buildWorker, startEngine } from "../cli/engine.ts";
import { client } from "./http.ts";
import { percentiles } from "./percentiles.ts";
import { stateDir } from "./state.ts";
import { until } from "./until.ts";

const { values } = parseArgs({ options: { "in-memory": { type: "boolean" }, messages: { type: "string" } } });

/** Messages that are measured, one at a time, per number of subscribers. */
const SAMPLES = 200;
const SUBSCRIBERS = [1, 100] as const;
const MANY = Number(values.messages ?? 2000);
/** Looks as often as it can: what is measured takes a few ms. */
const PROMPT = { pace: 0 };

const messageSchema = z.looseObject({ kind: z.string(), data: z.number().optional() });

const persistDir = await stateDir(values["in-memory"] === true);
const bindings = { MILLRACE_MODE: "dev" };
const engine = await startEngine({ port: 0, persistDir, bundleDir: await buildWorker(), quiet: true, bindings });
const http = client(engine.url, 1);

/** A subscriber and the numbers it has heard. */
interface Subscriber {
  readonly heard: number[];
  close(): void;
}

async function subscribe(channel: string): Promise<Subscriber> {
  const body = JSON.stringify([{ channel, name: "n", kind: "run" }]);
  const response = await fetch(`${engine.url}/v1/realtime/token`, { method: "POST", body });
  const { jwt } = z.object({ jwt: z.string() }).parse(await response.json());
  const socket = new WebSocket(`${engine.url.replace("http", "ws")}/v1/realtime/connect?token=${jwt}`);
  const heard: number[] = [];
  socket.addEventListener("message", ({ data }) => {
    const message = messageSchema.parse(JSON.parse(String(data)));
    if (message.kind === "data" && message.data !== undefined) heard.push(message.data);
  });
  await new Promise<void>((done, fail) => {
    socket.addEventListener("open", () => done(), { once: true });
    socket.addEventListener("error", () => fail(new Error("a socket was refused")), { once: true });
  });
  return { heard, close: () => socket.close() };
}

const publish = (channel: string, n: number) =>
  http.post(`/v1/realtime/publish?channel=${channel}&topic=n`, JSON.stringify(n));

for (const count of SUBSCRIBERS) {
  const channel = `bench-${count}`;
  const subscribers = await Promise.all(Array.from({ length: count }, () => subscribe(channel)));
  const samples: number[] = [];
  for (let n = 0; n < SAMPLES; n++) {
    const sent = performance.now();
    const published = publish(channel, n);
    await until(
      () => subscribers.every(({ heard }) => heard.length > n),
      `message ${n} of ${count} subscribers`,
      PROMPT,
    );
    samples.push(performance.now() - sent);
    await published;
  }
  const { p50, p95, p99 } = percentiles(samples);
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  console.log(`publish → the last of ${count}: p50 ${ms(p50)}   p95 ${ms(p95)}   p99 ${ms(p99)}`);
  for (const subscriber of subscribers) subscriber.close();
}

const crowd = await Promise.all(Array.from({ length: 100 }, () => subscribe("bench-many")));
const began = performance.now();
for (let n = 0; n < MANY; n++) await publish("bench-many", n);
await until(
  () => crowd.every(({ heard }) => heard.length === MANY),
  `${MANY} messages at each of 100 subscribers`,
  PROMPT,
);
const seconds = (performance.now() - began) / 1000;
const inOrder = crowd.every(({ heard }) => heard.every((value, at) => value === at));
console.log(
  `${MANY.toLocaleString("en")} messages to 100 subscribers in ${seconds.toFixed(1)} s, ${inOrder ? "all in order, none lost" : "OUT OF ORDER"}`,
);
http.close();
await engine.stop();
process.exit(inOrder ? 0 : 1);
