/**
 * Asking many objects. Owns how many are asked at the same time and how long one may take, so that one which fails or hangs keeps no other
 * from being asked. Failures are logged: whoever asks comes again.
 */
import { messageOf } from "../errors.ts";
import { inParallel } from "../events/parallel.ts";
import { SWEEP } from "../limits.ts";

/** The answers in the order of `items`; undefined where there was none. `what` names an item in the log. Never throws. */
export async function askEach<Item, Answer>(
  items: readonly Item[],
  what: (item: Item) => string,
  ask: (item: Item) => Promise<Answer>,
): Promise<(Answer | undefined)[]> {
  return await inParallel(SWEEP.parallel, items, async (item) => {
    try {
      return await within(SWEEP.patience, ask(item));
    } catch (error) {
      console.error(`sweep: ${what(item)} did not answer: ${messageOf(error)}`);
      return undefined;
    }
  });
}

function within<Answer>(ms: number, answer: Promise<Answer>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`nothing within ${ms} ms`)), ms);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
