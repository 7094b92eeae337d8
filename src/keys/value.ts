/**
 * New keys, and how stored ones are known again. Owns the form of keys that the engine makes: a prefix that says what a key is for, so that no
 * other text is ever looked up, and 256 bits of randomness (SE-2).
 */
import { hex, sha256 } from "../ids.ts";
import { KEY } from "../limits.ts";
import { bareKey, hashedKey } from "../protocol/signature.ts";
import { base64url } from "./sealed.ts";

/** What a key is for: sending events, a webhook's URL, the API. */
export type KeyPurpose = "event" | "webhook" | "api";

const PREFIXES = { event: "ek_", webhook: "wh_", api: "mk_" } as const satisfies Record<KeyPurpose, string>;
const BODY = /^[\w-]{43}$/;

/** A new key. */
export function newKey(purpose: KeyPurpose): string {
  return PREFIXES[purpose] + base64url(crypto.getRandomValues(new Uint8Array(KEY.bytes)));
}

/** A new signing key of an environment, as SDKs take it (protocol/05 §5.1). */
export function newSigningKey(kind: "custom" | "branch"): string {
  return `signkey-${kind}-${hex(crypto.getRandomValues(new Uint8Array(KEY.bytes)))}`;
}

/** True for a text that could be a stored key of this purpose. */
export function mayBeKey(text: string, purpose: KeyPurpose): boolean {
  const prefix = PREFIXES[purpose];
  return text.startsWith(prefix) && BODY.test(text.slice(prefix.length));
}

/** What a stored key is found by: the key itself is sealed. */
export async function keyHash(value: string): Promise<string> {
  return hex(await sha256(value));
}

const SIGNING = /^(?:signkey-\w+-)?[0-9a-f]{64}$/i;

/**
 * What a stored signing key is found by when it comes as a bearer token, plain or hashed and with or without its prefix (SE-6): two hashes,
 * of which at most one is stored. Empty for what is no signing key of ours.
 */
export async function signingHashes(token: string): Promise<readonly string[]> {
  if (!SIGNING.test(token)) return [];
  const bare = bareKey(token).toLowerCase();
  return [await keyHash(bare), await keyHash(await hashedKey(bare))];
}

/** The hash under which a signing key is stored: of its hashed form, without the prefix. */
export async function signingHash(key: string): Promise<string> {
  return await keyHash(bareKey(await hashedKey(key)));
}
