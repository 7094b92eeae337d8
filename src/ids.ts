/**
 * Identifiers. Owns how ids are made and recognised; guarantees that everything derived (run ids, system event ids,
 * UUIDs of apps and functions) is the same for the same input in every process, which is what makes starting a run idempotent.
 */
import { monotonicFactory } from "ulid";

const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const ULID_SHAPE = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

// The generator needs randomness, which the platform forbids at module scope: made on first use.
let next: ((time: number) => string) | undefined;

/** A new ULID whose time part is `now` (ms); strictly rising within one isolate. */
export function newUlid(now: number): string {
  next ??= monotonicFactory();
  return next(now);
}

/** True for the 26 characters of a ULID in upper case. */
export function isUlid(text: string): boolean {
  return ULID_SHAPE.test(text);
}

/** The time part of a ULID, ms since 1970. The text must satisfy {@link isUlid}. */
export function ulidTime(ulid: string): number {
  let time = 0;
  for (const character of ulid.slice(0, 10)) time = time * 32 + CROCKFORD.indexOf(character);
  return time;
}

/** Encodes a time (ms, below 2^48) and 10 bytes of entropy as a ULID. */
export function encodeUlid(time: number, entropy: Uint8Array): string {
  let head = "";
  for (let rest = time, i = 0; i < 10; i++, rest = Math.floor(rest / 32)) head = CROCKFORD.charAt(rest % 32) + head;
  let tail = "";
  let buffer = 0;
  let bits = 0;
  for (const byte of entropy.subarray(0, 10)) {
    buffer = (buffer << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      tail += CROCKFORD.charAt((buffer >> bits) & 31);
    }
    buffer &= (1 << bits) - 1;
  }
  return head + tail;
}

/** SHA-256 of UTF-8 text. */
export async function sha256(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

/** Lower-case hex of bytes. */
export function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

/** A ULID with the given time whose entropy is a hash of the parts: the same parts give the same id. */
export async function derivedUlid(time: number, ...parts: readonly string[]): Promise<string> {
  return encodeUlid(time, await sha256(parts.join("\n")));
}

/** A UUID (version 8 layout) derived from a hash of the parts. */
export async function derivedUuid(...parts: readonly string[]): Promise<string> {
  const bytes = (await sha256(parts.join("\n"))).slice(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const text = hex(bytes);
  return `${text.slice(0, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}-${text.slice(16, 20)}-${text.slice(20)}`;
}

/**
 * The id of the run that `functionId` starts for the event `eventId` (both engine ids). Its time part is the event's,
 * so run ids sort by arrival; its entropy is a hash, so routing one event twice reaches the same `Run` object.
 */
export function runIdFor(environmentId: string, functionId: string, eventId: string): Promise<string> {
  return derivedUlid(ulidTime(eventId), "run", environmentId, functionId, eventId);
}
