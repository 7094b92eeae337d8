/**
 * The credentials inside a request the engine makes for a step: which they are, and keeping them out of texts (SE-14, OB-13). Pure.
 * Guarantees that a masked text holds no credential of the request in plain, percent-encoded or JSON-escaped form.
 */
import type { Json, JsonObject } from "../json.ts";
import { CALL } from "../limits.ts";
import type { EngineRequest } from "../protocol/gateway-request.ts";

const CREDENTIAL = /authorization|cookie|token|secret|password|credential|signature|api[-_]?key|^x-auth|^key$/i;
const MASK = "***";

/** True for names of headers and query parameters whose values are credentials. */
export function isCredentialName(name: string): boolean {
  return CREDENTIAL.test(name);
}

/** The credentials of a request that have at least `length` characters, longest first. */
export function credentialsOf(request: EngineRequest, length: number): readonly string[] {
  const found = new Set<string>();
  if (request.kind === "ai" && request.authKey !== null) found.add(request.authKey);
  for (const [name, value] of Object.entries(request.headers)) {
    if (!isCredentialName(name)) continue;
    found.add(value);
    for (const part of partsOf(value)) found.add(part);
  }
  for (const [name, value] of URL.parse(request.url)?.searchParams ?? []) if (isCredentialName(name)) found.add(value);
  return [...found].filter((secret) => secret.length >= length).sort((a, b) => b.length - a.length);
}

/** `Bearer x` and `a=x; b=y` are quoted by servers in parts: each part but the scheme, and what follows its first `=`. */
function partsOf(value: string): string[] {
  const parts = value.split(/[\s,;]+/);
  const secret = parts.length > 1 && !parts[0]?.includes("=") ? parts.slice(1) : parts;
  return secret.flatMap((part) => [part, part.slice(part.indexOf("=") + 1)]);
}

/** The text with every credential replaced. */
export function mask(text: string, credentials: readonly string[]): string {
  let masked = text;
  for (const secret of credentials) {
    for (const form of formsOf(secret)) masked = masked.replaceAll(form, MASK);
  }
  return masked;
}

function formsOf(secret: string): string[] {
  const inQuery = new URLSearchParams([["", secret]]).toString().slice("=".length);
  return [secret, encodeURIComponent(secret), inQuery, JSON.stringify(secret).slice(1, -1)];
}

/** The value with every credential replaced in its texts and keys. The value must come from `parseJson`, which bounds its depth. */
export function maskJson(value: Json, credentials: readonly string[]): Json {
  if (credentials.length === 0) return value;
  if (typeof value === "string") return mask(value, credentials);
  if (typeof value !== "object" || value === null) return value;
  if (isArray(value)) return value.map((item) => maskJson(item, credentials));
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [mask(name, credentials), maskJson(item, credentials)]),
  );
}

/** The beginning of a text for an error, masked before it is cut so that no part of a credential remains at the end. */
export function quoteMasked(text: string, credentials: readonly string[]): string {
  const masked = mask(text, credentials);
  return masked.length <= CALL.quotedBytes ? masked : `${masked.slice(0, CALL.quotedBytes)}…`;
}

function isArray(value: readonly Json[] | JsonObject): value is readonly Json[] {
  return Array.isArray(value);
}
