/**
 * What is going on at this moment, as far as history knows: unfinished runs by function (API-28). Owns the one query.
 * A run that has begun and expects nothing for a while sleeps; between its reports history cannot know more.
 */
import { METRICS } from "../limits.ts";

/** Unfinished runs of one function. */
export interface Unfinished {
  readonly function_id: string;
  readonly function_slug: string;
  readonly app_id: string;
  /** Not begun. */
  readonly queued: number;
  readonly running: number;
  readonly sleeping: number;
}

const QUERY = `SELECT function_id, MAX(function_slug) AS function_slug, MAX(app_id) AS app_id,
    SUM(status = 'queued') AS queued, SUM(status <> 'queued' AND due_at <= ?2) AS running,
    SUM(status <> 'queued' AND due_at > ?2) AS sleeping
  FROM (
    SELECT function_id, function_slug, app_id, status, due_at FROM runs INDEXED BY runs_by_due
    WHERE environment_id = ?1 AND due_at IS NOT NULL LIMIT ?3
  ) GROUP BY function_id ORDER BY 2`;

/** Unfinished runs by function; `now` in ms. Of more than `METRICS.unfinished` only so many are counted. */
export async function unfinishedRuns(db: D1Database, environmentId: string, now: number): Promise<Unfinished[]> {
  const { results } = await db
    .prepare(QUERY)
    .bind(environmentId, now + METRICS.rest, METRICS.unfinished)
    .all<Unfinished>();
  return results;
}
