/**
 * Canonical JSON (RFC 8785), the form in which bodies are signed and sent (protocol/05 §5.2).
 * Owns the one call into the library that the SDKs use too, so that both sides produce the same bytes.
 */
import canonicalize from "canonicalize";
import { MillraceError } from "../errors.ts";
import type { Json } from "../json.ts";

/** The canonical text of a JSON value. */
export function canonicalJson(value: Json): string {
  const text = canonicalize(value);
  if (text === undefined) throw new MillraceError("internal_error", "A value without a JSON form cannot be signed.");
  return text;
}
