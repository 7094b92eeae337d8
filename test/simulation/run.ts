/**
 * Plays many schedules of all suites: `npm run simulation`. Owns how many, in which processes, and what is told of them. A seed that fails is
 * reduced and printed with the command that plays it again.
 *
 * `SIMULATION_SCHEDULES` how many in all; `SIMULATION_FROM` the first seed; `SIMULATION_SUITE` only this one; `SIMULATION_SEED` only this
 * schedule of it; `SIMULATION_RESUME` goes on where an earlier run of as many was stopped.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { bundle } from "./bundle.ts";
import { Child } from "./children.ts";
import type { MishapKind } from "./platform/mishaps.ts";
import type { Failure, Told } from "./player.ts";

const DIST = resolve(import.meta.dirname, "../../dist");
const PLAYER = resolve(DIST, "simulation/player.mjs");
const RESULT = resolve(DIST, "simulation.json");
/** Processes; seeds of one request; failures after which nothing more is played; ms between two lines about the progress. */
const PROCESSES = 2;
const PORTION = 25;
const ENOUGH = 5;
const NEWS = 15_000;

/** Totals of one suite. `next`: the first seed that was not played. */
interface SuiteTotals {
  next: number;
  schedules: number;
  events: number;
  /** ms of processor time. */
  time: number;
  mishaps: Partial<Record<MishapKind, number>>;
}

/** What is written to `dist/simulation.json`. */
interface Result {
  readonly schedules: number;
  readonly first: number;
  /** ms of this run and those it resumed. */
  time: number;
  readonly suites: Record<string, SuiteTotals>;
  readonly failures: Failure[];
}

const { SIMULATION_SCHEDULES, SIMULATION_FROM, SIMULATION_SUITE, SIMULATION_SEED, SIMULATION_RESUME } = process.env;
const first = Number(SIMULATION_FROM ?? 1);
const wanted = Number(SIMULATION_SCHEDULES ?? 10_000);

await bundle(PLAYER, null);
const children = Array.from({ length: PROCESSES }, () => new Child(PLAYER));
const [leader] = children as [Child];
const { names } = await leader.ask({ order: "names" }, "names");
const suites = SIMULATION_SUITE === undefined ? names : names.filter((name) => name === SIMULATION_SUITE);
if (suites.length === 0) throw new Error(`No suite is named "${SIMULATION_SUITE}": ${names.join(", ")}`);

const ok = SIMULATION_SEED === undefined ? await playAll() : await replay(suites, Number(SIMULATION_SEED));
for (const child of children) child.end();
process.exitCode = ok ? 0 : 1;

async function playAll(): Promise<boolean> {
  const result = begin();
  await playAgain(result);
  const share = Math.ceil(wanted / suites.length);
  const started = performance.now();
  const before = result.time;
  let news = started;
  const portions = portionsOf(result, share);
  const work = async (child: Child) => {
    for (let next = portions.next(); next.done !== true; next = portions.next()) {
      const { suite, from, count } = next.value;
      note(result, await playPortion(child, suite, from, count));
      result.time = Math.round(before + performance.now() - started);
      if (result.failures.length >= ENOUGH) return;
      if (performance.now() - news < NEWS) continue;
      news = performance.now();
      save(result);
      console.log(progress(result));
    }
  };
  await Promise.all(children.map(work));
  save(result);
  console.log(table(result));
  const told = new Set<string>();
  for (const { suite, seed, faults } of result.failures) {
    if (!told.has(suite)) await explain(suite, seed);
    else console.log(`✗ ${suite} ${seed}: ${faults[0]}\n  ${replayCommand(suite, seed)}`);
    told.add(suite);
  }
  return result.failures.length === 0;
}

/** Plays what failed in the run that is resumed: it counts already, and may have been mended since. */
async function playAgain(result: Result): Promise<void> {
  for (const { suite, seed } of result.failures.splice(0)) {
    result.failures.push(...(await playPortion(leader, suite, seed, 1)).failures);
  }
}

/** Seeds to be played, a portion of each suite in turn. Portions that are under way when a run is stopped are played again by the next. */
function* portionsOf(result: Result, share: number): Generator<{ suite: string; from: number; count: number }> {
  const next = new Map(suites.map((suite) => [suite, result.suites[suite]?.next ?? first]));
  for (let left = true; left; ) {
    left = false;
    for (const suite of suites) {
      const from = next.get(suite) ?? first;
      const count = Math.min(PORTION, first + share - from);
      if (count <= 0) continue;
      next.set(suite, from + count);
      left = true;
      yield { suite, from, count };
    }
  }
}

