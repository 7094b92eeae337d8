/** A flood at one limited function, and what another one notices of it (FC-44). */
import { setTimeout as sleep } from "node:timers/promises";
import { median } from "../percentiles.ts";
import { until } from "../until.ts";
import type { Subject } from "./subject.ts";

/** Events per request of the flood. */
const PER_REQUEST = 100;
/** ms between two runs of the other function. */
const PACE = 200;
/** Runs of the other function before the flood. */
const QUIET = 50;

/** `took` from the first send to the last end, ms; `before` and `during`: event to first call of the other function, p50, ms. */
export interface Outcome {
  readonly took: number;
  readonly peak: number;
  readonly before: number;
  readonly during: number;
}

/** Sends the flood evenly over its time and waits for the end of every run. */
export async function burst(
  subject: Subject,
  load: { readonly events: number; readonly seconds: number },
): Promise<Outcome> {
  const before = await latencies(subject, "quiet", (n) => n < QUIET);
  const began = performance.now();
  let flooding = true;
  const other = latencies(subject, "flooded", () => flooding);
  const requests = Math.ceil(load.events / PER_REQUEST);
  const sends: Promise<void>[] = [];
  for (let n = 0; n < requests; n++) {
    await sleep(Math.max(0, began + (n * load.seconds * 1000) / requests - performance.now()));
    const events = Array.from({ length: Math.min(PER_REQUEST, load.events - n * PER_REQUEST) }, () => ({ key: "" }));
    sends.push(subject.send("crowded", events));
  }
  await Promise.all(sends);
  flooding = false;
  const during = await other;
  await until(() => subject.ended("crowded") === load.events, "the end of the flood", { patience: 300_000 });
  const took = performance.now() - began;
  return { took, peak: subject.peak("crowded"), before: median(before), during: median(during) };
}

/** Event to first call, ms, of runs of the free function, one after the other while `more`. */
async function latencies(subject: Subject, name: string, more: (n: number) => boolean): Promise<number[]> {
  const samples: number[] = [];
  for (let n = 0; more(n); n++) {
    const key = `${name}-${n}`;
    const sent = Date.now();
    await subject.send("free", [{ key }]);
    let at: number | undefined;
    await until(() => {
      at = subject.arrivals.findLast((arrival) => arrival.function === "free" && arrival.key === key)?.at;
      return at !== undefined;
    }, `the call of ${key}`);
    samples.push((at ?? Number.NaN) - sent);
    await sleep(PACE);
  }
  return samples;
}
