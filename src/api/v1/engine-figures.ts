/**
 * `/v1/metrics/engine` (OB-19): how the engine itself does. Owns the route.
 */
import { Hono } from "hono";
import { METRICS } from "../../limits.ts";
import { counted, engineLatencies } from "../../metrics/charts.ts";
import { WITHIN } from "../../metrics/columns.ts";
import { minutesOf } from "../../metrics/range.ts";
import { databaseBytes, sumsByFunction, sumsByPoint } from "../../metrics/read.ts";
import type { Api } from "../api.ts";
import { authenticate } from "../authentication.ts";
import { database } from "../database.ts";
import { described } from "../openapi/described.ts";
import { chartJson, scopeOf } from "./metric-points.ts";
import { engineReply, metricsQuery } from "./metric-replies.ts";
import { one, reply } from "./reply.ts";

const TIMES = ["latency", "started", "step_latency", "step_calls"] as const;
const MISHAPS = ["late_timers", "messages_retried", "replies_discarded"] as const;

/** The route, below `/v1`. */
export const engineFigures = new Hono<Api>();

engineFigures.get(
  "/v1/metrics/engine",
  described({
    id: "getEngineFigures",
    summary: "How soon the engine calls, what came late or twice, and how large the database is.",
    query: metricsQuery,
    answers: { 200: one(engineReply) },
  }),
  authenticate,
  database,
  async (context) => {
    const { DB } = context.env;
    const { id } = context.get("environment");
    const scope = scopeOf(context);
    const [sums, totals, bytes] = await Promise.all([
      sumsByPoint(DB, id, scope, [...TIMES, ...MISHAPS], { functionless: true }),
      sumsByFunction(DB, id, scope, [...WITHIN, ...TIMES, ...MISHAPS]),
      databaseBytes(DB),
    ]);
    const total = (column: (typeof WITHIN | typeof TIMES | typeof MISHAPS)[number]) =>
      totals.reduce((sum, row) => sum + (row[column] ?? 0), 0);
    const average = (length: number, number: number) => (number === 0 ? null : length / number / 1000);
    const calls = METRICS.latencies.map((bound) => ({
      within_seconds: bound / 1000,
      count: total(`within_${bound}`),
    }));
    const minutes = minutesOf(scope);
    return reply(context, {
      ...chartJson(engineLatencies(sums, minutes)),
      first_calls: [...calls, { within_seconds: null, count: total("started") }],
      event_to_first_call_seconds: average(total("latency"), total("started")),
      step_to_step_seconds: average(total("step_latency"), total("step_calls")),
      late_timers: total("late_timers"),
      messages_retried: total("messages_retried"),
      replies_discarded: total("replies_discarded"),
      counts: MISHAPS.map((name) => counted(sums, minutes, name)),
      database_bytes: bytes,
    });
  },
);
