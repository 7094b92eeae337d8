/**
 * Limits of metrics. Each number with its unit and its reason.
 */
import { DAY, MINUTE, SECOND } from "./units.ts";

/** Counts per minute and what is made of them (OB-16 … OB-19, API-28). */
export const METRICS = {
  /** ms; what is counted together. */
  bucket: 1 * MINUTE,
  /** Minutes that a run tells apart; what it does after that many counts for the last of them, so that its report stays small. */
  minutesOfRun: 30,
  /** ms from an event to its run's first call, in which a histogram counts. */
  latencies: [10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 60_000],
  /** ms; a timer that fires later than this after its time is late (OB-19). */
  late: 1 * SECOND,
  /** Models that a run tells apart in a minute, characters of their names, and the highest count of one call (OB-12): apps report these. */
  models: { count: 8, length: 100, most: 1_000_000_000 },
  /** ms; how long counts are kept (OB-23). */
  retention: 90 * DAY,
  /** Buckets that are removed in one sweep. */
  removed: 10_000,
  /** ms; figures are at most so old (API-28 allows 60 s): scrapes and pages that look often share them. */
  age: 5 * SECOND,
  /** Points of a chart at most. */
  points: 120,
  /** Minutes that one point of a chart may stand for. */
  intervals: [1, 5, 15, 30, 60, 180, 360, 720, 1440],
  /** Functions listed as those with most failures (OB-17). */
  failedFunctions: 6,
  /** Unfinished runs that a gauge counts one by one; more of them read as this many. */
  unfinished: 50_000,
  /** ms; an unfinished run that expects nothing for longer sleeps. */
  rest: 1 * MINUTE,
  /** Events of one name that are counted one by one; more of them read as this many. */
  events: 200_000,
  /** The newest events of a name whose senders are shown. */
  sources: 200,
} as const;