async function playPortion(
  child: Child,
  suite: string,
  from: number,
  count: number,
): Promise<Extract<Told, { told: "played" }>> {
  try {
    return await child.ask({ order: "play", suite, from, count }, "played");
  } catch (error) {
    if (count > 1) {
      // One of them never comes to rest: which one?
      const half = count >> 1;
      const one = await playPortion(child, suite, from, half);
      if (one.failures.length > 0) return one;
      return await playPortion(child, suite, from + half, count - half);
    }
    const failures = [{ suite, seed: from, faults: [String(error)] }];
    return { told: "played", suite, schedules: 1, events: 0, time: 0, mishaps: {}, failures };
  }
}

function note({ suites: totals, failures }: Result, told: Extract<Told, { told: "played" }>): void {
  const suite = totals[told.suite] ?? { next: first, schedules: 0, events: 0, time: 0, mishaps: {} };
  totals[told.suite] = suite;
  suite.schedules += told.schedules;
  suite.next = Math.max(suite.next, first + suite.schedules);
  suite.events += told.events;
  suite.time = Math.round(suite.time + told.time);
  for (const [kind, count] of Object.entries(told.mishaps) as [MishapKind, number][]) {
    suite.mishaps[kind] = (suite.mishaps[kind] ?? 0) + count;
  }
  failures.push(...told.failures);
}

function begin(): Result {
  if (SIMULATION_RESUME !== undefined && existsSync(RESULT)) {
    const known = JSON.parse(readFileSync(RESULT, "utf8")) as Result;
    if (known.schedules === wanted && known.first === first) return known;
  }
  return { schedules: wanted, first, time: 0, suites: {}, failures: [] };
}

function save(result: Result): void {
  mkdirSync(DIST, { recursive: true });
  writeFileSync(RESULT, `${JSON.stringify(result, null, 2)}\n`);
}

function progress({ suites: totals, time, failures }: Result): string {
  const played = Object.values(totals).reduce((sum, { schedules }) => sum + schedules, 0);
  const speed = ((played * 1000) / Math.max(time, 1)).toFixed(0);
  return `${played} schedules in ${(time / 1000).toFixed(0)} s (${speed}/s), ${failures.length} failed`;
}

function table(result: Result): string {
  const lines = Object.entries(result.suites).map(([name, { schedules, events, time, mishaps }]) => {
    const wrong = Object.values(mishaps).reduce((sum, count) => sum + count, 0);
    const each = (time / Math.max(schedules, 1)).toFixed(1);
    const average = (events / Math.max(schedules, 1)).toFixed(0);
    const faults = (wrong / Math.max(schedules, 1)).toFixed(1);
    return `${name.padEnd(20)} ${String(schedules).padStart(8)} schedules  ${each.padStart(6)} ms  ${average.padStart(6)} events  ${faults.padStart(6)} mishaps each`;
  });
  return [...lines, progress(result)].join("\n");
}

async function replay([suite]: readonly string[], seed: number): Promise<boolean> {
  if (suite === undefined || SIMULATION_SUITE === undefined) throw new Error("SIMULATION_SEED needs SIMULATION_SUITE.");
  return await explain(suite, seed);
}

/** Plays one schedule, reduced as far as it still fails, and says what happens in it. False when it fails. */
async function explain(suite: string, seed: number): Promise<boolean> {
  const { faults, mishaps, calm, from, log } = await leader.ask({ order: "reduce", suite, seed }, "reduced");
  if (faults.length === 0) {
    console.log(`${suite} ${seed}: nothing is wrong`);
    return true;
  }
  console.log(`✗ ${suite} ${seed}`);
  for (const fault of faults.slice(0, 10)) console.log(`  ${fault}`);
  console.log(`  with ${mishaps.length} of ${from} mishaps${calm ? ", all messages at once" : ""}:`);
  for (const { at, kind, detail } of mishaps) console.log(`    ${at.toFixed(1)} ${kind}: ${detail}`);
  if (SIMULATION_SEED !== undefined) for (const line of log) console.log(`    ${line}`);
  console.log(`  ${replayCommand(suite, seed)}`);
  return false;
}

function replayCommand(suite: string, seed: number): string {
  return `SIMULATION_SUITE=${suite} SIMULATION_SEED=${seed} npm run simulation`;
}
