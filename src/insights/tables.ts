/**
 * The tables a question can be asked of (OB-20), and how their columns come out of D1's. Pure. Guarantees that every table is one environment's.
 */
import type { Type } from "./typed.ts";

/** A column. `sql` is in terms of the stored table. */
interface Column {
  readonly type: Type;
  readonly sql: string;
  readonly description: string;
}

/** A table. */
export interface Table {
  readonly name: "events" | "runs";
  /** The stored table and its column of ids, newest last. */
  readonly stored: string;
  readonly id: string;
  readonly columns: ReadonlyMap<string, Column>;
}

const column = (type: Type, sql: string, description: string): Column => ({ type, sql, description });

// A payload that is stored in parts does not fit a value of the database: it is there, without its content.
const EVENTS: Table = {
  name: "events",
  stored: "events",
  id: "internal_id",
  columns: new Map([
    ["id", column("text", "stored.internal_id", "ULID of the event")],
    ["name", column("text", "stored.name", "name of the event")],
    ["data", column("json", "COALESCE(stored.payload->'$.data', '{}')", "data of the event")],
    ["ts", column("number", "COALESCE(stored.payload->>'$.ts', stored.received_at)", "its time, ms since 1970")],
    ["v", column("text", "COALESCE(stored.payload->>'$.v', '')", "its version")],
    ["received_at", column("number", "stored.received_at", "when it was received, ms since 1970")],
  ]),
};

const RUNS: Table = {
  name: "runs",
  stored: "runs",
  id: "run_id",
  columns: new Map([
    ["id", column("text", "stored.run_id", "ULID of the run")],
    ["function", column("text", "stored.function_slug", "slug of its function")],
    [
      "app",
      column(
        "text",
        `COALESCE((SELECT apps.name FROM apps WHERE apps.environment_id = stored.environment_id AND apps.id = stored.app_id), stored.app_id)`,
        "name of its app",
      ),
    ],
    [
      "status",
      column(
        "text",
        `CASE stored.status WHEN 'queued' THEN 'Scheduled' ELSE upper(substr(stored.status, 1, 1)) || substr(stored.status, 2) END`,
        "Scheduled, Running, Completed, Failed, Cancelled or Skipped",
      ),
    ],
    ["queued_at", column("number", "stored.queued_at", "ms since 1970")],
    ["started_at", column("number", "stored.started_at", "ms since 1970; NULL before it began")],
    ["ended_at", column("number", "stored.ended_at", "ms since 1970; NULL before it ended")],
    ["event_name", column("text", "stored.event_name", "name of its trigger event")],
    ["output", column("json", "stored.output", "what it returned, or its error")],
  ]),
};

/** The tables by name. */
export const TABLES: ReadonlyMap<string, Table> = new Map([EVENTS, RUNS].map((table) => [table.name, table]));
