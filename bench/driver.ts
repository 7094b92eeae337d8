/**
 * The load: clients that send events and wait for runs. Owns how throughput and latency are measured, for every subject alike.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Ledger } from "./ledger.ts";
import { type Percentiles, percentiles } from "./percentiles.ts";
import type { Send } from "./subject.ts";

/** Concurrent clients of every throughput figure. */
export const CLIENTS = 32;
/** ms after which a figure is taken from what was done so far: a slow machine measures less, not longer. */
const BUDGET = 4_000;
/** ms a measurement may take before it counts as failed. */
const DEADLINE = 30_000;
/** ms between two runs of a latency measurement, in which the engine comes to rest. */
const REST = 10;

/** Runs per second when each of 32 clients waits for its run to finish before it sends the next event. */
export function throughput(ledger: Ledger, send: Send, runs: number): Promise<number> {
  return perSecond(runs, async () => {
    const { run, finished } = ledger.expect();
    await send(run);
    await finished;
  });
}

/** Runs per second from the first of `runs` events, sent by 32 clients, until the last run has finished. */
export async function burst(ledger: Ledger, send: Send, runs: number): Promise<number> {
  const all: Promise<number>[] = [];
  const began = performance.now();
  const operation = async () => {
    const { run, finished } = ledger.expect();
    all.push(finished);
    await send(run);
  };
  await repeat(runs, Number.POSITIVE_INFINITY, operation);
  await withDeadline(Promise.all(all));
  return (runs * 1000) / (performance.now() - began);
}

/** Operations per second: 32 clients repeat `operation` until it was done `count` times, or until the time for a figure is over. */
export async function perSecond(count: number, operation: () => Promise<void>): Promise<number> {
  const began = performance.now();
  const done = await repeat(count, BUDGET, operation);
  return (done * 1000) / (performance.now() - began);
}

/** 32 clients repeat `operation` up to `count` times and begin none after `budget` ms; answers how often it was done. */
export async function repeat(count: number, budget: number, operation: () => Promise<void>): Promise<number> {
  const end = performance.now() + budget;
  let begun = 0;
  const clients = Array.from({ length: Math.min(CLIENTS, count) }, async () => {
    while (begun < count && performance.now() < end) {
      begun += 1;
      await operation();
    }
  });
  await withDeadline(Promise.all(clients));
  return begun;
}

/** Latencies of runs that happen one at a time, ms. */
export interface Latencies {
  /** From the moment the event is sent to the first call of the app: acceptance is part of it. */
  readonly firstCall: Percentiles;
  /** From a reply of the app to the next call; null when a run has only one. */
  readonly nextCall: Percentiles | null;
  /** From the moment the event is sent to the end of the function. */
  readonly whole: Percentiles;
}

/** Measures `runs` runs, one after the other, or as many as fit into the time for a figure. */
export async function latencies(ledger: Ledger, send: Send, runs: number): Promise<Latencies> {
  const first: number[] = [];
  const next: number[] = [];
  const whole: number[] = [];
  const end = performance.now() + BUDGET;
  for (let i = 0; i < runs && performance.now() < end; i++) {
    const trace = { arrivals: [], replies: [] } as { arrivals: number[]; replies: number[] };
    ledger.trace = trace;
    const { run, finished } = ledger.expect();
    const began = performance.now();
    await send(run);
    whole.push((await withDeadline(finished)) - began);
    ledger.trace = null;
    first.push((trace.arrivals[0] ?? Number.NaN) - began);
    for (const [index, reply] of trace.replies.entries()) {
      const arrival = trace.arrivals[index + 1];
      if (arrival !== undefined) next.push(arrival - reply);
    }
    await sleep(REST);
  }
  return {
    firstCall: percentiles(first),
    nextCall: next.length === 0 ? null : percentiles(next),
    whole: percentiles(whole),
  };
}

/** Rejects when `promise` takes longer than a measurement may. */
export async function withDeadline<T>(promise: Promise<T>): Promise<T> {
  const timer = new AbortController();
  const late = sleep(DEADLINE, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`the measurement did not end within ${DEADLINE / 1000} s`);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    timer.abort();
    late.catch(() => undefined);
  }
}
