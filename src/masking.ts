/**
 * Keeping secrets out of what is stored for people to look at (OB-13): values under names that say what they are, credentials inside URLs and
 * headers, and the deployment's own keys. Pure. Guarantees that nothing but texts is changed.
 */
import { isCredentialName, mask, maskJson } from "./calls/credentials.ts";
import type { Json, JsonObject } from "./json.ts";

const MASK = "***";

/** The value with every text under the name of a credential replaced, at any depth. The value must come from `parseJson`. */
export function maskNamed(value: Json): Json {
  if (typeof value === "string") return maskText(value, []);
  if (typeof value !== "object" || value === null) return value;
  if (isArray(value)) return value.map(maskNamed);
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, isCredentialName(name) ? maskJsonTexts(item) : maskNamed(item)]),
  );
}

/** Headers with the values of credentials replaced. */
export function maskHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, isCredentialName(name) ? MASK : value]),
  );
}

const QUERY = /([?&])([^=&#\s"']+)=([^&#\s"']+)/g;
const USER = /(:\/\/)[^/@\s"']+@/g;
const SCHEME = /\b(Bearer|Basic)(\s+)([\w.~+/=-]{6,})/gi;
// What follows the word may be a word as well: "basic training".
const NO_WORD = /\d|[a-z][A-Z]|.{24}/;
const SIGNING_KEY = /\bsignkey-\w+-[0-9a-fA-F]{8,}/g;
/** Keys that the engine makes, wherever they stand (src/keys/value.ts). */
const STORED_KEY = /\b(?:ek|wh|mk)_[\w-]{43}(?![\w-])/g;

/** The text without credentials of URLs and headers inside it, and without any of `secrets`. */
export function maskText(text: string, secrets: readonly string[]): string {
  const masked = text
    .replace(SCHEME, (whole, scheme: string, blank: string, value: string) =>
      NO_WORD.test(value) ? `${scheme}${blank}${MASK}` : whole,
    )
    .replace(SIGNING_KEY, MASK)
    .replace(STORED_KEY, MASK)
    .replace(USER, `$1${MASK}@`)
    .replace(QUERY, (whole, separator: string, name: string) =>
      isCredentialName(name) ? `${separator}${name}=${MASK}` : whole,
    );
  return secrets.length === 0 ? masked : mask(masked, secrets);
}

/** The value as people may see it, without `credentials` wherever they stand. */
export function maskAll(value: Json, credentials: readonly string[]): Json {
  return maskNamed(maskJson(value, credentials));
}

/** Every text of a value that stands under a credential's name. */
function maskJsonTexts(value: Json): Json {
  if (typeof value === "string") return MASK;
  if (typeof value !== "object" || value === null) return value;
  if (isArray(value)) return value.map(maskJsonTexts);
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, maskJsonTexts(item)]));
}

function isArray(value: readonly Json[] | JsonObject): value is readonly Json[] {
  return Array.isArray(value);
}
