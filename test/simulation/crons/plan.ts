/**
 * What happens in one schedule of crons: functions that tick every few minutes, syncs that change that, pauses, and a process that is down
 * over ticks. Pure; all drawn from the seed.
 */
import type { PlannedDeed } from "../deeds.ts";
import { faultsOf, NO_FAULTS } from "../platform/faults.ts";
import type { Random } from "../platform/random.ts";
import type { Faults } from "../world.ts";
import type { WorldFunction } from "../world-function.ts";

/** A schedule. Times are ms from its beginning. */
export interface Plan {
  readonly functions: readonly WorldFunction[];
  /** What becomes of missed ticks (TR-13). */
  readonly policy: "skip" | "latest" | "all";
  readonly deeds: readonly PlannedDeed[];
  readonly kills: readonly { readonly at: number; readonly downtime: number }[];
  readonly faults: Faults;
}

const MINUTE = 60_000;

/** ms in which things are done and go wrong, and in which crons then tick in peace. */
export const TROUBLE = 8 * MINUTE;
export const PEACE = 5 * MINUTE;

/** Crons, by the minutes between their ticks. */
const CRONS = [1, 2, 3] as const;

/** Draws a schedule. */
export function planOf(random: Random): Plan {
  const functions = Array.from(
    { length: random.integer(1, 2) },
    (_, n): WorldFunction => ({
      id: `c${n}`,
      crons: cronsOf(random),
      parts: [{ kind: "run", id: "p", ms: random.pick([5, 500, 90_000]) }],
      options: {},
      retries: 3,
    }),
  );
  return {
    functions,
    policy: random.pick(["skip", "latest", "all"]),
    deeds: deedsOf(random, functions),
    kills: Array.from({ length: random.integer(0, 3) }, () => ({
      at: random.integer(0, TROUBLE - 1000),
      downtime: random.chance(0.5) ? random.integer(20, 3000) : random.integer(20, 4 * MINUTE),
    })),
    faults: random.chance(0.5) ? NO_FAULTS : punctual(faultsOf(random)),
  };
}

function deedsOf(random: Random, functions: readonly WorldFunction[]): PlannedDeed[] {
  const deeds: PlannedDeed[] = [];
  const at = () => random.integer(0, TROUBLE - MINUTE);
  const wait = () => random.integer(100, 3 * MINUTE);
  if (random.chance(0.5)) {
    const [first, ...others] = functions;
    const changed =
      random.chance(0.4) || first === undefined ? others : [{ ...first, crons: cronsOf(random) }, ...others];
    // An app without functions is refused.
    const some = changed.length === 0 ? functions.map((fn) => ({ ...fn, crons: [], event: "sim/none" })) : changed;
    const back = { wait: wait(), deed: { kind: "register", functions } } as const;
    deeds.push({ at: at(), deed: { kind: "register", functions: some }, next: back });
  }
  if (random.chance(0.3)) {
    const fn = `sim-${functions[0]?.id ?? ""}`;
    const next = { wait: wait(), deed: { kind: "resume", function: fn } } as const;
    deeds.push({ at: at(), deed: { kind: "pause", function: fn, running: "hold" }, next });
  }
  return deeds;
}

function cronsOf(random: Random): string[] {
  const minutes = random.chance(0.3) ? [random.pick(CRONS), random.pick(CRONS)] : [random.pick(CRONS)];
  return [...new Set(minutes)].map((every) => (every === 1 ? "* * * * *" : `*/${every} * * * *`));
}

/** The same, but alarms come in time: which ticks an outage makes up for depends on when it was noticed. */
function punctual(faults: Faults): Faults {
  return { ...faults, alarms: { doubled: faults.alarms?.doubled ?? 0, late: 0, dropped: 0 } };
}
