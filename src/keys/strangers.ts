/**
 * Keys that are nobody's (SE-18). Owns how many of them an isolate looks up in a second: whoever makes up keys of the right form must not keep
 * the database from everybody else. Keys that the isolate knows are not looked up, and not concerned.
 */
import { MillraceError } from "../errors.ts";
import { SECOND } from "../limits/units.ts";
import { KEY } from "../limits.ts";

/** Counts what was looked up in vain. */
export class Strangers {
  #since = 0;
  #count = 0;

  /** Throws `rate_limited` when as many were looked up in the second of `now` (ms) as may be: the sender comes again. */
  check(now: number): void {
    this.#turn(now);
    if (this.#count < KEY.strangers) return;
    throw new MillraceError("rate_limited", "Too many unknown keys are in use; come again in a second.");
  }

  /** Notes that a key was nobody's. */
  note(now: number): void {
    this.#turn(now);
    this.#count++;
  }

  #turn(now: number): void {
    if (Math.abs(now - this.#since) < SECOND) return;
    this.#since = now;
    this.#count = 0;
  }
}
