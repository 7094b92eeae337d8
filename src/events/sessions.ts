/**
 * Sessions: the labels that tie events and runs to a user's session (EV-37). Owns how inherited and explicit ones are merged. Pure.
 */
import * as z from "zod";
import { utf8Length } from "../history/bulk.ts";
import type { JsonObject } from "../json.ts";
import { EVENT } from "../limits.ts";

const map = z.record(z.string(), z.union([z.string(), z.number(), z.null()])).nullish();

/** `meta` of an incoming event; everything else in it is dropped. */
export const metaSchema = z.object({ sessions: map, propagated_sessions: map });

/**
 * What an event's `meta.sessions` becomes: the inherited sessions with the explicit ones on top. `null` removes a session,
 * `sessions: null` all of them. Gives the reason, as a text, when a limit is exceeded.
 */
export function mergeSessions(meta: z.infer<typeof metaSchema>): { sessions: JsonObject } | { reason: string } {
  const { count, keyBytes, valueBytes } = EVENT.sessions;
  const merged = new Map<string, string | number>();
  const layers = meta.sessions === null ? [] : [meta.propagated_sessions ?? {}, meta.sessions ?? {}];
  for (const [key, value] of layers.flatMap((layer) => Object.entries(layer))) {
    if (value === null) merged.delete(key);
    else merged.set(key, value);
    const size = { key: utf8Length(key), value: utf8Length(String(value ?? "")) };
    if (size.key > keyBytes) return { reason: `has a key of ${size.key} bytes; the limit is ${keyBytes} bytes` };
    if (size.value > valueBytes) {
      return { reason: `has a value of ${size.value} bytes; the limit is ${valueBytes} bytes` };
    }
  }
  if (merged.size > count) return { reason: `has ${merged.size} entries; the limit is ${count}` };
  return { sessions: Object.fromEntries(merged) };
}
