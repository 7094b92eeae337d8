/**
 * The runs of a function that may be unfinished, as history knows them: the newest are not there yet. Owns the queries for them.
 * Guarantees that a page costs a bounded number of rows, however many runs have ended. Callers have run `ensureSchema`.
 */
import type { CancelCause } from "../decide/run/flow.ts";
import type { RunStatus } from "./message.ts";
import { isFinal } from "./status.ts";

/** A run as the scan sees it. */
export interface ScannedRun {
  readonly runId: string;
  /** ms since 1970. */
  readonly queuedAt: number;
  readonly unfinished: boolean;
  readonly cancelReason: CancelCause | null;
  /** Internal id of its first trigger event; null when history does not know any. */
  readonly eventId: string | null;
}

interface ScannedRecord {
  readonly run_id: string;
  readonly queued_at: number;
  readonly status: RunStatus;
  readonly cancel_reason: string | null;
  readonly event_id: string | null;
}

/** How many runs of a function are unfinished. */
export async function countUnfinished(db: D1Database, environmentId: string, functionId: string): Promise<number> {
  const count = await db
    .prepare("SELECT COUNT(*) AS count FROM runs WHERE environment_id = ?1 AND due_at IS NOT NULL AND function_id = ?2")
    .bind(environmentId, functionId)
    .first<number>("count");
  return count ?? 0;
}

/** Up to `limit` runs of a function, ended ones included, in the order of their ids, which follow `cursor`. */
export async function scanRuns(
  db: D1Database,
  environmentId: string,
  functionId: string,
  { cursor, limit }: { readonly cursor: string | null; readonly limit: number },
): Promise<ScannedRun[]> {
  const { results } = await db
    .prepare(
      `SELECT run_id, queued_at, status, cancel_reason, event_ids->>0 AS event_id FROM runs INDEXED BY runs_by_function
       WHERE environment_id = ?1 AND function_id = ?2 AND run_id > ?3 ORDER BY run_id LIMIT ?4`,
    )
    .bind(environmentId, functionId, cursor ?? "", limit)
    .all<ScannedRecord>();
  return results.map((record) => ({
    runId: record.run_id,
    queuedAt: record.queued_at,
    unfinished: !isFinal(record.status),
    // Written by `runs.ts` from a value of this type.
    cancelReason: record.cancel_reason === null ? null : (JSON.parse(record.cancel_reason) as CancelCause),
    eventId: record.event_id,
  }));
}
