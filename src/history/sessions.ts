/**
 * Sessions that events name (EV-37), as far as the newest events tell. Owns the queries: nothing is kept per session, so that an event without
 * one costs nothing more, and each question passes over a bounded number of events. Callers have run `ensureSchema`.
 */
import { SESSION } from "../limits.ts";

/** A key of sessions, with how many sessions it has. Times are ms since 1970. */
export interface SessionKey {
  readonly key: string;
  readonly sessions: number;
  readonly seenAt: number;
}

/** A session, with how many events name it. */
export interface Session {
  readonly id: string;
  readonly events: number;
  readonly beganAt: number;
  readonly seenAt: number;
}

// Few events name sessions: the pattern tells them apart before anything is parsed. Those of split payloads are not found.
const NAMED = `SELECT json_each.key AS key, CAST(json_each.value AS TEXT) AS id, received_at AS time, outcomes
  FROM (
    SELECT received_at, payload, outcomes FROM events WHERE environment_id = ?1 ORDER BY internal_id DESC LIMIT ${SESSION.events}
  ), json_each(payload, '$.meta.sessions')
  WHERE payload LIKE '%"sessions":{"%'`;

/** The keys of sessions, most recently seen first. */
export async function listSessionKeys(db: D1Database, environmentId: string, limit: number): Promise<SessionKey[]> {
  const { results } = await db
    .prepare(
      `SELECT key, COUNT(DISTINCT id) AS sessions, MAX(time) AS seenAt FROM (${NAMED})
       GROUP BY key ORDER BY seenAt DESC, key LIMIT ?2`,
    )
    .bind(environmentId, limit)
    .all<SessionKey>();
  return results;
}

/** The sessions of a key, most recently seen first. */
export async function listSessions(
  db: D1Database,
  environmentId: string,
  key: string,
  limit: number,
): Promise<Session[]> {
  const { results } = await db
    .prepare(
      `SELECT id, COUNT(*) AS events, MIN(time) AS beganAt, MAX(time) AS seenAt FROM (${NAMED}) WHERE key = ?2
       GROUP BY id ORDER BY seenAt DESC, id LIMIT ?3`,
    )
    .bind(environmentId, key, limit)
    .all<Session>();
  return results;
}

/** Ids of the runs that a session's events started, newest first; those before `cursor`. */
export async function sessionRuns(
  db: D1Database,
  environmentId: string,
  { key, id }: { readonly key: string; readonly id: string },
  { cursor, limit }: { readonly cursor: string | null; readonly limit: number },
): Promise<string[]> {
  const { results } = await db
    .prepare(
      `SELECT DISTINCT outcome.value->>'runId' AS runId FROM (${NAMED}) AS named, json_each(named.outcomes) AS outcome
       WHERE named.key = ?2 AND named.id = ?3 AND runId IS NOT NULL AND (?4 IS NULL OR runId < ?4)
       ORDER BY runId DESC LIMIT ?5`,
    )
    .bind(environmentId, key, id, cursor, limit)
    .all<{ runId: string }>();
  return results.map(({ runId }) => runId);
}
