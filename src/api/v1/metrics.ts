/**
 * `/v1/metrics` (OB-16 … OB-18): figures of functions, event names and of the environment over time. Owns these routes; counting is
 * `metrics/`'.
 */
import { Hono } from "hono";
import { catalogOf } from "../../apps/catalog.ts";
import { METRICS } from "../../limits.ts";
import { backlog, byApp, concurrency, requests } from "../../metrics/charts.ts";
import { unfinishedRuns } from "../../metrics/gauges.ts";
import { minutesOf } from "../../metrics/range.ts";
import { runsByHour, sumsByFunction, sumsByPoint } from "../../metrics/read.ts";
import type { Api } from "../api.ts";
import { authenticate } from "../authentication.ts";
import { database } from "../database.ts";
import { described } from "../openapi/described.ts";
import { chartJson, points, scopeOf } from "./metric-points.ts";
import { chartReply, failedFunctionsReply, functionsReply, metricsQuery, statusReply } from "./metric-replies.ts";
import { one, reply } from "./reply.ts";
import { isoTime } from "./time.ts";

const HOUR = 60 * 60 * 1000;

/** The routes, below `/v1`. */
export const metrics = new Hono<Api>();

metrics.get(
  "/v1/metrics/status",
  described({
    id: "getStatusShares",
    summary: "Runs that ended, by status.",
    query: metricsQuery,
    answers: { 200: one(statusReply) },
  }),
  authenticate,
  database,
  async (context) => {
    const columns = ["completed", "failed", "cancelled", "skipped"] as const;
    const rows = await sumsByFunction(context.env.DB, context.get("environment").id, scopeOf(context), columns);
    const sum = (name: (typeof columns)[number]) => rows.reduce((total, row) => total + row[name], 0);
    const [completed, failed, cancelled, skipped] = columns.map(sum);
    return reply(context, { completed, failed, cancelled, skipped });
  },
);

metrics.get(
  "/v1/metrics/failed-functions",
  described({
    id: "getFailedFunctions",
    summary: "The functions with most failed runs.",
    query: metricsQuery,
    answers: { 200: one(failedFunctionsReply) },
  }),
  authenticate,
  database,
  async (context) => {
    const columns = ["completed", "failed", "cancelled"] as const;
    const rows = await sumsByFunction(context.env.DB, context.get("environment").id, scopeOf(context), columns);
    const worst = rows
      .filter(({ failed }) => failed > 0)
      .sort((a, b) => b.failed - a.failed || (a.function_slug < b.function_slug ? -1 : 1))
      .slice(0, METRICS.failedFunctions);
    return reply(
      context,
      worst.map(({ function_id, function_slug, completed, failed, cancelled }) => {
        return { function_id, function_slug, failed, ended: completed + failed + cancelled };
      }),
    );
  },
);

metrics.get(
  "/v1/metrics/functions",
  described({
    id: "getFunctionFigures",
    summary: "Runs and failures of every function.",
    query: metricsQuery,
    answers: { 200: one(functionsReply) },
  }),
  authenticate,
  database,
  async (context) => {
    const environmentId = context.get("environment").id;
    const scope = scopeOf(context);
    const columns = ["scheduled", "started", "completed", "failed", "cancelled"] as const;
    const [catalog, sums, hours] = await Promise.all([
      catalogOf(context.env, environmentId, Date.now()),
      sumsByFunction(context.env.DB, environmentId, scope, columns),
      runsByHour(context.env.DB, environmentId, scope),
    ]);
    const known = catalog.functions.filter(
      ({ id, app }) =>
        (scope.functionId === null || scope.functionId === id) && (scope.appId === null || scope.appId === app.id),
    );
    const figures = known.map(({ id, slug, app, configuration }) => {
      const found = sums.find(({ function_id }) => function_id === id);
      const { scheduled = 0, started = 0, completed = 0, failed = 0, cancelled = 0 } = found ?? {};
      const ended = completed + failed + cancelled;
      return {
        function_id: id,
        function_slug: slug,
        app_id: app.id,
        triggers: configuration.triggers.map(({ kind: _kind, ...trigger }) => trigger),
        scheduled,
        started,
        completed,
        failed,
        cancelled,
        failure_rate: ended === 0 ? null : failed / ended,
        chart: hours
          .filter(({ function_id }) => function_id === id)
          .map(({ hour, scheduled: queued }) => ({ from: isoTime(hour * HOUR), scheduled: queued })),
      };
    });
    return reply(context, figures);
  },
);

metrics.get(
  "/v1/metrics/runs",
  described({
    id: "getRunThroughput",
    summary: "Runs started over time, by app.",
    query: metricsQuery,
    answers: { 200: one(chartReply) },
  }),
  authenticate,
  database,
  async (context) => {
    const { sums, minutes } = await points(context, scopeOf(context), ["started"]);
    return reply(context, chartJson(byApp(sums, minutes, "started")));
  },
);

metrics.get(
  "/v1/metrics/steps",
  described({
    id: "getStepThroughput",
    summary: "Steps ended over time, by app.",
    query: metricsQuery,
    answers: { 200: one(chartReply) },
  }),
  authenticate,
  database,
  async (context) => {
    const { sums, minutes } = await points(context, scopeOf(context), ["steps"]);
    return reply(context, chartJson(byApp(sums, minutes, "steps")));
  },
);

metrics.get(
  "/v1/metrics/requests",
  described({
    id: "getRequestThroughput",
    summary: "Calls of apps over time.",
    query: metricsQuery,
    answers: { 200: one(chartReply) },
  }),
  authenticate,
  database,
  async (context) => {
    const columns = ["calls_scheduled", "calls_succeeded", "calls_errored", "calls_failed"] as const;
    const { sums, minutes } = await points(context, scopeOf(context), columns);
    return reply(context, chartJson(requests(sums, minutes)));
  },
);

metrics.get(
  "/v1/metrics/concurrency",
  described({
    id: "getConcurrency",
    summary: "Executing steps over time.",
    query: metricsQuery,
    answers: { 200: one(chartReply) },
  }),
  authenticate,
  database,
  async (context) => {
    const { sums, minutes } = await points(context, scopeOf(context), ["busy"]);
    return reply(context, {
      ...chartJson(concurrency(sums, minutes)),
      ceiling: context.get("settings").maxConcurrency,
    });
  },
);

metrics.get(
  "/v1/metrics/backlog",
  described({
    id: "getBacklog",
    summary: "Runs that waited to begin over time, by app.",
    query: metricsQuery,
    answers: { 200: one(chartReply) },
  }),
  authenticate,
  database,
  async (context) => {
    const environmentId = context.get("environment").id;
    const now = Date.now();
    const scope = scopeOf(context);
    const columns = ["scheduled", "started", "dropped"] as const;
    // It is counted backwards from now, whatever was asked for.
    const whole = { ...scope, until: Math.max(scope.until, now) };
    const [sums, unfinished] = await Promise.all([
      sumsByPoint(context.env.DB, environmentId, whole, columns),
      unfinishedRuns(context.env.DB, environmentId, now),
    ]);
    const waiting = new Map<string, number>();
    for (const { app_id, function_id, queued } of unfinished) {
      if (scope.functionId !== null && scope.functionId !== function_id) continue;
      if (scope.appId !== null && scope.appId !== app_id) continue;
      waiting.set(app_id, (waiting.get(app_id) ?? 0) + queued);
    }
    return reply(context, chartJson(backlog(sums, minutesOf(whole), waiting)));
  },
);
