/**
 * The last words of runs that have left a line. Pure, changed in place, and bounded. Guarantees that a claim which comes late, after its
 * run gave everything back, either does not take a unit that nobody would give back again, or is known to be doubtful (I5).
 */
import { CAPACITY } from "../../limits.ts";
import type { Fence } from "./line.ts";
import { type Entry, keyOf } from "./member.ts";

export class Departed {
  /** In the order of leaving. */
  readonly #fences = new Map<string, Fence>();
  /** ms since 1970; who said its last words before may have left unnoticed. */
  #since: number;

  /** `now`: when the line was loaded, ms. Who had left by then is not known. */
  constructor(now: number) {
    this.#since = now - CAPACITY.lag;
  }

  note(run: Pick<Entry, "environmentId" | "runId">, fence: Fence): void {
    const key = keyOf(run);
    this.#fences.delete(key);
    this.#fences.set(key, fence);
    if (this.#fences.size <= CAPACITY.departed) return;
    for (const [oldest, { stamp }] of this.#fences) {
      this.#fences.delete(oldest);
      this.#since = Math.max(this.#since, stamp);
      return;
    }
  }

  /** The newest the run has said; undefined when that is not known. */
  of(run: Pick<Entry, "environmentId" | "runId">): Fence | undefined {
    return this.#fences.get(keyOf(run));
  }

  /** Whether it would be known here if a run had left after it had said this. */
  covers({ stamp }: Fence): boolean {
    return stamp >= this.#since;
  }
}
