/**
 * How much a key may send in a second (SE-18). Owns the counting: in the memory of an isolate, before anything is stored, so that a flood
 * costs nothing but its own refusals. A deployment under load has several isolates, each of which counts for itself.
 */

import { SECOND } from "../limits/units.ts";
import { EVENT } from "../limits.ts";
import type { Settings } from "../settings.ts";

/** What a key has sent in the second that began at `since`, ms. */
interface Tally {
  readonly since: number;
  requests: number;
  bytes: number;
}

/** Counts requests and bytes by key. */
export class KeyTallies {
  readonly #tallies = new Map<string, Tally>();

  /** Counts a request at `now` (ms); false when the key has sent as many as it may in this second. */
  request(key: string, limits: Settings["eventRate"], now: number): boolean {
    const tally = this.#tally(key, now);
    if (tally.requests >= limits.requests || tally.bytes >= limits.bytes) return false;
    tally.requests++;
    return true;
  }

  /** Counts a body of so many bytes; false when the key has no room for it in this second. One alone may be larger than that. */
  body(key: string, bytes: number, limits: Settings["eventRate"], now: number): boolean {
    const tally = this.#tally(key, now);
    if (tally.bytes > 0 && tally.bytes + bytes > limits.bytes) return false;
    tally.bytes += bytes;
    return true;
  }

  #tally(key: string, now: number): Tally {
    const known = this.#tallies.get(key);
    // A clock that went back begins anew as well.
    if (known !== undefined && now >= known.since && now < known.since + SECOND) return known;
    // Entries keep the order in which their seconds began.
    this.#tallies.delete(key);
    const tally = { since: now, requests: 0, bytes: 0 };
    this.#tallies.set(key, tally);
    const oldest = this.#tallies.keys().next();
    if (this.#tallies.size > EVENT.keyRate.keys && oldest.done !== true) this.#tallies.delete(oldest.value);
    return tally;
  }
}
