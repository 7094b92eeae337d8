/**
 * The one alarm of a run. Owns when it is moved: each move is a written row, so that it moves to be in time, when a dormant run would wake
 * for nothing, or when it has fired. Guarantees that an alarm is set while anything is owed.
 */
import { counters } from "../src/counters.ts";
import { isDormant, nextLook } from "../src/decide/run/effects.ts";
import type { RunState } from "../src/decide/run/state.ts";
import { RUN } from "../src/limits.ts";

export class RunAlarm {
  readonly #storage: DurableObjectStorage;
  /** The time the alarm is set to, as far as this instance knows. Not knowing costs one needless move, never a lost one. */
  #at: number | null = null;
  #watchdog: number = RUN.watchdog.first;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /** It has fired. How long the run may go unwatched from here, ms: looking in vain makes the next look later. */
  fired(): number {
    this.#at = null;
    const watchdog = this.#watchdog;
    this.#watchdog = Math.min(watchdog * 2, RUN.watchdog.max);
    return watchdog;
  }

  /** Something was decided: watching begins anew. */
  async decided(state: RunState, registered: boolean, now: number): Promise<void> {
    this.#watchdog = RUN.watchdog.first;
    await this.watch(state, registered, now, this.#watchdog);
  }

  /** Sees to it that the run is looked at in time. */
  async watch(state: RunState, registered: boolean, now: number, watchdog: number): Promise<void> {
    const next = nextLook(state, now, watchdog, registered);
    if (next === null || next === this.#at) return;
    if (this.#at === null || next < this.#at || isDormant(state, registered, now)) await this.set(next);
  }

  /** Sees to it that it fires at `at` (ms since 1970), unless it does so before. */
  async hasten(at: number): Promise<void> {
    if (at < (this.#at ?? Number.POSITIVE_INFINITY)) await this.set(at);
  }

  /** Sets it, ms since 1970, in the same commit as what was written just before. */
  async set(at: number): Promise<void> {
    this.#at = at;
    counters.rowsWritten++;
    await this.#storage.setAlarm(at);
  }
}
