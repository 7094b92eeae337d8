/**
 * Telling runs what they wait for. Owns how many are told at once, how long one may take to answer, and when those that could not be told
 * are tried again.
 */
import { retryAt } from "../../src/decide/waits/retry.ts";
import { messageOf } from "../../src/errors.ts";
import { inParallel } from "../../src/events/parallel.ts";
import { WAITS } from "../../src/limits.ts";

export class Telling {
  #failures = 0;
  #retryAt: number | null = null;

  /** When what is still to be told is tried again; stays the same until it was. ms. */
  retryAt(now: number): number {
    this.#retryAt ??= retryAt(now, this.#failures + 1);
    return this.#retryAt;
  }

  /** Whether that time has come. An instance that does not know was woken for it. */
  isDue(now: number): boolean {
    return this.#retryAt === null || now >= this.#retryAt;
  }

  /** What was still to be told was tried again, or all is told. */
  tried(complete: boolean): void {
    this.#failures = complete ? 0 : this.#failures + 1;
    this.#retryAt = null;
  }

  /** Tells everybody and gives those that did not answer. Never throws. */
  async all<Item>(items: readonly Item[], tell: (item: Item) => Promise<void>): Promise<Item[]> {
    const failed: Item[] = [];
    let reason: unknown = null;
    await inParallel(WAITS.parallel, items, async (item) => {
      try {
        await within(WAITS.patience, tell(item));
      } catch (error) {
        failed.push(item);
        reason = error;
      }
    });
    if (failed.length > 0) {
      console.error(`${failed.length} of ${items.length} waiting runs were not told: ${messageOf(reason)}`);
    }
    return failed;
  }
}

function within(ms: number, work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
