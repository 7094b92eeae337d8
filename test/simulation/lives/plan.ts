/**
 * What happens in one schedule of lives: functions, what clients do and when, and what goes wrong. Pure; all drawn from the seed.
 */
import type { JsonObject } from "../../../src/json.ts";
import type { AppFaults } from "../app.ts";
import type { Deed, PlannedDeed } from "../deeds.ts";
import { faultsOf, NO_FAULTS } from "../platform/faults.ts";
import type { Points } from "../platform/objects.ts";
import type { Random } from "../platform/random.ts";
import type { Faults } from "../world.ts";
import type { WorldFunction } from "../world-function.ts";
import { type Cast, castOf, GO, membersOf, STOP } from "./functions.ts";

/** A schedule. Times are ms from its beginning. */
export interface Plan {
  readonly cast: Cast;
  readonly deeds: readonly PlannedDeed[];
  readonly kills: readonly { readonly at: number; readonly downtime: number }[];
  /** Right after which commits of all objects, counted from 1, something dies; null: that is left to chance. */
  readonly crashes: Points | null;
  /** When D1 cannot be reached. */
  readonly outages: readonly { readonly at: number; readonly ms: number }[];
  readonly faults: Faults;
  /** Nothing breaks: what takes place does so on time. */
  readonly calm: boolean;
  /** The same functions, names, ids and keys in a second environment (row 30). */
  readonly neighbour: boolean;
  /** The deployment's cron trigger is on. */
  readonly swept: boolean;
}

/** The second environment. */
export const NEIGHBOUR = { id: "00000000-0000-4000-b000-0000000000ff", name: "neighbour" };

/** ms in which things are done and go wrong. */
export const TROUBLE = 30_000;

/** Draws a schedule. */
export function planOf(random: Random): Plan {
  const calm = random.chance(0.25);
  const cast = castOf(random, random.chance(0.7));
  const neighbour = random.chance(0.15);
  return {
    cast,
    neighbour,
    deeds: deedsOf(random, cast, neighbour),
    kills: calm ? [] : killsOf(random),
    crashes: calm || random.chance(0.6) ? null : crashesOf(random),
    outages: calm || random.chance(0.8) ? [] : [{ at: random.integer(0, TROUBLE), ms: random.integer(1000, 15_000) }],
    faults: calm || random.chance(0.2) ? NO_FAULTS : { ...faultsOf(random), app: appFaultsOf(random) },
    calm,
    swept: random.chance(0.3),
  };
}

function deedsOf(random: Random, cast: Cast, neighbour: boolean): Plan["deeds"] {
  const { workers } = cast;
  const deeds: PlannedDeed[] = [];
  const key = () => `k${random.integer(1, 3)}`;
  const worker = () => workers[random.integer(0, workers.length - 1)] ?? { id: "w0" };
  const add = (deed: Deed, at = random.integer(0, TROUBLE)) => deeds.push({ at, deed });
  const addBoth = (deed: Deed, next: Deed) => {
    deeds.push({
      at: random.integer(0, TROUBLE - 10_000),
      deed,
      next: { wait: random.integer(100, 10_000), deed: next },
    });
  };
  const some = (chance: number, most: number) => (random.chance(chance) ? random.integer(1, most) : 0);
  for (let n = random.integer(2, 8); n > 0; n--) {
    const name = `sim/${worker().id}`;
    const id = random.chance(0.25) ? `${name} ${random.integer(1, 2)}` : null;
    add({ kind: "send", name, key: key(), id });
  }
  for (let n = neighbour ? random.integer(2, 5) : 0; n > 0; n--) {
    const name = random.chance(0.3) ? GO : `sim/${worker().id}`;
    const id = random.chance(0.5) ? `${name} ${random.integer(1, 2)}` : null;
    add({ kind: "send", name, key: key(), id, environmentId: NEIGHBOUR.id });
  }
  for (let n = some(0.6, 5); n > 0; n--) add({ kind: "send", name: GO, key: key(), id: null });
  for (let n = some(0.3, 2); n > 0; n--) add({ kind: "send", name: STOP, key: key(), id: null });
  for (let n = some(0.2, 3); n > 0; n--) add({ kind: "signal", signal: "s" });
  for (let n = some(0.3, 3); n > 0; n--) add({ kind: "cancel", children: random.chance(0.5) });
  for (let n = some(0.2, 2); n > 0; n--) add({ kind: "rerun", fromStep: random.chance(0.6) });
  for (let n = some(0.5, 4); n > 0; n--) add({ kind: "look" });
  if (random.chance(0.12)) add({ kind: "bulk", function: `sim-${worker().id}` });
  if (random.chance(0.2)) {
    const fn = `sim-${worker().id}`;
    const running = random.chance(0.8) ? "hold" : "cancel";
    addBoth({ kind: "pause", function: fn, running }, { kind: "resume", function: fn });
  }
  if (random.chance(0.2)) {
    const changed = random.chance(0.7) ? relimited(random, cast) : membersOf({ ...cast, workers: workers.slice(1) });
    addBoth({ kind: "register", functions: changed }, { kind: "register", functions: membersOf(cast) });
  }
  return deeds.sort((a, b) => a.at - b.at);
}

/** The same functions with other limits. */
function relimited(random: Random, { workers, ...others }: Cast): WorldFunction[] {
  const limit = random.integer(1, 3);
  const changed = workers.map((fn) => {
    const [known] = (fn.options["concurrency"] ?? []) as readonly JsonObject[];
    return known === undefined ? fn : { ...fn, options: { ...fn.options, concurrency: [{ ...known, limit }] } };
  });
  return membersOf({ ...others, workers: changed });
}

function killsOf(random: Random): Plan["kills"] {
  const kills = Array.from({ length: random.integer(0, 4) }, () => random.integer(0, TROUBLE));
  return kills.map((at) => ({ at, downtime: random.integer(20, random.pick([500, 4000])) }));
}

function crashesOf(random: Random): Points {
  const commits = Array.from({ length: random.integer(1, 4) }, () => random.integer(1, random.pick([60, 300])));
  return { at: new Set(commits), what: random.pick(["object", "process"]) };
}

function appFaultsOf(random: Random): AppFaults {
  return {
    broken: random.pick([0, 0, 0.05, 0.2]),
    silent: random.pick([0, 0, 0.05]),
    doubled: random.pick([0, 0, 0.1]),
  };
}
