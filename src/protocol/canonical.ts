/**
 * Canonical JSON (RFC 8785), the form in which bodies are signed and sent (protocol/05 §5.2).
 * Guarantees the bytes that SDKs make of the same value: half a surrogate pair, which RFC 8785 leaves out, is escaped as they do.
 * Recursion is safe, because the depth of everything parsed is bounded.
 */
import type { Json, JsonObject } from "../json.ts";

/** The canonical text of a JSON value: keys in UTF-16 order, scalars as ECMAScript writes them. */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  // Array.isArray does not exclude readonly arrays from the type, so it must be said that only objects are left.
  const object = value as JsonObject;
  const fields = Object.keys(object).sort();
  return `{${fields.map((name) => `${JSON.stringify(name)}:${canonicalJson(object[name] ?? null)}`).join(",")}}`;
}
