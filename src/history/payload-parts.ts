/**
 * Event payloads too large for one row of D1. Owns the table `payload_parts`: slices of the payload's JSON as UTF-8, in order.
 * Slices are cut between characters, so each can travel as text; D1 would turn bytes into arrays of numbers.
 */
import { HISTORY } from "../limits.ts";
import { utf8Pieces } from "./bulk.ts";
import { notErased } from "./erased.ts";

/** Statements that store the payload of one event. Storing it again changes nothing: events are immutable. */
export function partStatements(
  db: D1Database,
  environmentId: string,
  id: string,
  payload: string,
): D1PreparedStatement[] {
  const insert = db.prepare(
    `INSERT INTO payload_parts (environment_id, internal_id, part, body)
     SELECT ?1, ?2, ?3, CAST(?4 AS BLOB) WHERE ${notErased("?1", "?2")} ON CONFLICT DO NOTHING`,
  );
  return utf8Pieces(payload, HISTORY.rowBytes).map((piece, part) => insert.bind(environmentId, id, part, piece));
}

/** The payloads (JSON) of events stored in parts, by internal id; events without parts are absent. */
export async function loadParts(
  db: D1Database,
  environmentId: string,
  ids: readonly string[],
): Promise<Map<string, string>> {
  const payloads = new Map<string, string>();
  if (ids.length === 0) return payloads;
  const { results } = await db
    .prepare(
      `SELECT internal_id, CAST(body AS TEXT) AS body FROM payload_parts
       WHERE environment_id = ?1 AND internal_id IN (SELECT value FROM json_each(?2)) ORDER BY internal_id, part`,
    )
    .bind(environmentId, JSON.stringify(ids))
    .all<{ internal_id: string; body: string }>();
  for (const row of results) payloads.set(row.internal_id, (payloads.get(row.internal_id) ?? "") + row.body);
  return payloads;
}
