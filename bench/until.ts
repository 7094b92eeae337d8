/** Waiting for what must happen, with a bound. */
import { setTimeout as sleep } from "node:timers/promises";

/** Resolves when `done` holds, looked at every `pace` ms; throws, naming what did not happen, after `patience` ms. */
export async function until(
  done: () => boolean,
  what: string,
  { patience = 60_000, pace = 1 }: { readonly patience?: number; readonly pace?: number } = {},
): Promise<void> {
  const deadline = performance.now() + patience;
  while (!done()) {
    if (performance.now() > deadline) throw new Error(`${what} did not happen within ${patience / 1000} s`);
    await sleep(pace);
  }
}
