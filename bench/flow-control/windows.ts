/**
 * How late windows close and throttled runs start when many are due at one moment. Two figures each: when the engine acted, by its own
 * record, and when the app was called. The second holds the making of all the runs, for which one thread needs its time.
 */
import * as z from "zod";
import { until } from "../until.ts";
import { type Arrival, type FunctionName, PERIOD, type Subject } from "./subject.ts";

const KEYS = 300;

/** ms after the due time. */
export interface Lateness {
  readonly option: string;
  readonly acted: readonly number[];
  readonly called: readonly number[];
}

/** Debounce, batch and throttle, one after the other. */
export async function punctuality(subject: Subject): Promise<Lateness[]> {
  const keys = Array.from({ length: KEYS }, (_, n) => ({ key: `k${n}` }));
  return [
    await windows(subject, "debounced", keys),
    await windows(subject, "batched", keys),
    await throttled(subject, keys),
  ];
}

/** One event per key, so that the first event of a batch is the last one of a debounce: both count from it. */
async function windows(
  subject: Subject,
  name: FunctionName,
  keys: readonly { readonly key: string }[],
): Promise<Lateness> {
  await subject.send(name, keys);
  await until(() => arrivalsOf(subject, name).length === KEYS, `the close of every window of "${name}"`);
  const late = await Promise.all(
    arrivalsOf(subject, name).map(async ({ runId, at, ts }) => {
      const { queued } = await timesOf(subject, runId);
      return { acted: queued - (ts + PERIOD), called: at - (ts + PERIOD) };
    }),
  );
  return { option: name, acted: late.map(({ acted }) => acted), called: late.map(({ called }) => called) };
}

/** Two runs per key: the second may start one period after the first did. */
async function throttled(subject: Subject, keys: readonly { readonly key: string }[]): Promise<Lateness> {
  await subject.send("throttled", [...keys, ...keys]);
  await until(() => arrivalsOf(subject, "throttled").length === 2 * KEYS, "the start of every throttled run");
  const byKey = new Map<string, Arrival[]>();
  for (const arrival of arrivalsOf(subject, "throttled")) {
    byKey.set(arrival.key, [...(byKey.get(arrival.key) ?? []), arrival]);
  }
  const late = await Promise.all(
    [...byKey.values()].map(async ([first, second]) => {
      if (first === undefined || second === undefined) throw new Error("A key had only one run");
      const [before, after] = [await timesOf(subject, first.runId), await timesOf(subject, second.runId)];
      const due = before.started + PERIOD;
      return { acted: after.started - due, called: second.at - due };
    }),
  );
  return { option: "throttled", acted: late.map(({ acted }) => acted), called: late.map(({ called }) => called) };
}

const runSchema = z.object({ data: z.object({ queued_at: z.string(), run_started_at: z.string() }) });

/** When the engine says the run was created and started, ms since 1970. */
async function timesOf(
  { url }: Subject,
  runId: string,
): Promise<{ readonly queued: number; readonly started: number }> {
  const { data } = runSchema.parse(await (await fetch(`${url}/v1/runs/${runId}`)).json());
  return { queued: Date.parse(data.queued_at), started: Date.parse(data.run_started_at) };
}

function arrivalsOf(subject: Subject, name: FunctionName): Arrival[] {
  return subject.arrivals.filter((arrival) => arrival.function === name);
}
