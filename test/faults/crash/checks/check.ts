/**
 * What a check answers: how much it looked at, and what was wrong. A check that found nothing to look at has shown nothing.
 */
import type { Observed, ObservedRun } from "../observe.ts";
import { slugOf } from "../plan.ts";
import type { Again, Sent } from "../workload.ts";

/** A finished campaign: what was sent, and what there is to see of it. */
export interface Campaign extends Observed {
  readonly sent: readonly Sent[];
  readonly reruns: readonly Again[];
  /** Ended runs as lists showed them during the campaign. */
  readonly witnessed: ReadonlyMap<string, string>;
  /** ms since 1970: when the apps were synced, and when the last event was sent. */
  readonly from: number;
  readonly until: number;
}

/** The verdict of one check. */
export interface Verdict {
  /** Invariants of faults.md. */
  readonly invariant: string;
  readonly what: string;
  readonly looked: number;
  readonly violations: readonly string[];
}

/** Collects one verdict. */
export class Check {
  readonly #invariant: string;
  readonly #what: string;
  readonly #violations: string[] = [];
  #looked = 0;

  constructor(invariant: string, what: string) {
    this.#invariant = invariant;
    this.#what = what;
  }

  /** Looks at one thing; `wrong` says what is wrong with it, if anything is. */
  look(holds: boolean, wrong: () => string): void {
    this.#looked++;
    if (!holds) this.#violations.push(wrong());
  }

  verdict(): Verdict {
    return { invariant: this.#invariant, what: this.#what, looked: this.#looked, violations: this.#violations };
  }
}

/** Runs of one function, reruns aside, as they show themselves. */
export function runsOf({ views }: Pick<Campaign, "views">, fn: string): ObservedRun[] {
  return [...views.values()].filter((run) => run.function_slug === slugOf(fn) && run.original_run_id === null);
}

/** Entries by a key, in their order. */
export function groupBy<T>(list: Iterable<T>, keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of list) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
