/**
 * Unfinished runs whose time has passed, as history knows it (I4), and when each is asked again. Owns these statements.
 * Guarantees that only overdue rows are read, however many runs sleep. Every statement names its environment (SE-8); callers have run
 * `ensureSchema`.
 */
import { countD1 } from "../counters.ts";

/** A run that was to be looked at. Times are ms since 1970. */
export interface OverdueRun {
  readonly runId: string;
  readonly dueAt: number;
  readonly queuedAt: number;
}

/** At most `limit` unfinished runs that were due before `time`, those that have been for longest first. */
export async function overdueRuns(
  db: D1Database,
  environmentId: string,
  time: number,
  limit: number,
): Promise<OverdueRun[]> {
  const { results, meta } = await db
    .prepare(
      `SELECT run_id AS runId, due_at AS dueAt, queued_at AS queuedAt FROM runs INDEXED BY runs_by_due
       WHERE environment_id = ?1 AND due_at IS NOT NULL AND due_at < ?2 ORDER BY due_at LIMIT ?3`,
    )
    .bind(environmentId, time, limit)
    .all<OverdueRun>();
  countD1(meta);
  return results;
}

/** A run that was asked, and when it is asked again: ms since 1970. */
export interface PostponedRun extends OverdueRun {
  readonly until: number;
}

// A run that has reported since then has said itself when it is due. Joined with its rows the planner would walk all unfinished runs.
const POSTPONE = `UPDATE runs
  SET due_at = (SELECT value->>2 FROM json_each(?2) WHERE value->>0 = runs.run_id)
  WHERE (environment_id, run_id, due_at) IN (SELECT ?1, value->>0, value->>1 FROM json_each(?2))`;

/** Notes when runs are asked again. */
export async function postponeRuns(
  db: D1Database,
  environmentId: string,
  runs: readonly PostponedRun[],
): Promise<void> {
  if (runs.length === 0) return;
  const rows = JSON.stringify(runs.map(({ runId, dueAt, until }) => [runId, dueAt, until]));
  const { meta } = await db.prepare(POSTPONE).bind(environmentId, rows).run();
  countD1(meta);
}

/** Removes unfinished runs of which nothing is left but their rows. */
export async function forgetRuns(db: D1Database, environmentId: string, runIds: readonly string[]): Promise<void> {
  if (runIds.length === 0) return;
  const { meta } = await db
    .prepare(
      `DELETE FROM runs
       WHERE environment_id = ?1 AND run_id IN (SELECT value FROM json_each(?2)) AND due_at IS NOT NULL`,
    )
    .bind(environmentId, JSON.stringify(runIds))
    .run();
  countD1(meta);
}
