/**
 * Keys and signatures between engine and apps (protocol/05). Owns the derivations and comparisons.
 * Guarantees constant-time comparison of everything secret and that no key ever appears in an error.
 */
import { hex } from "../ids.ts";
import { SIGNATURE } from "../limits.ts";

const PREFIX = /^signkey-\w+-/;
const HEADER = /^t=(\d{1,12})&s=([0-9a-f]{64})$/;
const utf8 = new TextEncoder();

/** `X-Inngest-Signature` over an already canonical body (`""` for no body): HMAC-SHA256 of body and seconds. */
export async function signBody(key: string, body: string, now: number): Promise<string> {
  const seconds = Math.floor(now / 1000);
  return `t=${seconds}&s=${await hmac(key, `${body}${seconds}`)}`;
}

/** True when the header was made over the body by one of the keys, at most {@link SIGNATURE.age} from now in either direction (SE-4). */
export async function verifySignature(
  keys: readonly string[],
  header: string | null,
  body: string,
  now: number,
): Promise<boolean> {
  const parts = HEADER.exec(header ?? "");
  if (parts?.[1] === undefined || parts[2] === undefined) return false;
  if (Math.abs(now - Number(parts[1]) * 1000) > SIGNATURE.age) return false;
  let valid = false;
  for (const key of keys) valid = (await equal(await hmac(key, `${body}${parts[1]}`), parts[2])) || valid;
  return valid;
}

/** A signing key, plain or hashed, without its prefix. */
export function bareKey(key: string): string {
  return key.replace(PREFIX, "");
}

/** The hashed form of a signing key that SDKs send as bearer token: the prefix stays, the decoded hex is hashed. */
export async function hashedKey(key: string): Promise<string> {
  const prefix = PREFIX.exec(key)?.[0] ?? "";
  const digits = key.slice(prefix.length);
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  return prefix + hex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

/** True when an `Authorization` header carries one of the keys, plain or hashed, with or without prefix (SE-6). */
export async function bearerMatches(keys: readonly string[], header: string | null | undefined): Promise<boolean> {
  const token = /^Bearer (\S+)$/i.exec(header ?? "")?.[1];
  if (token === undefined) return false;
  let valid = false;
  for (const key of keys) {
    for (const form of [key, await hashedKey(key)]) valid = (await equal(bareKey(form), bareKey(token))) || valid;
  }
  return valid;
}

/** Compares two texts without revealing where or whether their lengths differ: both sides are hashed first. */
export async function equal(a: string, b: string): Promise<boolean> {
  const [left, right] = await Promise.all(
    [a, b].map(async (text) => new Uint8Array(await crypto.subtle.digest("SHA-256", utf8.encode(text)))),
  );
  let difference = 0;
  for (let i = 0; i < 32; i++) difference |= (left?.[i] ?? 0) ^ (right?.[i] ?? 1);
  return difference === 0;
}

// Imported keys are kept as values, never as promises: a promise belongs to the request that made it.
const imported = new Map<string, CryptoKey>();

// The HMAC key is the text after the prefix, not its decoded bytes (protocol/05 §5.1).
async function hmacKey(key: string): Promise<CryptoKey> {
  const known = imported.get(key);
  if (known !== undefined) return known;
  const bytes = utf8.encode(bareKey(key));
  const made = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  imported.set(key, made);
  return made;
}

async function hmac(key: string, text: string): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.sign("HMAC", await hmacKey(key), utf8.encode(text))));
}
