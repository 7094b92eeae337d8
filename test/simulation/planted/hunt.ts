/**
 * Shows that the simulation finds defects: `npm run planted`. Every planted bug is played in a process of its own until a schedule fails that
 * holds without it. Fails when a bug survives. Arguments: names of bugs; all without any.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { bundle } from "../bundle.ts";
import { Child } from "../children.ts";
import { PLANTED_BUGS } from "./bugs.ts";
import { bugNamed, type PlantedBug } from "./plant.ts";

const DIST = resolve(import.meta.dirname, "../../../dist");
/** Bugs hunted at the same time; schedules after which one has survived; schedules between two looks, few at first. */
const HUNTERS = 2;
const MOST = Number(process.env["PLANTED_SCHEDULES"] ?? 10_000);
const PORTION = { first: 4, most: 50 };

/** How a bug was found. */
interface Catch {
  readonly bug: string;
  /** Schedules until then; null when it survived. */
  readonly after: number | null;
  readonly suite: string;
  readonly seed: number;
  readonly check: string;
}

const names = process.argv.slice(2);
const bugs =
  names.length === 0 ? PLANTED_BUGS : names.map((name) => bugNamed(PLANTED_BUGS, name)).filter((bug) => bug !== null);
const sound = resolve(DIST, "planted/none.mjs");
await bundle(sound, null);
const begin = performance.now();
const left = [...bugs];
const caught = (await Promise.all(Array.from({ length: HUNTERS }, hunter))).flat();
report(caught);

async function hunter(): Promise<Catch[]> {
  const control = new Child(sound);
  const catches: Catch[] = [];
  for (let bug = left.shift(); bug !== undefined; bug = left.shift()) {
    const one = await hunt(bug, control);
    catches.push(one);
    console.log(lineOf(one));
  }
  control.end();
  return catches;
}

async function hunt(bug: PlantedBug, control: Child): Promise<Catch> {
  const file = resolve(DIST, `planted/${bug.name}.mjs`);
  await bundle(file, bug);
  const child = new Child(file);
  try {
    const suites = bug.suites ?? (await child.ask({ order: "names" }, "names")).names;
    let count = PORTION.first;
    let after = 0;
    for (let from = 1; after < MOST; from += count, count = Math.min(PORTION.most, count * 2)) {
      for (const suite of suites) {
        const found = await firstOf(child, control, suite, from, count);
        if (found !== null) return { bug: bug.name, suite, ...found, after: after + found.seed - from + 1 };
        after += count;
      }
    }
    return { bug: bug.name, after: null, suite: "", seed: 0, check: "" };
  } finally {
    child.end();
  }
}

/** The first schedule of a portion that fails, and holds without the bug. */
async function firstOf(
  child: Child,
  control: Child,
  suite: string,
  from: number,
  count: number,
): Promise<{ readonly seed: number; readonly check: string } | null> {
  try {
    const { failures } = await child.ask({ order: "play", suite, from, count }, "played");
    for (const { seed, faults } of failures) {
      const without = await control.ask({ order: "play", suite, from: seed, count: 1 }, "played");
      if (without.failures.length === 0) return { seed, check: faults[0] ?? "" };
      console.log(`✗ ${suite} ${seed} fails without any bug: ${without.failures[0]?.faults[0]}`);
    }
    return null;
  } catch (error) {
    return { seed: from, check: error instanceof Error ? error.message : String(error) };
  }
}

function report(catches: readonly Catch[]): void {
  const survivors = catches.filter(({ after }) => after === null);
  const seconds = ((performance.now() - begin) / 1000).toFixed(0);
  mkdirSync(DIST, { recursive: true });
  writeFileSync(resolve(DIST, "planted.json"), `${JSON.stringify({ most: MOST, catches }, null, 2)}\n`);
  console.log(`${catches.length - survivors.length} of ${catches.length} planted bugs caught in ${seconds} s`);
  for (const { bug } of survivors) console.log(`✗ ${bug} survived ${MOST} schedules`);
  process.exitCode = survivors.length === 0 ? 0 : 1;
}

function lineOf({ bug, after, suite, seed, check }: Catch): string {
  const how = after === null ? "SURVIVED" : `${String(after).padStart(5)}  ${suite} ${seed}: ${check}`;
  return `${bug.padEnd(32)} ${how.slice(0, 200)}`;
}
