/**
 * Plays a scenario with exactly one thing going wrong, at a place that the seed chooses: the lower seeds go through all places of all
 * scenarios one after the other, those above draw pairs of places.
 */
import { exceeded } from "../checks/limits.ts";
import { disagreeing, disturbed, invented, leaked, rewritten, stuck } from "../checks/runs.ts";
import { misinvoked } from "../checks/starts.ts";
import type { Points } from "../platform/objects.ts";
import { type Random, seeded } from "../platform/random.ts";
import { type Rest, rest, restOf } from "../rest.ts";
import type { Played } from "../suites.ts";
import { World } from "../world.ts";
import { SCENARIOS, type Scenario } from "./scenarios.ts";

/** ms in which the scenarios act, and in which all has to come to rest after it. */
const ACTING = 70_000;
const PEACE = 40 * 60_000;
/** ms that a call may have been on its way when its run ended. */
const WAY = 30_000;

const NOWHERE: Points = { at: new Set(), what: "object" };

const KINDS = ["object", "process", "lost", "unanswered", "late"] as const;

/** How many places a scenario has at which something can go wrong. */
interface Size {
  readonly commits: number;
  readonly calls: number;
}

/** What is known of a scenario: its size, and every single place of every kind. */
interface Known {
  readonly size: Size;
  readonly singles: readonly Points[];
}

const known = new Map<Scenario, Known>();

/** Plays the scenario and the places of a seed. */
export async function play(seed: number): Promise<Played> {
  const scenario = SCENARIOS[(seed - 1) % SCENARIOS.length] as Scenario;
  const { size, singles } = known.get(scenario) ?? (await measure(scenario));
  const single = singles[Math.floor((seed - 1) / SCENARIOS.length)];
  return await playWith(scenario, single ?? pairOf(size, seeded(seed)));
}

async function measure(scenario: Scenario): Promise<Known> {
  const { faults, size } = await playWith(scenario, NOWHERE);
  if (faults.length > 0) throw new Error(`${scenario.name}, undisturbed: ${faults.join("; ")}`);
  const most = Math.max(size.commits, size.calls);
  const singles = Array.from({ length: most }, (_, place) =>
    KINDS.flatMap((what) => (place < places(size, what) ? [{ at: new Set([place + 1]), what }] : [])),
  ).flat();
  const measured = { size, singles };
  known.set(scenario, measured);
  return measured;
}

function pairOf(size: Size, random: Random): Points {
  const what = random.pick(KINDS);
  const one = random.integer(1, places(size, what));
  // Mostly near to each other: what mends the first is what the second meets.
  const other = random.chance(0.7) ? one + random.integer(1, 8) : random.integer(1, places(size, what));
  // What comes late meets objects that do not remember.
  if (what === "late" && random.chance(0.5)) {
    return { at: new Set([one]), what, resets: new Set([random.integer(1, size.commits)]) };
  }
  return { at: new Set([one, other]), what };
}

function places({ commits, calls }: Size, what: Points["what"]): number {
  return what === "object" || what === "process" ? commits : calls;
}

async function playWith(scenario: Scenario, points: Points): Promise<Played & { readonly size: Size }> {
  // The same schedule up to the first place, whatever the places are.
  const world = new World(SCENARIOS.indexOf(scenario) + 1, scenario.functions);
  let size: Size = { commits: 0, calls: 0 };
  const faults = await world.live(async () => {
    world.objects.breakAt(points);
    scenario.act(world);
    await world.agenda.run(world.agenda.now + ACTING);
    await rest(world, PEACE);
    size = { commits: world.objects.commits, calls: world.objects.calls };
    // Whoever checks is not disturbed.
    world.objects.breakAt(NOWHERE);
    return check(scenario, await restOf(world));
  });
  const resets = points.resets === undefined ? "" : `, object ${[...points.resets].join(" and ")}`;
  const where = `${scenario.name}, ${points.what} ${[...points.at].join(" and ")}${resets}`;
  return { faults: faults.map((fault) => `${where}: ${fault}`), world, size };
}

function check(scenario: Scenario, left: Rest): string[] {
  const limits = Object.entries(scenario.limits ?? {}).map(([slug, limit]) => {
    return { functions: [slug], limits: { [slug]: limit }, keyed: false };
  });
  return [
    ...scenario.check(left),
    ...[...left.runs].flatMap(([id, { row }]) =>
      row?.status === scenario.ends ? [] : [`run ${id} is ${row?.status ?? "gone"}`],
    ),
    ...stuck(left),
    ...misinvoked(left, scenario.functions),
    ...rewritten(left),
    ...invented(left),
    ...disagreeing(left),
    ...disturbed(left, WAY),
    ...leaked(left),
    ...exceeded(left.ledger, limits, 0),
  ];
}
