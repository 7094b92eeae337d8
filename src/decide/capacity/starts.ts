/**
 * The starts a throttle has given out (FC-15, FC-16). Pure, changed in place. Owns what is remembered: GCRA's one time, and which runs
 * started lately, so that a run that asks again after a lost answer does not use up a second start.
 */
import { CAPACITY } from "../../limits.ts";
import { admit, type Tat } from "../gcra.ts";
import type { LineLimit } from "./line.ts";

/** What is stored, as JSON: one row. */
export interface StoredStarts {
  readonly tat: Tat | null;
  /** Keys of runs with the time of their start, oldest first. */
  readonly recent: readonly (readonly [key: string, at: number])[];
}

export class Starts {
  #tat: Tat | null;
  /** In the order of starting. */
  readonly #recent: Map<string, number>;
  #changed = false;

  constructor(stored: StoredStarts | null) {
    this.#tat = stored?.tat ?? null;
    this.#recent = new Map(stored?.recent ?? []);
  }

  /** Whether the run was given its start. */
  has(key: string): boolean {
    return this.#recent.has(key);
  }

  /** When the next run may start, ms; now or earlier when one may at once. */
  nextAt(limit: LineLimit, now: number): number {
    if (limit.limit === 0) return now;
    const admission = admit(this.#tat, now, limit);
    if (admission.ok) return now;
    // A stricter rate of before is not paid off at the new one's pace.
    if (this.#tat?.at !== admission.tat.at || this.#tat.part !== admission.tat.part) this.#remember(admission.tat);
    return admission.retryAt;
  }

  /** When the run with `ahead` others before it may start, if nobody comes in between; ms. */
  estimate(limit: LineLimit, ahead: number, now: number): number {
    if (limit.limit === 0) return now;
    const due = this.#tat === null || this.#tat.at < now ? { at: now, part: 0 } : this.#tat;
    const parts = due.part + (ahead + 1 - limit.burst) * limit.period;
    return Math.max(now, due.at + Math.ceil(parts / limit.limit));
  }

  /** How many may start at once. */
  available(limit: LineLimit, now: number): number | null {
    if (limit.limit === 0) return null;
    const owed = Math.max(0, (this.#tat?.at ?? 0) - now);
    return Math.max(0, Math.floor(limit.burst - (owed * limit.limit) / limit.period));
  }

  /** Gives the next start to a run. `isNeeded`: whose start must not be forgotten yet. */
  give(key: string, limit: LineLimit, now: number, isNeeded: (key: string) => boolean): void {
    if (limit.limit > 0) this.#remember(admit(this.#tat, now, limit).tat);
    this.#recent.set(key, now);
    let surplus = this.#recent.size - CAPACITY.remembered.starts;
    for (const [known, at] of this.#recent) {
      if (surplus <= 0 && now - at < CAPACITY.remembered.age) break;
      if (!isNeeded(known) && known !== key) this.#recent.delete(known);
      surplus--;
    }
    this.#changed = true;
  }

  /** When nothing needs to be remembered any more, ms. */
  idleAt(): number {
    const newest = [...this.#recent.values()].at(-1);
    return Math.max(this.#tat?.at ?? 0, newest === undefined ? 0 : newest + CAPACITY.remembered.age);
  }

  /** What is to be stored; null when it is stored. */
  takeChanges(): StoredStarts | null {
    if (!this.#changed) return null;
    this.#changed = false;
    return { tat: this.#tat, recent: [...this.#recent] };
  }

  #remember(tat: Tat): void {
    this.#tat = tat;
    this.#changed = true;
  }
}
