/**
 * The app's side of keys and signatures, written from protocol/05 with Node's own cryptography, so that the engine is not checked
 * with its own code.
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";

const PREFIX = /^signkey-\w+-/;

/** A key for tests. */
export const KEY = "signkey-test-0123456789abcdef0123456789abcdef";
/** The key before it. */
export const FALLBACK = "signkey-test-fedcba9876543210fedcba9876543210";
/** A key that nobody has. */
export const STRANGER = "signkey-test-00000000000000000000000000000000";

/** RFC 8785 in its smallest form: keys in UTF-16 order, scalars as ECMAScript writes them. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([name, inner]) => `${JSON.stringify(name)}:${canonical(inner)}`).join(",")}}`;
}

/** `t=…&s=…` over a body that is canonical already. */
export function sign(key: string, body: string, seconds = Math.floor(Date.now() / 1000)): string {
  const digest = createHmac("sha256", key.replace(PREFIX, "")).update(`${body}${seconds}`).digest("hex");
  return `t=${seconds}&s=${digest}`;
}

/** Whether a header was made with the key over exactly these bytes, now. */
export function isSigned(key: string, header: string | undefined, body: string): boolean {
  const [, seconds, digest] = /^t=(\d+)&s=([0-9a-f]{64})$/.exec(header ?? "") ?? [];
  if (seconds === undefined || digest === undefined) return false;
  if (Math.abs(Number(seconds) * 1000 - Date.now()) > 60_000) return false;
  return timingSafeEqual(Buffer.from(sign(key, body, Number(seconds))), Buffer.from(`t=${seconds}&s=${digest}`));
}

/** The hashed form of a key: what SDKs send as bearer. */
export function hashed(key: string): string {
  const [prefix = ""] = PREFIX.exec(key) ?? [];
  return (
    prefix +
    createHash("sha256")
      .update(Buffer.from(key.slice(prefix.length), "hex"))
      .digest("hex")
  );
}

/** A key without its prefix. */
export function bare(key: string): string {
  return key.replace(PREFIX, "");
}
