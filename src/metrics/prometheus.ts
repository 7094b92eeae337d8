/**
 * Figures in Prometheus' text format, version 0.0.4 (API-28). Pure. Owns names, help texts, types and the order of labels; the first of each
 * line is what the format prescribes.
 */
import { METRICS } from "../limits.ts";
import { type Column, type Count, WITHIN } from "./columns.ts";
import type { Unfinished } from "./gauges.ts";
import type { FunctionSums } from "./read.ts";

/** The counts of one day and function that are shown. */
export type DailySums = FunctionSums<Column> & { readonly date: string };

/** `Content-Type` of the text. */
export const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

type Labels = readonly (readonly [name: string, value: string])[];

interface Sample {
  readonly labels: Labels;
  readonly value: number;
  /** What follows the metric's name: parts of a histogram. */
  readonly suffix?: string;
}

/** The text: every metric of API-28, with its help and type even where there is nothing to show. */
export function prometheusText(days: readonly DailySums[], unfinished: readonly Unfinished[]): string {
  const functions = days.filter(({ function_id }) => function_id !== "");
  const count = (column: Count, extra: Labels = []) =>
    functions.map((day) => ({ labels: [...dated(day), ...extra], value: day[column] }));
  const ends = (columns: Readonly<Record<string, Count>>) =>
    functions.flatMap((day) =>
      Object.entries(columns).map(([status, column]) => ({
        labels: [...dated(day), ["status", status] as const],
        value: day[column],
      })),
    );
  const calls = functions.map((day) => ({
    labels: dated(day),
    value: day.calls_succeeded + day.calls_errored + day.calls_failed,
  }));
  const now = (of: "queued" | "running" | "sleeping") =>
    unfinished.map((fn) => ({ labels: [["fn", fn.function_slug] as const], value: fn[of] }));
  const waiting = unfinished.reduce((sum, { queued }) => sum + queued, 0);
  return [
    metric("inngest_function_run_scheduled_total", "counter", "Runs that were queued.", count("scheduled")),
    metric("inngest_function_run_started_total", "counter", "Runs that made their first call.", count("started")),
    metric(
      "inngest_function_run_ended_total",
      "counter",
      "Runs that ended, by status.",
      ends({ Completed: "completed", Failed: "failed", Cancelled: "cancelled" }),
    ),
    metric(
      "inngest_function_run_rate_limited_total",
      "counter",
      "Runs that a rate limit kept from starting.",
      count("rate_limited"),
    ),
    metric("inngest_sdk_req_scheduled_total", "counter", "Calls of apps that were queued.", count("calls_scheduled")),
    metric("inngest_sdk_req_started_total", "counter", "Calls of apps that were made and have ended.", calls),
    metric(
      "inngest_sdk_req_ended_total",
      "counter",
      "Calls of apps that ended: well, to be retried, or for good.",
      ends({ success: "calls_succeeded", errored: "calls_errored", failed: "calls_failed" }),
    ),
    metric("inngest_step_output_bytes_total", "counter", "Bytes of the results of steps.", count("step_bytes")),
    metric("inngest_steps_scheduled", "gauge", "Runs that have not begun.", now("queued")),
    metric("inngest_steps_running", "gauge", "Runs that are going on.", now("running")),
    metric("inngest_steps_sleeping", "gauge", "Runs that sleep or wait.", now("sleeping")),
    metric("inngest_queue_depth", "gauge", "Runs that wait to begin.", [{ labels: [], value: waiting }]),
    metric("millrace_event_received_total", "counter", "Events that were received.", byDate(days, "received")),
    metric(
      "millrace_event_to_first_call_seconds",
      "histogram",
      "From the event to the first call of its run.",
      latencies(functions),
    ),
    metric(
      "millrace_step_to_step_seconds",
      "summary",
      "From the result of a step to the call that follows it.",
      stepLatencies(functions),
    ),
    metric("millrace_late_timers_total", "counter", "Timers that fired late.", count("late_timers")),
    metric(
      "millrace_messages_retried_total",
      "counter",
      "Messages of the engine's queues that had to be sent or delivered again.",
      byDate(days, "messages_retried"),
    ),
    metric(
      "millrace_replies_discarded_total",
      "counter",
      "Calls of apps whose answer came too late to count.",
      count("replies_discarded"),
    ),
  ].join("");
}

function metric(
  name: string,
  type: "counter" | "gauge" | "histogram" | "summary",
  help: string,
  samples: readonly Sample[],
) {
  const lines = samples.map(({ labels, value, suffix = "" }) => `${name}${suffix}${labelText(labels)} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

function dated({ date, function_slug }: DailySums): Labels {
  return [
    ["date", date],
    ["fn", function_slug],
  ];
}

function byDate(days: readonly DailySums[], column: Count): Sample[] {
  return [...totals(days, [column])].map(([date, [value = 0]]) => ({ labels: [["date", date]], value }));
}

function stepLatencies(days: readonly DailySums[]): Sample[] {
  return [...totals(days, ["step_latency", "step_calls"])].flatMap(([date, [latency = 0, calls = 0]]) => {
    const labels: Labels = [["date", date]];
    return [
      { labels, value: latency / 1000, suffix: "_sum" },
      { labels, value: calls, suffix: "_count" },
    ];
  });
}

function latencies(days: readonly DailySums[]): Sample[] {
  return [...totals(days, [...WITHIN, "started", "latency"])].flatMap(([date, sums]) => {
    const [started = 0, latency = 0] = sums.slice(WITHIN.length);
    const label = ["date", date] as const;
    const buckets = METRICS.latencies.map((bound, i) => ({
      labels: [label, ["le", String(bound / 1000)] as const],
      value: sums[i] ?? 0,
      suffix: "_bucket",
    }));
    return [
      ...buckets,
      { labels: [label, ["le", "+Inf"] as const], value: started, suffix: "_bucket" },
      { labels: [label], value: latency / 1000, suffix: "_sum" },
      { labels: [label], value: started, suffix: "_count" },
    ];
  });
}

/** Sums of columns by date, functions taken together. */
function totals(days: readonly DailySums[], columns: readonly Column[]): Map<string, number[]> {
  const sums = new Map<string, number[]>();
  for (const day of days) {
    const before = sums.get(day.date);
    const values = columns.map((column, i) => (before?.[i] ?? 0) + (day[column] ?? 0));
    sums.set(day.date, values);
  }
  return sums;
}

function labelText(labels: Labels): string {
  if (labels.length === 0) return "";
  return `{${labels.map(([name, value]) => `${name}="${escaped(value)}"`).join(",")}}`;
}

function escaped(value: string): string {
  return value.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n");
}
