/**
 * Secrets as they are stored (SE-14): AES-256-GCM under a key of their environment, which is derived from `MILLRACE_SECRET`.
 * Guarantees that what one environment sealed opens nowhere else, that a stored row alone tells nothing, and that no error quotes a secret.
 */
import { MillraceError } from "../errors.ts";

/** The form's version, the nonce and the ciphertext, in base64url. */
const FORM = /^1\.([\w-]{16})\.([\w-]+)$/;
const utf8 = new TextEncoder();

/** Seals a text. `secrets` are the deployment's root secrets, of which the first is the one to use. Throws `not_configured` without any. */
export async function seal(secrets: readonly string[], environmentId: string, text: string): Promise<string> {
  const [secret] = secrets;
  if (secret === undefined) {
    throw new MillraceError("not_configured", "The secret MILLRACE_SECRET is not set on this deployment.");
  }
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const key = await sealingKey(secret, environmentId);
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, utf8.encode(text));
  return `1.${base64url(iv)}.${base64url(new Uint8Array(sealed))}`;
}

/**
 * Opens what was sealed for the environment. `stale`: with a former root secret, so that it has to be sealed anew before that one is
 * forgotten. Throws `not_configured` when none of the secrets opens it.
 */
export async function unseal(
  secrets: readonly string[],
  environmentId: string,
  sealed: string,
): Promise<{ readonly text: string; readonly stale: boolean }> {
  const [, iv, body] = FORM.exec(sealed) ?? [];
  if (iv !== undefined && body !== undefined) {
    for (const [index, secret] of secrets.entries()) {
      const key = await sealingKey(secret, environmentId);
      const opened = await crypto.subtle
        .decrypt({ name: "AES-GCM", iv: bytesOf(iv) }, key, bytesOf(body))
        // The other secret's, or damaged: which of them is said below.
        .catch(() => null);
      if (opened !== null) return { text: new TextDecoder().decode(opened), stale: index > 0 };
    }
  }
  const reason = "A stored secret cannot be opened with MILLRACE_SECRET or MILLRACE_SECRET_PREVIOUS.";
  throw new MillraceError("not_configured", reason);
}

// Imported keys are kept as values, never as promises: a promise belongs to the request that made it.
const derived = new Map<string, CryptoKey>();

async function sealingKey(secret: string, environmentId: string): Promise<CryptoKey> {
  const name = `${secret} ${environmentId}`;
  const known = derived.get(name);
  if (known !== undefined) return known;
  const root = await crypto.subtle.importKey("raw", utf8.encode(secret), "HKDF", false, ["deriveKey"]);
  const made = await crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: utf8.encode(environmentId), info: utf8.encode("millrace sealed 1") },
    root,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt", "decrypt"],
  );
  derived.set(name, made);
  return made;
}

const PIECE = 4096;

/** Bytes as base64 for URLs, without padding. */
export function base64url(bytes: Uint8Array): string {
  let binary = "";
  // In pieces, because each byte is an argument.
  for (let at = 0; at < bytes.length; at += PIECE) binary += String.fromCharCode(...bytes.subarray(at, at + PIECE));
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
