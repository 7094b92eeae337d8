/**
 * The suites of schedules, by name. Owns the one list, from which whoever plays many schedules picks.
 */
import { play as crashPoints } from "./crash-points/schedule.ts";
import { play as crons } from "./crons/schedule.ts";
import { play as flowControl } from "./flow-control/schedule.ts";
import { play as lives } from "./lives/schedule.ts";
import type { World } from "./world.ts";

/** What playing the schedule of a seed found: nothing in `faults` when everything holds. */
export interface Played {
  readonly faults: readonly string[];
  readonly world: World;
}

/** Plays the schedule of one seed. */
export type Play = (seed: number) => Promise<Played>;

export const SUITES = { "crash-points": crashPoints, "flow-control": flowControl, lives, crons } satisfies Record<
  string,
  Play
>;
