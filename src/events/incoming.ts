/**
 * One event as senders write it (EV-3). Owns which fields there are, what they may hold and what their absence means. Pure.
 * Guarantees that a refusal names the index and the field, and that nothing reserved for the engine gets through from outside.
 */
import * as z from "zod";
import { MillraceError } from "../errors.ts";
import { utf8Length } from "../history/bulk.ts";
import type { JsonObject } from "../json.ts";
import { EVENT } from "../limits.ts";
import { mergeSessions, metaSchema } from "./sessions.ts";

/** A checked event that has no ids yet. Absent fields are null, except where the format gives them a value. */
export interface IncomingEvent {
  readonly name: string;
  readonly data: JsonObject;
  /** The sender's deduplication id. */
  readonly id: string | null;
  /** ms since 1970; null: the receive time. */
  readonly ts: number | null;
  readonly v: string | null;
  readonly user: JsonObject;
  readonly sessions: JsonObject | null;
}

const object = z.custom<JsonObject>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  "must be an object",
);

const text = (limit: number) =>
  z.string("must be a string").refine((value) => characters(value) <= limit, {
    error: (issue) => `has ${characters(String(issue.input))} characters; the limit is ${limit} characters`,
  });

const schema = z.object({
  name: text(EVENT.nameLength).min(1, "must not be empty"),
  data: object.nullish(),
  id: text(EVENT.idLength).nullish(),
  ts: z.number("must be a number").int("must be a whole number of milliseconds").nullish(),
  v: z.string("must be a string").nullish(),
  user: object.nullish(),
  meta: metaSchema.nullish(),
});

/**
 * Checks the JSON text of event `index` of a request. `maxBytes` bounds its compact JSON in UTF-8; `now` is the receive time.
 * Throws `body_invalid`, `event_too_large`, `event_invalid` or `event_name_reserved`.
 */
export function parseEvent(source: string, index: number, maxBytes: number, now: number): IncomingEvent {
  const event = checkFields(parseWithin(source, index, maxBytes), index, now);
  if (/^inngest\//i.test(event.name)) {
    throw new MillraceError("event_name_reserved", `Event ${index}: names that begin with "inngest/" are reserved.`);
  }
  return event;
}

/** Parses the text of event `index`, whose compact JSON may have `maxBytes`. Throws `body_invalid` or `event_too_large`. */
export function parseWithin(source: string, index: number, maxBytes: number): unknown {
  const value = parse(source, index);
  const bytes = utf8Length(JSON.stringify(value));
  if (bytes <= maxBytes) return value;
  throw new MillraceError("event_too_large", `Event ${index} has ${bytes} bytes; the limit is ${maxBytes} bytes.`);
}

function parse(source: string, index: number): unknown {
  try {
    return JSON.parse(source);
  } catch {
    throw new MillraceError("body_invalid", `The request body is not valid JSON: event ${index} cannot be parsed.`);
  }
}

/** Checks the fields of a parsed event. Reserved names pass: the engine uses them itself. Throws `event_invalid`. */
export function checkFields(value: unknown, index: number, now: number): IncomingEvent {
  const parsed = object.safeParse(value);
  if (!parsed.success) throw new MillraceError("event_invalid", `Event ${index} must be an object.`);
  const checked = schema.safeParse(parsed.data);
  if (!checked.success) {
    const issue = checked.error.issues[0];
    throw invalid(index, issue?.path.join(".") ?? "", issue?.message ?? "is not valid");
  }
  const { name, id, v, meta } = checked.data;
  const ts = checked.data.ts ?? 0;
  if (ts !== 0 && (ts < EVENT.oldestTs || ts > now + EVENT.futureTs)) {
    throw invalid(index, "ts", `is ${ts}, which is not in milliseconds between 1980 and 366 days from now`);
  }
  const merged = mergeSessions(meta ?? {});
  if ("reason" in merged) throw invalid(index, "meta.sessions", merged.reason);
  return {
    name,
    data: withoutReserved(checked.data.data ?? {}),
    id: id === undefined || id === "" ? null : id,
    ts: ts === 0 ? null : ts,
    v: v ?? null,
    user: checked.data.user ?? {},
    sessions: Object.keys(merged.sessions).length > 0 ? merged.sessions : null,
  };
}

function invalid(index: number, field: string, reason: string): MillraceError {
  return new MillraceError("event_invalid", `Event ${index}: ${field} ${reason}.`);
}

// `data._inngest` is where the engine says who invoked a function; a sender must not be able to.
function withoutReserved(data: JsonObject): JsonObject {
  if (!Object.hasOwn(data, "_inngest")) return data;
  const { _inngest: _, ...rest } = data;
  return rest;
}

/** Characters as people count them: a pair of surrogates is one. */
function characters(value: string): number {
  return value.length <= EVENT.nameLength ? value.length : [...value].length;
}
