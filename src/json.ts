/**
 * JSON values: their types, and the one place where text from outside becomes a value.
 * Guarantees that depth is bounded before anything recursive sees the value; sizes are the caller's to bound.
 */
import { EVENT } from "./limits.ts";

/** Any JSON value. */
export type Json = null | boolean | number | string | JsonArray | JsonObject;

/** A JSON object. */
export interface JsonObject {
  readonly [key: string]: Json;
}

/** The value as an object; anything else counts as one without fields. */
export function objectOf(value: Json | undefined): JsonObject {
  return typeof value === "object" && value !== null && !isArray(value) ? value : {};
}

function isArray(value: JsonArray | JsonObject): value is JsonArray {
  return Array.isArray(value);
}

/** What parsing gave: the value, or why the text was refused. */
export type ParsedJson = { readonly ok: true; readonly value: Json } | { readonly ok: false; readonly reason: string };

/** Parses JSON text of any origin. Refuses nesting deeper than `EVENT.depth`; never throws. */
export function parseJson(text: string): ParsedJson {
  if (isTooDeep(text)) return { ok: false, reason: `JSON is nested deeper than ${EVENT.depth} levels` };
  try {
    // JSON.parse returns exactly the values that the type Json describes.
    return { ok: true, value: JSON.parse(text) as Json };
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : "not JSON" };
  }
}

// Text with few brackets cannot be nested deeply: counting them is much cheaper than following them.
function isTooDeep(text: string): boolean {
  const brackets = text.match(/[[{]/g)?.length ?? 0;
  return brackets > EVENT.depth && nestingOf(text) > EVENT.depth;
}

const QUOTE = 34;
const BACKSLASH = 92;
const OPENING = new Set([91, 123]);
const CLOSING = new Set([93, 125]);

/** The deepest nesting of brackets outside strings. */
function nestingOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (inString) {
      if (code === BACKSLASH) i++;
      else if (code === QUOTE) inString = false;
    } else if (code === QUOTE) inString = true;
    else if (OPENING.has(code)) deepest = Math.max(deepest, ++depth);
    else if (CLOSING.has(code)) depth--;
  }
  return deepest;
}

/** A JSON array. An interface, because the types of object RPC recurse without end through an anonymous array of itself. */
interface JsonArray extends ReadonlyArray<Json> {}
