/**
 * Contributions into D1: one row per minute and function of a batch, whatever the number of its runs.
 * Guarantees that each fact counts once, however often and in whatever order reports of it arrive: the statement holds every contribution
 * against what is stored, in the same transaction and before the reports themselves are written.
 */
import { encodeRow, packRows } from "../history/bulk.ts";
import { notErased } from "../history/erased.ts";
import { distinctEvents } from "../history/events.ts";
import type { RunRow } from "../history/message.ts";
import { newestOf } from "../history/runs.ts";
import { HISTORY, METRICS } from "../limits.ts";
import { COLUMNS, COUNTS } from "./columns.ts";
import { type Contribution, type CountedEvent, eventContributions, runContributions } from "./contributions.ts";

const KEY = ["environment_id", "minute", "function_id", "function_slug", "app_id"] as const;
/** What precedes the counts in a row of the parameter. */
const HEAD = [...KEY, "news", "subject", "sequence"] as const;

// Of what a run has done only what it had not done when it reported last.
const added = (column: string, place: number) =>
  `SUM((told.value->>${place}) - CASE WHEN told.value->>5 = 'active'
    THEN COALESCE(runs.activity->>('$.m' || (told.value->>1) || '.${column}'), 0) ELSE 0 END)`;

const INSERT = `INSERT INTO metric_minutes (${[...KEY, ...COLUMNS].join(", ")})
  SELECT told.value->>0, told.value->>1, told.value->>2, MAX(told.value->>3), MAX(told.value->>4),
    ${COLUMNS.map((column, i) => added(column, HEAD.length + i)).join(",\n    ")}
  FROM json_each(?1) AS told
    LEFT JOIN runs ON told.value->>5 IN ('created', 'started', 'ended', 'active')
      AND runs.environment_id = told.value->>0 AND runs.run_id = told.value->>6
    LEFT JOIN events ON told.value->>5 IN ('received', 'routed')
      AND events.environment_id = told.value->>0 AND events.internal_id = told.value->>6
  WHERE CASE told.value->>5
    WHEN 'created' THEN runs.run_id IS NULL
    WHEN 'started' THEN runs.run_id IS NULL OR (runs.started_at IS NULL AND told.value->>7 > runs.sequence)
    WHEN 'ended' THEN runs.run_id IS NULL OR (runs.ended_at IS NULL AND told.value->>7 > runs.sequence)
    WHEN 'active' THEN runs.run_id IS NULL OR told.value->>7 > runs.sequence
    WHEN 'received' THEN events.internal_id IS NULL
    WHEN 'routed' THEN events.internal_id IS NULL OR events.routed = 0
    WHEN 'always' THEN true
  END AND ${notErased("told.value->>0", "told.value->>6")}
  GROUP BY 1, 2, 3
  ON CONFLICT (environment_id, minute, function_id) DO UPDATE SET
    app_id = CASE WHEN excluded.app_id = '' THEN metric_minutes.app_id ELSE excluded.app_id END,
    ${COLUMNS.map((column) => `${column} = metric_minutes.${column} + excluded.${column}`).join(", ")}`;

/** Statements that count; to be run in one `batch()` before those that write the same reports. */
export function metricStatements(
  db: D1Database,
  events: readonly CountedEvent[],
  runs: readonly RunRow[],
): D1PreparedStatement[] {
  return countStatements(db, [
    ...newestOf(runs).flatMap(runContributions),
    ...distinctEvents(events).flatMap(eventContributions),
  ]);
}

/** Statements that count these contributions, those that are news. */
export function countStatements(db: D1Database, contributions: readonly Contribution[]): D1PreparedStatement[] {
  const rows = contributions.map((contribution) => encodeRow(rowOf(contribution)));
  return packRows(rows, HISTORY.rowBytes).map((parameter) => db.prepare(INSERT).bind(parameter));
}

function rowOf(contribution: Contribution): (string | number)[] {
  const { environmentId, minute, functionId, functionSlug, appId, news, of, sequence, counts, latency } = contribution;
  return [
    environmentId,
    minute,
    functionId,
    functionSlug,
    appId,
    news,
    of,
    sequence,
    ...COUNTS.map((count) => counts[count] ?? 0),
    ...METRICS.latencies.map((bound) => (latency !== null && latency <= bound ? 1 : 0)),
  ];
}

const REMOVE = `DELETE FROM metric_minutes WHERE environment_id = ?1 AND (minute, function_id) IN (
  SELECT minute, function_id FROM metric_minutes WHERE environment_id = ?1 AND minute < ?2 ORDER BY minute LIMIT ?3)`;

/** Removes counts of minutes that began before `time` (ms), at most `METRICS.removed` rows of them (OB-23). */
export function expireMetrics(db: D1Database, environmentId: string, time: number): D1PreparedStatement {
  return db.prepare(REMOVE).bind(environmentId, Math.floor(time / METRICS.bucket), METRICS.removed);
}
