/**
 * The counts of metrics and their names in D1. Pure. Owns the list: a count that is added here needs a column of `metric_minutes`.
 */
import { METRICS } from "../limits.ts";

/** What is counted. Lengths of time are ms. */
export const COUNTS = [
  "received",
  "scheduled",
  "started",
  "completed",
  "failed",
  "cancelled",
  "skipped",
  "rate_limited",
  "dropped",
  "calls_scheduled",
  "calls_succeeded",
  "calls_errored",
  "calls_failed",
  "steps",
  "step_bytes",
  "busy",
  "latency",
  "step_calls",
  "step_latency",
  "late_timers",
  "messages_retried",
  "replies_discarded",
] as const;

/** One count. */
export type Count = (typeof COUNTS)[number];

/** A column of the histogram: runs whose first call came within so many ms. */
type Within = `within_${number}`;

/** A column that is added up. */
export type Column = Count | Within;

/** The columns of the histogram from event to first call, in the order of `METRICS.latencies`. */
export const WITHIN: readonly Within[] = METRICS.latencies.map((bound): Within => `within_${bound}`);

/** All columns that are added up. */
export const COLUMNS: readonly Column[] = [...COUNTS, ...WITHIN];
