/**
 * What the kinds of `Window` object have in common: where they are, and how they are woken. Types only.
 */
import type { Bindings } from "../../src/bindings.ts";

/** What the object gives its part. */
export interface PartContext {
  readonly storage: DurableObjectStorage;
  readonly bindings: Bindings;
  /** The object's own. */
  readonly name: string;
  readonly environmentId: string;
  /** UUID of the function the window belongs to; empty for a sender's event id. */
  readonly functionId: string;
  /** Moves the alarm to `at` (ms since 1970), in the same commit as what was written just before. Each call is a written row. */
  setAlarm(at: number): void;
}

/** One kind of window. While it has rows an alarm is set, so that nothing of it is left when its time is over. */
export interface Part {
  /** Does what is due and sets the next alarm, if there is to be one. May throw: it is woken again after a while. */
  wake(now: number): Promise<void>;
}
