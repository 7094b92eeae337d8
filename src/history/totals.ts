/**
 * How many events or runs a list has in all, as history knows them. Owns the counting, which ends at `TOTALS.max`: a total is for people, and
 * counting reads every row. Callers have run `ensureSchema`.
 */
import { TOTALS } from "../limits.ts";
import type { EventFilter } from "./events.ts";
import type { RunFilter } from "./runs.ts";

/** Events that fit any of the filters, which differ in names only; without names every event of the users'. At most `TOTALS.max`. */
export async function countEvents(
  db: D1Database,
  environmentId: string,
  filters: readonly EventFilter[],
): Promise<number> {
  const [first] = filters;
  if (first === undefined) return 0;
  const named = filters.flatMap(({ names }) => names ?? []);
  const count = await db
    .prepare(
      `SELECT COUNT(*) AS total FROM (
         SELECT 1 FROM events
         WHERE environment_id = ?1 AND (?2 AND internal = 0 OR name IN (SELECT value FROM json_each(?3)))
           AND received_at >= ?4 AND received_at < ?5 LIMIT ?6)`,
    )
    .bind(
      environmentId,
      filters.some(({ names }) => names === undefined) ? 1 : 0,
      JSON.stringify(named),
      first.receivedAfter ?? 0,
      first.receivedBefore ?? Number.MAX_SAFE_INTEGER,
      TOTALS.max,
    )
    .first<number>("total");
  return count ?? 0;
}

/** Runs that fit any of the filters, which differ in app and function only. At most `TOTALS.max`. */
export async function countRuns(db: D1Database, environmentId: string, filters: readonly RunFilter[]): Promise<number> {
  const [first] = filters;
  if (first === undefined) return 0;
  const pairs = filters.map(({ appId, functionId }) => [appId, functionId]);
  const count = await db
    .prepare(
      `SELECT COUNT(*) AS total FROM (
         SELECT 1 FROM runs
         WHERE environment_id = ?1
           AND EXISTS (SELECT 1 FROM json_each(?2) WHERE coalesce(value->>0, app_id) = app_id AND coalesce(value->>1, function_id) = function_id)
           AND (?3 = '[]' OR status IN (SELECT value FROM json_each(?3)))
           AND coalesce(${first.timeField}, 0) >= ?4 AND coalesce(${first.timeField}, 0) < ?5 LIMIT ?6)`,
    )
    .bind(
      environmentId,
      JSON.stringify(pairs),
      JSON.stringify(first.statuses),
      first.from ?? 0,
      first.until ?? Number.MAX_SAFE_INTEGER,
      TOTALS.max,
    )
    .first<number>("total");
  return count ?? 0;
}
