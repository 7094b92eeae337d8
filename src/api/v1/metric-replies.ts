/**
 * What `/v1/metrics` takes and answers (OB-16, OB-17). Owns the forms.
 */
import * as z from "zod";
import { METRICS } from "../../limits.ts";
import { moment, text } from "./query.ts";

/** Which figures: `range` before now, or from `from` to `until`. */
export const metricsQuery = z
  .object({
    range: z.enum(["1h", "24h", "7d", "30d"]).default("24h"),
    from: moment,
    until: moment,
    app_id: text,
    function_id: text,
  })
  .refine(({ from, until }) => from === null || until === null || from < until, {
    message: "must be before until",
    path: ["from"],
  })
  .refine(({ from, until }) => (until ?? Date.now()) - (from ?? Number.POSITIVE_INFINITY) <= METRICS.retention, {
    message: "must be at most 90 days before until",
    path: ["from"],
  });

const count = z.number().int();

/** Reply of `/v1/metrics/status`. */
export const statusReply = z.object({ completed: count, failed: count, cancelled: count, skipped: count });

const functionFigures = z.object({
  function_id: z.string(),
  function_slug: z.string(),
  app_id: z.string(),
  triggers: z.array(z.looseObject({})),
  scheduled: count,
  started: count,
  completed: count,
  failed: count,
  cancelled: count,
  /** Of the runs that ended, from 0 to 1; null when none did. */
  failure_rate: z.number().nullable(),
  /** Runs that were queued, by the hour; hours without any are left out. */
  chart: z.array(z.object({ from: z.iso.datetime(), scheduled: count })),
});

/** Reply of `/v1/metrics/functions`. */
export const functionsReply = z.array(functionFigures);

/** Reply of `/v1/metrics/failed-functions`. */
export const failedFunctionsReply = z.array(
  z.object({ function_id: z.string(), function_slug: z.string(), failed: count, ended: count }),
);

const lines = z.array(z.object({ name: z.string(), values: z.array(z.number()) }));

/**
 * Reply of `/v1/metrics/engine`: seconds on average, over time and altogether, how many first calls came within how many seconds, what came late
 * or twice, and what D1 holds.
 */
export const engineReply = z.object({
  interval: count,
  points: z.array(z.iso.datetime()),
  lines,
  first_calls: z.array(z.object({ within_seconds: z.number().nullable(), count })),
  /** On average; null where there was none. */
  event_to_first_call_seconds: z.number().nullable(),
  step_to_step_seconds: z.number().nullable(),
  late_timers: count,
  messages_retried: count,
  replies_discarded: count,
  /** The last three over time; their values stand beside `points`. */
  counts: lines,
  database_bytes: count,
});

/** Reply of the charts. `interval` is ms; the values of a line stand beside `points`. */
export const chartReply = z.object({
  interval: count,
  points: z.array(z.iso.datetime()),
  lines,
  /** Steps that may execute at once; only of `concurrency`, null without a ceiling. */
  ceiling: z.number().nullable().optional(),
});
