/**
 * Everything that goes wrong in one world, numbered in the order of the draws. Owns its own chance, so that a schedule in which one mishap is
 * left out stays the same until then: that is how a failing one is reduced (`run.ts`).
 */
import type { Random } from "./random.ts";

/** What can go wrong, as totals are kept of it. */
export type MishapKind =
  | "process killed"
  | "crash at a commit"
  | "object reset"
  | "instance goes on"
  | "call lost"
  | "call unanswered"
  | "call late"
  | "call refused"
  | "message lost"
  | "message doubled"
  | "message late"
  | "alarm late"
  | "alarm doubled"
  | "alarm dropped"
  | "query lost"
  | "query unanswered"
  | "query slow"
  | "batch torn"
  | "app connection broken"
  | "app silent"
  | "app call doubled";

/** Something that went wrong, `at` in ms of the world's time. */
export interface Mishap {
  readonly number: number;
  readonly at: number;
  readonly kind: MishapKind;
  /** Where. */
  readonly detail: string;
}

/** How a schedule is reduced. `only`: the numbers that may still happen; `calm`: every message takes the shortest time. */
export interface Reduction {
  readonly only: ReadonlySet<number> | null;
  readonly calm: boolean;
}

const WHOLE: Reduction = { only: null, calm: false };

export class Mishaps {
  /** What is left of the schedules that are played now. */
  static reduction: Reduction = WHOLE;
  /** Those of the newest world, which may have ended in an exception. */
  static latest: Mishaps | null = null;
  readonly happened: Mishap[] = [];
  readonly #random: Random;
  readonly #now: () => number;
  #draws = 0;

  constructor(random: Random, now: () => number) {
    this.#random = random;
    this.#now = now;
    Mishaps.latest = this;
  }

  /** Plays whole schedules again. */
  static whole(): void {
    Mishaps.reduction = WHOLE;
  }

  /** Draws whether something happens, and notes it. */
  happens(probability: number | undefined, kind: MishapKind, detail: () => string): boolean {
    if (probability === undefined || probability <= 0) return false;
    const drawn = this.#random.chance(probability);
    return this.#allows(drawn, kind, detail);
  }

  /** Whether something that the plan wants to go wrong does. */
  planned(kind: MishapKind, detail: () => string): boolean {
    return this.#allows(true, kind, detail);
  }

  /** A number in [least, most); the least where messages are calm. */
  between(least: number, most: number): number {
    const share = this.#random.next();
    return Mishaps.reduction.calm ? least : least + share * (most - least);
  }

  #allows(drawn: boolean, kind: MishapKind, detail: () => string): boolean {
    const number = ++this.#draws;
    if (!drawn) return false;
    const { only } = Mishaps.reduction;
    if (only !== null && !only.has(number)) return false;
    this.happened.push({ number, at: this.#now(), kind, detail: detail() });
    return true;
  }
}
