/**
 * The last words of runs that have left a line. Pure, changed in place, and bounded. Guarantees that a claim which comes late, after its
 * run gave everything back, does not take a unit that nobody would give back again (I5).
 */
import { CAPACITY } from "../../limits.ts";
import type { Fence } from "./line.ts";
import { type Entry, keyOf } from "./member.ts";

export class Departed {
  /** In the order of leaving. */
  readonly #fences = new Map<string, Fence>();

  note(run: Pick<Entry, "environmentId" | "runId">, fence: Fence): void {
    const key = keyOf(run);
    this.#fences.delete(key);
    this.#fences.set(key, fence);
    if (this.#fences.size <= CAPACITY.departed) return;
    for (const oldest of this.#fences.keys()) {
      this.#fences.delete(oldest);
      return;
    }
  }

  /** The newest the run has said; undefined when that is not known. */
  of(run: Pick<Entry, "environmentId" | "runId">): Fence | undefined {
    return this.#fences.get(keyOf(run));
  }
}
