/**
 * Which function is served next when several compete for one limit (FC-9, FC-14). Pure; chance is an argument.
 * Owns what must be remembered for it: when somebody of a later rank was last preferred.
 */
import { CAPACITY } from "../../limits.ts";
import type { Group } from "./group.ts";

/** A moment in a line's life. */
export interface Moment {
  /** ms since 1970. */
  readonly now: number;
  /** From 0 up to, and never, 1. */
  readonly random: () => number;
}

export class Choice {
  /** When a function was served before one of an earlier rank. */
  #exceptionAt = Number.NEGATIVE_INFINITY;

  /**
   * The function whose first run is served: by rank, and among equals by chance, weighted by what waits. Null when there is none.
   * One that was passed over for too long goes first; of a later rank only one in that time, because production is to have what there is.
   */
  next(groups: readonly Group[], { now, random }: Moment): Group | null {
    const rank = Math.min(...groups.map((group) => group.rank));
    const overdue = groups.filter(({ passedSince }) => now - passedSince >= CAPACITY.starvation);
    const longest = (some: readonly Group[]) => some.toSorted((a, b) => a.passedSince - b.passedSince)[0] ?? null;
    if (now - this.#exceptionAt >= CAPACITY.starvation) {
      const exception = longest(overdue.filter((group) => group.rank > rank));
      if (exception !== null) {
        this.#exceptionAt = now;
        return exception;
      }
    }
    const first = groups.filter((group) => group.rank === rank);
    return longest(overdue.filter((group) => group.rank === rank)) ?? drawn(first, random);
  }
}

function drawn(groups: readonly Group[], random: () => number): Group | null {
  if (groups.length < 2) return groups[0] ?? null;
  let rest = random() * groups.reduce((sum, { backlog }) => sum + backlog, 0);
  for (const group of groups) {
    rest -= group.backlog;
    if (rest < 0) return group;
  }
  return groups.at(-1) ?? null;
}
