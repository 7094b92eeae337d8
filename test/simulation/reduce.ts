/**
 * The smallest form of a schedule that fails: mishaps are left out as long as it still does. Owns the search, nothing of what is searched.
 */
import { type Mishap, Mishaps } from "./platform/mishaps.ts";
import type { Play } from "./suites.ts";

/** What is left of a failing schedule. */
export interface Reduced {
  readonly faults: readonly string[];
  readonly mishaps: readonly Mishap[];
  /** Messages take the shortest time, and it fails even so. */
  readonly calm: boolean;
  /** Mishaps of the whole schedule. */
  readonly from: number;
  readonly log: readonly string[];
}

/** Times a schedule is played at most. */
const EFFORT = 300;

/** Reduces the schedule of a seed; null when it does not fail. */
export async function reduce(play: Play, seed: number): Promise<Reduced | null> {
  let effort = EFFORT;
  const attempt = async (only: ReadonlySet<number> | null, calm: boolean): Promise<Reduced | null> => {
    effort--;
    Mishaps.reduction = { only, calm };
    const { faults, log } = await played(play, seed);
    const mishaps = Mishaps.latest?.happened ?? [];
    return faults.length === 0 ? null : { faults, mishaps, calm, from: 0, log };
  };
  try {
    let best = await attempt(null, false);
    if (best === null) return null;
    const from = best.mishaps.length;
    best = (await attempt(null, true)) ?? best;
    for (
      let size = Math.ceil(best.mishaps.length / 2);
      size >= 1 && effort > 0;
      size = size === 1 ? 0 : Math.ceil(size / 2)
    ) {
      for (let at = 0; at < best.mishaps.length && effort > 0; ) {
        const left = best.mishaps.filter((_, index) => index < at || index >= at + size);
        const smaller = await attempt(new Set(left.map(({ number }) => number)), best.calm);
        // Other mishaps than before may have become possible; only fewer of them are progress.
        if (smaller !== null && smaller.mishaps.length < best.mishaps.length) best = smaller;
        else at += size;
      }
    }
    return { ...best, from };
  } finally {
    Mishaps.whole();
  }
}

/** What was found wrong with the schedule of a seed; an exception is something wrong too. */
export async function played(
  play: Play,
  seed: number,
): Promise<{ readonly faults: readonly string[]; readonly events: number; readonly log: readonly string[] }> {
  try {
    const { faults, world } = await play(seed);
    return { faults, events: world.agenda.events, log: world.log };
  } catch (error) {
    return {
      faults: [`the schedule broke off: ${error instanceof Error ? error.stack : String(error)}`],
      events: 0,
      log: [],
    };
  }
}
