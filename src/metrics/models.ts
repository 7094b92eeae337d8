/**
 * Calls of models in D1 (OB-12): one row per minute, function and model of a batch. Owns the table's statements. Every call counts once, by the
 * same rule as all activity (`statements.ts`). Every statement names its environment (SE-8); callers have run `ensureSchema`.
 */
import { encodeRow, packRows } from "../history/bulk.ts";
import { notErased } from "../history/erased.ts";
import type { RunRow } from "../history/message.ts";
import { newestOf } from "../history/runs.ts";
import { HISTORY, METRICS } from "../limits.ts";
import { modelKey } from "./contributions.ts";
import { type MetricScope, minutesOf } from "./range.ts";

const SUMS = ["calls", "input_tokens", "output_tokens", "latency"] as const;

/** Of what a run has done only what it had not done when it reported last. */
const added = (place: number) =>
  `SUM((told.value->>${6 + place}) - COALESCE(
     (SELECT before.value->>${place} FROM json_each(runs.activity, '$.ai') AS before WHERE before.key = told.value->>5), 0))`;

const INSERT = `INSERT INTO ai_minutes (environment_id, minute, function_id, model, function_slug, app_id, ${SUMS.join(", ")})
  SELECT told.value->>0, told.value->>1, told.value->>2, told.value->>10, MAX(told.value->>3), MAX(told.value->>4),
    ${SUMS.map((_, place) => added(place)).join(",\n    ")}
  FROM json_each(?1) AS told
    LEFT JOIN runs ON runs.environment_id = told.value->>0 AND runs.run_id = told.value->>11
  WHERE (runs.run_id IS NULL OR told.value->>12 > runs.sequence) AND ${notErased("told.value->>0", "told.value->>11")}
  GROUP BY 1, 2, 3, 4 HAVING ${added(0)} > 0
  ON CONFLICT (environment_id, minute, function_id, model) DO UPDATE SET
    ${SUMS.map((column) => `${column} = ai_minutes.${column} + excluded.${column}`).join(", ")}`;

/** Statements that count the calls of models in these reports, none where there were none; to be run before those that write the reports. */
export function modelStatements(db: D1Database, runs: readonly RunRow[]): D1PreparedStatement[] {
  const rows = newestOf(runs).flatMap((run) =>
    (run.activity ?? []).flatMap(({ minute, ai = [] }) =>
      ai.map(({ model, calls, inputTokens, outputTokens, latency }) => {
        const head = [run.environmentId, minute, run.functionId, run.functionSlug, run.appId, modelKey(minute, model)];
        return encodeRow([...head, calls, inputTokens, outputTokens, latency, model, run.runId, run.sequence]);
      }),
    ),
  );
  return packRows(rows, HISTORY.rowBytes).map((parameter) => db.prepare(INSERT).bind(parameter));
}

/** Calls of one model by one function. Latency in ms, of all of them. */
export type ModelSums = Readonly<Record<(typeof SUMS)[number], number>> & {
  readonly function_id: string;
  readonly function_slug: string;
  readonly app_id: string;
  readonly model: string;
};

/** Sums of a stretch of time by function and model. */
export async function sumsByModel(db: D1Database, environmentId: string, scope: MetricScope): Promise<ModelSums[]> {
  const { first, last } = minutesOf(scope);
  const { results } = await db
    .prepare(
      `SELECT function_id, MAX(function_slug) AS function_slug, MAX(app_id) AS app_id, model,
         ${SUMS.map((column) => `SUM(${column}) AS ${column}`).join(", ")}
       FROM ai_minutes
       WHERE environment_id = ?1 AND minute >= ?2 AND minute <= ?3
         AND (?4 IS NULL OR app_id = ?4) AND (?5 IS NULL OR function_id = ?5)
       GROUP BY function_id, model ORDER BY function_slug, model`,
    )
    .bind(environmentId, first, last, scope.appId, scope.functionId)
    .all<ModelSums>();
  return results;
}

const REMOVE = `DELETE FROM ai_minutes WHERE environment_id = ?1 AND (minute, function_id, model) IN (
  SELECT minute, function_id, model FROM ai_minutes WHERE environment_id = ?1 AND minute < ?2 ORDER BY minute LIMIT ?3)`;

/** Removes counts of minutes that began before `time` (ms), at most `METRICS.removed` rows of them (OB-23). */
export function expireModels(db: D1Database, environmentId: string, time: number): D1PreparedStatement {
  return db.prepare(REMOVE).bind(environmentId, Math.floor(time / METRICS.bucket), METRICS.removed);
}
