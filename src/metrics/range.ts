/**
 * Stretches of time that figures are asked for (OB-17). Pure. Owns how long the points of a chart are, so that none has too many.
 */
import { METRICS } from "../limits.ts";

/** Which counts are meant. Times are ms since 1970, `from` ≤ time < `until`. */
export interface MetricScope {
  readonly from: number;
  readonly until: number;
  readonly appId: string | null;
  readonly functionId: string | null;
}

/** The minutes of a stretch: first and last one, and how many of them a point of its chart stands for. */
export interface Minutes {
  readonly first: number;
  readonly last: number;
  readonly interval: number;
}

/** The minutes that a stretch of time touches. */
export function minutesOf({ from, until }: Pick<MetricScope, "from" | "until">): Minutes {
  const first = Math.floor(from / METRICS.bucket);
  const last = Math.max(first, Math.ceil(until / METRICS.bucket) - 1);
  const wanted = (last - first + 1) / METRICS.points;
  const interval = METRICS.intervals.find((minutes) => minutes >= wanted) ?? METRICS.intervals.at(-1) ?? 1;
  return { first, last, interval };
}

/** The beginning of each point of a chart, ms; points begin at whole intervals. */
export function pointsOf({ first, last, interval }: Minutes): number[] {
  const points: number[] = [];
  for (let slot = Math.floor(first / interval); slot <= Math.floor(last / interval); slot++) {
    points.push(slot * interval * METRICS.bucket);
  }
  return points;
}
