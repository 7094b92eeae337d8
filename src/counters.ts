/**
 * What this isolate has cost so far, in the units of the bill (design: "Cost is a number we design to").
 * Owns plain counters that only the benchmark and its guarding test read, through `GET /dev/counts`; nothing decides by them.
 */

/** Running totals since the isolate started. */
export const counters = {
  /** Calls of Durable Objects by RPC. */
  objectRequests: 0,
  /** Alarm handlers run. */
  alarms: 0,
  /** Rows written in objects; setting an alarm counts as one. */
  rowsWritten: 0,
  rowsRead: 0,
  /** Messages handed to queues; each costs three operations: write, read, delete. */
  queueMessages: 0,
  /** Rows written and read in D1, index entries included. */
  d1RowsWritten: 0,
  d1RowsRead: 0,
  /** Calls of apps. */
  calls: 0,
  /** Of these and of the engine's own requests for steps, those whose answer came too late to count (EX-11). */
  discardedReplies: 0,
};

/** Adds what one D1 statement reported. */
export function countD1(meta: { rows_written?: number; rows_read?: number }): void {
  counters.d1RowsWritten += meta.rows_written ?? 0;
  counters.d1RowsRead += meta.rows_read ?? 0;
}
