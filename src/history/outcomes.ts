/**
 * Outcomes that change after their event was stored: that of an event whose window started no run in the end (FC-27). Owns the one
 * statement, which can be repeated. Callers have run `ensureSchema`.
 */
import type { EventOutcome, KeyWarning } from "../events/event.ts";

/** What changes of an outcome; what is not named stays, and null removes it. */
export type OutcomeChange =
  | {
      readonly outcome: "skipped";
      readonly reason: Extract<EventOutcome, { readonly outcome: "skipped" }>["reason"];
      readonly runId: string | null;
      readonly warnings?: readonly KeyWarning[];
    }
  | { readonly warnings: readonly KeyWarning[] };

// An event whose fan-out is pending has no outcomes yet, and what is written now would be lost with it.
const UPDATE = `UPDATE events
  SET outcomes = (
    SELECT json_group_array(json(CASE WHEN value->>'functionId' = ?3 THEN json_patch(value, ?4) ELSE value END))
    FROM (SELECT value FROM json_each(events.outcomes) ORDER BY key)
  )
  WHERE environment_id = ?1 AND routed = 1 AND internal_id IN (SELECT value FROM json_each(?2))`;

/**
 * Changes what one function did with events, given by internal id. `meta.changes` of its result counts the events that were there to be
 * changed: those that are not stored yet have to be tried again.
 */
export function outcomeStatement(
  db: D1Database,
  environmentId: string,
  eventIds: readonly string[],
  functionId: string,
  change: OutcomeChange,
): D1PreparedStatement {
  return db.prepare(UPDATE).bind(environmentId, JSON.stringify(eventIds), functionId, JSON.stringify(change));
}
