/**
 * Events and runs together, as they are written: what they add to metrics, then themselves. Owns the order: what is new is told by what is
 * stored before.
 */
import { modelStatements } from "../metrics/models.ts";
import { metricStatements } from "../metrics/statements.ts";
import { type EventEntry, eventStatements } from "./events.ts";
import type { RunRow } from "./message.ts";
import { runStatements } from "./runs.ts";

/** An event to be written; `by` is the run that reports it, under whose function it counts. */
export interface ReportedEvent extends EventEntry {
  readonly by?: RunRow;
}

/** Statements that write all of it and can be repeated; to be run in one `batch()`, which is one transaction. */
export function projectionStatements(
  db: D1Database,
  events: readonly ReportedEvent[],
  runs: readonly RunRow[],
): D1PreparedStatement[] {
  return [
    ...metricStatements(db, events, runs),
    ...modelStatements(db, runs),
    ...eventStatements(db, events),
    ...runStatements(db, runs),
  ];
}
