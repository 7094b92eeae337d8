/**
 * Event id seeds (EV-7, protocol/01 §1.6). Owns how internal ids follow from the seed an SDK sends, so that a retried send gets the
 * same ids and therefore the same runs. Pure.
 */
import { encodeUlid } from "../ids.ts";

/** A valid `x-inngest-event-id-seed`: a time in ms and ten bytes of entropy. */
export interface Seed {
  readonly time: number;
  readonly entropy: Uint8Array;
}

const HEADER = /^(\d{1,15}),([A-Za-z0-9+/]{14}==)$/;
const ULID_TIMES = 2 ** 48;

/** Reads the header; null when it is absent or not a seed, which is to be ignored. */
export function parseSeed(header: string | null | undefined): Seed | null {
  const parts = HEADER.exec(header ?? "");
  if (parts?.[1] === undefined || parts[2] === undefined) return null;
  const time = Number(parts[1]);
  if (time >= ULID_TIMES) return null;
  return { time, entropy: Uint8Array.from(atob(parts[2]), (character) => character.charCodeAt(0)) };
}

/**
 * The internal id of the event with this index: the last four bytes of entropy, as one big-endian number, plus the index.
 * On `/e` the first event has index 1, on `/invoke` the only one has index 0.
 */
export function seededId(seed: Seed, index: number): string {
  const entropy = seed.entropy.slice();
  const tail = new DataView(entropy.buffer, 6, 4);
  // Writing wraps around at 2^32, as the SDKs' own implementation does.
  tail.setUint32(0, tail.getUint32(0) + index);
  return encodeUlid(seed.time, entropy);
}
