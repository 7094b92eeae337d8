/**
 * What the routes of `/v1/metrics` have in common: the stretch of time that is asked for, and charts as they are answered. Owns both.
 */
import type { Context } from "hono";
import type { Chart } from "../../metrics/charts.ts";
import { type MetricScope, minutesOf } from "../../metrics/range.ts";
import { sumsByPoint } from "../../metrics/read.ts";
import type { Api } from "../api.ts";
import { metricsQuery } from "./metric-replies.ts";
import { parseQuery } from "./query.ts";
import { isoTime } from "./time.ts";

const HOUR = 60 * 60 * 1000;
const RANGES = { "1h": HOUR, "24h": 24 * HOUR, "7d": 7 * 24 * HOUR, "30d": 30 * 24 * HOUR } as const;

/** What a request asks for. Throws `invalid_request`. */
export function scopeOf(context: Context<Api>): MetricScope {
  const { range, from, until, app_id, function_id } = parseQuery(metricsQuery, context.req.query());
  const end = until ?? Date.now();
  return { from: from ?? end - RANGES[range], until: end, appId: app_id, functionId: function_id };
}

/** Sums for a chart. */
export async function points<Name extends Parameters<typeof sumsByPoint>[3][number]>(
  context: Context<Api>,
  scope: MetricScope,
  columns: readonly Name[],
) {
  const sums = await sumsByPoint(context.env.DB, context.get("environment").id, scope, columns);
  return { sums, minutes: minutesOf(scope) };
}

/** A chart as it is answered. */
export function chartJson({ points: begins, interval, lines }: Chart) {
  return { interval, points: begins.map(isoTime), lines };
}
