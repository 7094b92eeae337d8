/**
 * The charts of OB-17 out of counts. Pure. Owns what each chart adds up and how points without counts are filled.
 */
import { METRICS } from "../limits.ts";
import type { Count } from "./columns.ts";
import { type Minutes, pointsOf } from "./range.ts";
import type { PointSums } from "./read.ts";

/** One line of a chart: an app's, or a named one. `values` stand beside the chart's points. */
interface Line {
  readonly name: string;
  readonly values: readonly number[];
}

/** A chart: when its points begin, ms since 1970, how long each is, ms, and its lines. */
export interface Chart {
  readonly points: readonly number[];
  readonly interval: number;
  readonly lines: readonly Line[];
}

/** A line per app of one count. */
export function byApp<Name extends Count>(sums: readonly PointSums<Name>[], minutes: Minutes, count: Name): Chart {
  const apps = [...new Set(sums.map(({ app_id }) => app_id))].sort();
  const lines = apps.map((app) => {
    return {
      name: app,
      values: valuesOf(
        sums.filter(({ app_id }) => app_id === app),
        minutes,
        (sum) => sum[count],
      ),
    };
  });
  return chart(minutes, lines);
}

/** Calls of apps: those that were queued, were made, have ended. */
export function requests(
  sums: readonly PointSums<"calls_scheduled" | "calls_succeeded" | "calls_errored" | "calls_failed">[],
  minutes: Minutes,
): Chart {
  const ended = valuesOf(sums, minutes, (sum) => sum.calls_succeeded + sum.calls_errored + sum.calls_failed);
  return chart(minutes, [
    { name: "queued", values: valuesOf(sums, minutes, (sum) => sum.calls_scheduled) },
    // What was made shows itself when it has ended.
    { name: "started", values: ended },
    { name: "ended", values: ended },
  ]);
}

/** Seconds from an event to the first call of its run, and from a step to the call that follows it, on average; 0 where there was none. */
export function engineLatencies(
  sums: readonly PointSums<"latency" | "started" | "step_latency" | "step_calls">[],
  minutes: Minutes,
): Chart {
  const average = (length: "latency" | "step_latency", number: "started" | "step_calls") => {
    const numbers = valuesOf(sums, minutes, (sum) => sum[number]);
    const total = valuesOf(sums, minutes, (sum) => sum[length]);
    return total.map((ms, i) => (numbers[i] ? ms / numbers[i] / 1000 : 0));
  };
  return chart(minutes, [
    { name: "event_to_first_call", values: average("latency", "started") },
    { name: "step_to_step", values: average("step_latency", "step_calls") },
  ]);
}

/** One count over time, of all apps together. */
export function counted<Name extends Count>(sums: readonly PointSums<Name>[], minutes: Minutes, count: Name): Line {
  return { name: count, values: valuesOf(sums, minutes, (sum) => sum[count]) };
}

/** Executing steps on average: what calls took, over how long a point is. */
export function concurrency(sums: readonly PointSums<"busy">[], minutes: Minutes): Chart {
  const length = minutes.interval * METRICS.bucket;
  return chart(minutes, [
    { name: "executing", values: valuesOf(sums, minutes, (sum) => sum.busy).map((busy) => Math.max(0, busy) / length) },
  ]);
}

/**
 * Runs that waited at the end of each point, by app: known for this moment (`waiting`), and counted backwards from it by what came and left.
 * `sums` must reach to this moment.
 */
export function backlog(
  sums: readonly PointSums<"scheduled" | "started" | "dropped">[],
  minutes: Minutes,
  waiting: ReadonlyMap<string, number>,
): Chart {
  const apps = [...new Set([...sums.map(({ app_id }) => app_id), ...waiting.keys()])].sort();
  const lines = apps.map((app) => {
    const own = sums.filter(({ app_id }) => app_id === app);
    const change = valuesOf(own, minutes, (sum) => sum.scheduled - sum.started - sum.dropped);
    let now = waiting.get(app) ?? 0;
    const values = change
      .toReversed()
      .map((difference) => {
        const then = now;
        now -= difference;
        return Math.max(0, then);
      })
      .reverse();
    return { name: app, values };
  });
  return chart(minutes, lines);
}

function chart(minutes: Minutes, lines: readonly Line[]): Chart {
  return { points: pointsOf(minutes), interval: minutes.interval * METRICS.bucket, lines };
}

function valuesOf<Sum extends { readonly slot: number }>(
  sums: readonly Sum[],
  minutes: Minutes,
  value: (sum: Sum) => number,
): number[] {
  const bySlot = new Map<number, number>();
  for (const sum of sums) bySlot.set(sum.slot, (bySlot.get(sum.slot) ?? 0) + value(sum));
  return pointsOf(minutes).map((point) => bySlot.get(point / (minutes.interval * METRICS.bucket)) ?? 0);
}
