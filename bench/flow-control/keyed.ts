/** A limit of 1 per key: how near the whole comes to the time that the handlers alone need. */

import { until } from "../until.ts";
import type { Subject } from "./subject.ts";

const KEYS = 10;
const RUNS = 10;
/** ms; each run's one step. */
const HOLD = 50;
const ROUNDS = 3;

/** Both in ms: what passed from the send to the last end, and what handlers alone would take. */
export interface Round {
  readonly took: number;
  readonly ideal: number;
}

/** Several rounds, after one that warms up; the limit is checked by the app's own count. */
export async function keyed(subject: Subject): Promise<Round[]> {
  const rounds: Round[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const before = subject.ended("keyed");
    const began = performance.now();
    // Round-robin over the keys, as events of many customers come.
    const events = Array.from({ length: KEYS * RUNS }, (_, n) => ({ key: `${round}-${n % KEYS}`, hold: HOLD }));
    await subject.send("keyed", events);
    await until(() => subject.ended("keyed") === before + KEYS * RUNS, "the end of a keyed round");
    if (round > 0) rounds.push({ took: performance.now() - began, ideal: RUNS * HOLD });
  }
  if (subject.peak("keyed") > KEYS) throw new Error(`${subject.peak("keyed")} runs executed at once with ${KEYS} keys`);
  return rounds;
}
