/**
 * When a failed attempt is tried again (EX-21). Pure: the random share is an argument.
 */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Wait after the failure of attempt 0, 1, 2 …, ms; the last entry repeats. */
const BACKOFF = [
  15 * SECOND,
  30 * SECOND,
  1 * MINUTE,
  2 * MINUTE,
  5 * MINUTE,
  10 * MINUTE,
  20 * MINUTE,
  40 * MINUTE,
  1 * HOUR,
  2 * HOUR,
] as const;

/** Random addition to the table, and to a constant interval as a share of it. */
const JITTER = { table: 30 * SECOND, constant: 0.1 } as const;

/**
 * The wait, ms, after attempt `attempt` (from 0) failed. `interval` of 1 ms or more replaces the table;
 * `random` lies in [0, 1).
 */
export function retryDelay(attempt: number, interval: number, random: number): number {
  if (interval > 0) return Math.round(interval * (1 + JITTER.constant * random));
  const wait = BACKOFF[Math.min(attempt, BACKOFF.length - 1)] ?? 2 * HOUR;
  return Math.round(wait + JITTER.table * random);
}
