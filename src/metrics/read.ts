/**
 * Counts out of D1: sums of a stretch of time, by function and by point of a chart (OB-16, OB-17). Owns these queries.
 * Every statement names its environment (SE-8); callers have run `ensureSchema`.
 */
import { METRICS } from "../limits.ts";
import type { Count } from "./columns.ts";
import { type MetricScope, type Minutes, minutesOf } from "./range.ts";

/** Sums of one function. */
export type FunctionSums<Name extends string> = Readonly<Record<Name, number>> & {
  readonly function_id: string;
  readonly function_slug: string;
};

/** Sums of one app at one point of a chart; `slot` counts intervals since 1970. */
export type PointSums<Name extends string> = Readonly<Record<Name, number>> & {
  readonly slot: number;
  readonly app_id: string;
};

const WHERE = `environment_id = ?1 AND minute >= ?2 AND minute <= ?3
  AND (?4 IS NULL OR app_id = ?4) AND (?5 IS NULL OR function_id = ?5)`;

function scoped(db: D1Database, query: string, environmentId: string, scope: MetricScope, minutes: Minutes) {
  return db.prepare(query).bind(environmentId, minutes.first, minutes.last, scope.appId, scope.functionId);
}

/** Counts and columns by function; `columns` are constants of the caller. */
export async function sumsByFunction<Name extends string>(
  db: D1Database,
  environmentId: string,
  scope: MetricScope,
  columns: readonly Name[],
): Promise<FunctionSums<Name>[]> {
  const sums = columns.map((column) => `SUM(${column}) AS ${column}`).join(", ");
  const query = `SELECT function_id, MAX(function_slug) AS function_slug, ${sums} FROM metric_minutes
    WHERE ${WHERE} GROUP BY function_id ORDER BY function_slug`;
  const { results } = await scoped(db, query, environmentId, scope, minutesOf(scope)).all<FunctionSums<Name>>();
  return results;
}

/**
 * Counts by app and point of a chart; points where nothing was counted are left out. `functionless`: with what concerns no function, and so
 * no app.
 */
export async function sumsByPoint<Name extends Count>(
  db: D1Database,
  environmentId: string,
  scope: MetricScope,
  columns: readonly Name[],
  { functionless = false }: { readonly functionless?: boolean } = {},
): Promise<PointSums<Name>[]> {
  const minutes = minutesOf(scope);
  const sums = columns.map((column) => `SUM(${column}) AS ${column}`).join(", ");
  const query = `SELECT minute / ${minutes.interval} AS slot, app_id, ${sums} FROM metric_minutes
    WHERE ${WHERE} ${functionless ? "" : "AND function_id <> ''"} GROUP BY slot, app_id ORDER BY slot`;
  const { results } = await scoped(db, query, environmentId, scope, minutes).all<PointSums<Name>>();
  return results;
}

/** Runs that were queued, by function and hour; hours count from 1970. */
export async function runsByHour(
  db: D1Database,
  environmentId: string,
  scope: MetricScope,
): Promise<{ readonly function_id: string; readonly hour: number; readonly scheduled: number }[]> {
  const query = `SELECT function_id, minute / 60 AS hour, SUM(scheduled) AS scheduled FROM metric_minutes
    WHERE ${WHERE} AND scheduled > 0 GROUP BY 1, 2`;
  const { results } = await scoped(db, query, environmentId, scope, minutesOf(scope)).all<{
    function_id: string;
    hour: number;
    scheduled: number;
  }>();
  return results;
}

/** Bytes of the whole database, every environment's. */
export async function databaseBytes(db: D1Database): Promise<number> {
  const { meta } = await db.prepare("SELECT 1").all();
  return meta.size_after;
}

/** Counts by day (`YYYY-MM-DD`, UTC) and function, of the minutes from `from` (ms) on. */
export async function sumsByDay<Name extends string>(
  db: D1Database,
  environmentId: string,
  from: number,
  columns: readonly Name[],
): Promise<(FunctionSums<Name> & { readonly date: string })[]> {
  const sums = columns.map((column) => `SUM(${column}) AS ${column}`).join(", ");
  const { results } = await db
    .prepare(
      `SELECT date(minute * 60, 'unixepoch') AS date, function_id, MAX(function_slug) AS function_slug, ${sums}
       FROM metric_minutes WHERE environment_id = ?1 AND minute >= ?2 GROUP BY 1, 2 ORDER BY 1, 3`,
    )
    .bind(environmentId, Math.floor(from / METRICS.bucket))
    .all<FunctionSums<Name> & { readonly date: string }>();
  return results;
}
