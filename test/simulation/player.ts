/**
 * A child process that plays what it is told to, and tells what it found. Owns the words that it and its parent exchange (`children.ts`).
 */
import { type Mishap, type MishapKind, Mishaps } from "./platform/mishaps.ts";
import { played, reduce } from "./reduce.ts";
import { type Play, SUITES } from "./suites.ts";

/** Play so many seeds of a suite; or reduce the schedule of one. */
export type Order =
  | { readonly order: "names" }
  | { readonly order: "play"; readonly suite: string; readonly from: number; readonly count: number }
  | { readonly order: "reduce"; readonly suite: string; readonly seed: number };

export interface Failure {
  readonly suite: string;
  readonly seed: number;
  readonly faults: readonly string[];
}

export type Told =
  | { readonly told: "names"; readonly names: readonly string[] }
  | {
      readonly told: "played";
      readonly suite: string;
      readonly schedules: number;
      readonly events: number;
      /** ms of processor time. */
      readonly time: number;
      readonly mishaps: Partial<Record<MishapKind, number>>;
      readonly failures: readonly Failure[];
    }
  | {
      readonly told: "reduced";
      readonly faults: readonly string[];
      readonly mishaps: readonly Mishap[];
      readonly calm: boolean;
      readonly from: number;
      readonly log: readonly string[];
    };

const suites: Readonly<Record<string, Play>> = SUITES;

process.on("message", (order: Order) => {
  answer(order).then(
    (told) => process.send?.(told),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
      process.exit(1);
    },
  );
});

async function answer(order: Order): Promise<Told> {
  switch (order.order) {
    case "names":
      return { told: "names", names: Object.keys(suites) };
    case "play":
      return await playMany(order.suite, order.from, order.count);
    case "reduce": {
      const reduced = await reduce(suiteNamed(order.suite), order.seed);
      return { told: "reduced", ...(reduced ?? { faults: [], mishaps: [], calm: false, from: 0, log: [] }) };
    }
  }
}

async function playMany(suite: string, from: number, count: number): Promise<Told> {
  const play = suiteNamed(suite);
  const begin = process.cpuUsage();
  const failures: Failure[] = [];
  const mishaps: Partial<Record<MishapKind, number>> = {};
  let events = 0;
  for (let seed = from; seed < from + count; seed++) {
    const one = await played(play, seed);
    events += one.events;
    for (const { kind } of Mishaps.latest?.happened ?? []) mishaps[kind] = (mishaps[kind] ?? 0) + 1;
    if (one.faults.length > 0) failures.push({ suite, seed, faults: one.faults });
  }
  return {
    told: "played",
    suite,
    schedules: count,
    events,
    time: milliseconds(process.cpuUsage(begin)),
    mishaps,
    failures,
  };
}

function milliseconds({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1000;
}

function suiteNamed(name: string): Play {
  const play = suites[name];
  if (play === undefined) throw new Error(`No suite is named "${name}": ${Object.keys(suites).join(", ")}`);
  return play;
}
