/**
 * What the apps of a measurement saw: every call, every reply, every finished run. The apps, the clients and the ledger share one
 * process, so that one clock times them all.
 */

/** Times of one run, ms on the process's clock. */
export interface Trace {
  /** When each call reached the app. */
  readonly arrivals: number[];
  /** When each reply had been handed to the system. */
  readonly replies: number[];
}

/** Shared by the apps of one subject. Runs are known by a number that travels in their event. */
export class Ledger {
  /** Calls of the app so far. */
  calls = 0;
  /** While set, calls and replies are timed: for one run at a time on an idle engine. */
  trace: Trace | null = null;
  readonly #waiting = new Map<number, (time: number) => void>();
  #next = 1;

  /** A number for a new run and a promise of the time at which it finishes. */
  expect(): { readonly run: number; readonly finished: Promise<number> } {
    const run = this.#next++;
    return { run, finished: new Promise((done) => this.#waiting.set(run, done)) };
  }

  /** The app was called. */
  arrived(): void {
    this.calls += 1;
    this.trace?.arrivals.push(performance.now());
  }

  /** The app has replied. */
  replied(): void {
    this.trace?.replies.push(performance.now());
  }

  /** The code of a run has come to its end. A second time, after a lost reply, changes nothing. */
  finished(run: number): void {
    this.#waiting.get(run)?.(performance.now());
    this.#waiting.delete(run);
  }
}
