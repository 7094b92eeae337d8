/**
 * Runs in D1: a projection of what their objects report, for lists and for runs whose object is gone.
 * Guarantees that the newest report wins, whatever the order of arrival (faults.md I6). Every statement names its environment (SE-8);
 * callers have run `ensureSchema`.
 */
import type { CancelCause } from "../decide/run/flow.ts";
import type { Json } from "../json.ts";
import { HISTORY } from "../limits.ts";
import { activityByMinute } from "../metrics/contributions.ts";
import { type EncodedRow, encodeRow, packRows, type Row } from "./bulk.ts";
import { notErased } from "./erased.ts";
import type { RunRow, RunStatus } from "./message.ts";
import { isFinal } from "./status.ts";

/** The columns of a {@link RunRecord}. */
export const RUN_COLUMNS = `run_id, app_id, function_id, function_slug, function_version, status, queued_at, started_at, ended_at, event_ids,
  event_name, original_run_id, parent_run_id, cron, cancel_reason, skip_reason, output, sequence, replay_id`;

// Most of what a run is born with never changes, so that a newer report writes one row, and an index entry only while the run is unfinished.
const INSERT = `INSERT INTO runs (environment_id, ${RUN_COLUMNS}, due_at, activity)
  SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8, value->>9,
    value->>10, value->>11, value->>12, value->>13, value->>14, value->>15, value->>16, value->>17, value->>18, value->>19,
    value->>20, value->>21
  FROM json_each(?1) WHERE ${notErased("value->>0", "value->>1")}
  ON CONFLICT (environment_id, run_id) DO UPDATE
  SET status = excluded.status, started_at = excluded.started_at, ended_at = excluded.ended_at,
    function_version = excluded.function_version, queued_at = excluded.queued_at, event_ids = excluded.event_ids,
    cancel_reason = excluded.cancel_reason, skip_reason = excluded.skip_reason, output = excluded.output,
    sequence = excluded.sequence, due_at = excluded.due_at,
    activity = excluded.activity
  WHERE excluded.sequence > runs.sequence`;

/** Statements that write runs, one per `HISTORY.rowBytes` of them; to be run in one `batch()`. */
export function runStatements(db: D1Database, runs: readonly RunRow[]): D1PreparedStatement[] {
  const rows = newestOf(runs).map(encodeRun);
  return packRows(rows, HISTORY.rowBytes).map((parameter) => db.prepare(INSERT).bind(parameter));
}

/** The newest report of each run. */
export function newestOf(runs: readonly RunRow[]): RunRow[] {
  const newest = new Map<string, RunRow>();
  for (const run of runs) {
    const key = `${run.environmentId} ${run.runId}`;
    if ((newest.get(key)?.sequence ?? Number.NEGATIVE_INFINITY) < run.sequence) newest.set(key, run);
  }
  return [...newest.values()];
}

/** An output that does not fit is left to the run's object; an unfinished run has none, unlike one that returned `null`. */
function encodeRun(run: RunRow): EncodedRow {
  const row = encodeRow(runValues(run, isFinal(run.status) ? JSON.stringify(run.output) : null));
  return row.bytes + 2 <= HISTORY.rowBytes ? row : encodeRow(runValues(run, null));
}

function runValues(run: RunRow, output: string | null): Row {
  return [
    run.environmentId,
    run.runId,
    run.appId,
    run.functionId,
    run.functionSlug,
    run.functionVersion,
    run.status,
    run.queuedAt,
    run.startedAt,
    run.endedAt,
    JSON.stringify(run.eventIds),
    run.eventName,
    run.originalRunId,
    run.parentRunId,
    run.cron,
    run.cancelReason === null ? null : JSON.stringify(run.cancelReason),
    run.skipReason,
    output,
    run.sequence,
    // A report that another version of the Worker sent may lack it.
    run.replayId ?? null,
    // One that does not say when is looked at soon.
    isFinal(run.status) ? null : (run.dueAt ?? run.queuedAt),
    run.activity === undefined ? null : JSON.stringify(activityByMinute(run.activity)),
  ];
}

/** Which runs a list shows (API-10). Ids are UUIDs; times are ms since 1970, `from` ≤ time < `until`. */
export interface RunFilter {
  /** Empty: any status. */
  readonly statuses: readonly RunStatus[];
  readonly appId: string | null;
  readonly functionId: string | null;
  readonly from: number | null;
  readonly until: number | null;
  readonly timeField: "queued_at" | "started_at" | "ended_at";
  /** Only runs that are calls put off to another's end (EX-71), or only others; null or absent: both. */
  readonly deferred?: boolean | null;
}

/** A run as history knows it, which may lag behind its object; null when there is none. */
export async function findRun(db: D1Database, environmentId: string, runId: string): Promise<RunRow | null> {
  const record = await db
    .prepare(`SELECT ${RUN_COLUMNS} FROM runs WHERE environment_id = ?1 AND run_id = ?2`)
    .bind(environmentId, runId)
    .first<RunRecord>();
  return record === null ? null : restoreRun(environmentId, record);
}

/** A row of the table. */
export interface RunRecord {
  readonly run_id: string;
  readonly app_id: string;
  readonly function_id: string;
  readonly function_slug: string;
  readonly function_version: number;
  readonly status: RunStatus;
  readonly queued_at: number;
  readonly started_at: number | null;
  readonly ended_at: number | null;
  readonly event_ids: string;
  readonly event_name: string;
  readonly original_run_id: string | null;
  readonly replay_id: string | null;
  readonly parent_run_id: string | null;
  readonly cron: string | null;
  readonly cancel_reason: string | null;
  readonly skip_reason: string | null;
  readonly output: string | null;
  readonly sequence: number;
}

/** A run as it was stored. */
export function restoreRun(environmentId: string, record: RunRecord): RunRow {
  return {
    environmentId,
    runId: record.run_id,
    appId: record.app_id,
    functionId: record.function_id,
    functionSlug: record.function_slug,
    functionVersion: record.function_version,
    status: record.status,
    queuedAt: record.queued_at,
    startedAt: record.started_at,
    endedAt: record.ended_at,
    // All three texts were made by `encodeRun` from values of these types.
    eventIds: JSON.parse(record.event_ids) as string[],
    eventName: record.event_name,
    originalRunId: record.original_run_id,
    replayId: record.replay_id,
    parentRunId: record.parent_run_id,
    cron: record.cron,
    cancelReason: record.cancel_reason === null ? null : (JSON.parse(record.cancel_reason) as CancelCause),
    skipReason: record.skip_reason,
    output: record.output === null ? null : (JSON.parse(record.output) as Json),
    sequence: record.sequence,
  };
}
