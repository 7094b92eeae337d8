/**
 * Where a wait stands in the index of its event name (XP-19): under the value that the rarest of its equalities demands. Pure.
 * Guarantees that an event which could match a wait is looked up under the wait's key; one found there must still be judged.
 */
import type { EventPayload } from "../../events/event.ts";
import { compileCached } from "../../expressions/cache.ts";
import { bind, type IndexPart, incomingKeys } from "../../expressions/equality-index.ts";
import { WAITS } from "../../limits.ts";
import type { Wait } from "./wait.ts";

/** The key of waits that every event of the name has to be tried on. */
export const UNINDEXED = "";

/** The place of a wait; `path` is null under {@link UNINDEXED}. */
export interface Place {
  readonly key: string;
  readonly path: string | null;
}

/**
 * What a wait can be indexed by, the best first; null when no event can ever match it, so that only its time-out will end it.
 * A run that gives no trigger event is asked about every event of the name.
 */
export function partsOf({ expression, event }: Pick<Wait, "expression" | "event">): readonly IndexPart[] | null {
  if (expression === null || event === null) return [];
  const compiled = compileCached(expression, "wait");
  if (!compiled.ok) return null;
  const binding = bind(compiled.expression, event);
  return binding.kind === "never" ? null : binding.parts;
}

/**
 * The place of a wait among those whose keys use `paths`. Each path costs every event a look-up, so that a new one is only taken while
 * there are fewer than `WAITS.paths`; else the next best part counts.
 */
export function placeOf(parts: readonly IndexPart[], paths: ReadonlySet<string>): Place {
  for (const { asyncPath, key } of parts) {
    const path = JSON.stringify(asyncPath);
    if (paths.has(path) || paths.size < WAITS.paths) return { key: keyOf(path, key), path };
  }
  return { key: UNINDEXED, path: null };
}

/** The keys under which waits for an event may stand, each once. */
export function lookupKeys(paths: Iterable<string>, payload: EventPayload): string[] {
  const keys = [UNINDEXED];
  for (const path of paths) {
    // Paths are texts made by `placeOf`.
    const fields = JSON.parse(path) as string[];
    for (const key of incomingKeys(fields, payload)) keys.push(keyOf(path, key));
  }
  return keys;
}

/** All keys of a path, and no others, are at least the first text and less than the second. */
export function keyRange(path: string): readonly [string, string] {
  return [keyOf(path, ""), `${path}>`];
}

// A path is a JSON array, so that no other path's keys can begin with it and this sign.
function keyOf(path: string, key: string): string {
  return `${path}=${key}`;
}
