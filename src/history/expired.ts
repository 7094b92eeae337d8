/**
 * What history holds past its retention (OB-23), page by page in the order of the ids, and its removal. Owns these statements; which page
 * comes next, and how many, is the sweep's.
 * Guarantees that nothing goes which still runs: a run goes when it has ended, an event when none of its runs is left (EV-27) and its
 * fan-out is done. Every statement names its environment (SE-8); callers have run `ensureSchema`.
 */
import { countD1 } from "../counters.ts";
import type { OperationKind } from "../decide/operation/operation.ts";
import { RETENTION } from "../limits.ts";
import type { RunStatus } from "./message.ts";

/** A stretch of a table: ids above `after` and below `until`, at most `RETENTION.rows` of them. */
export interface Stretch {
  readonly after: string;
  readonly until: string;
}

/** A row that a page has come to. */
interface PageRow {
  readonly id: string;
  /** Bytes of its output or payload; null when that is elsewhere. */
  readonly size: number | null;
}

/** A run as the sweep sees it. */
export interface ExpiringRun extends PageRow {
  readonly status: RunStatus;
  /** ms since 1970; null while it is unfinished. */
  readonly endedAt: number | null;
}

/** An event as the sweep sees it. */
export interface ExpiringEvent extends PageRow {
  /** It may go. */
  readonly over: 0 | 1;
}

/** The runs of a stretch, ended or not. */
export async function pageOfRuns(
  db: D1Database,
  environmentId: string,
  { after, until }: Stretch,
): Promise<ExpiringRun[]> {
  const { results, meta } = await db
    .prepare(
      `SELECT run_id AS id, status, ended_at AS endedAt, octet_length(output) AS size FROM runs
       WHERE environment_id = ?1 AND run_id > ?2 AND run_id < ?3 ORDER BY run_id LIMIT ?4`,
    )
    .bind(environmentId, after, until, RETENTION.rows)
    .all<ExpiringRun>();
  countD1(meta);
  return results;
}

/** Removes runs that ended before `time` (ms). */
export async function removeRuns(
  db: D1Database,
  environmentId: string,
  runIds: readonly string[],
  time: number,
): Promise<void> {
  const { meta } = await db
    .prepare(
      `DELETE FROM runs
       WHERE environment_id = ?1 AND run_id IN (SELECT value FROM json_each(?2)) AND ended_at < ?3`,
    )
    .bind(environmentId, JSON.stringify(runIds), time)
    .run();
  countD1(meta);
}

// An event is kept for the runs its outcomes name, and for those that repeat one of them. The run of a window that is still open comes later.
const PAGE_OF_EVENTS = `SELECT internal_id AS id, octet_length(payload) AS size,
    routed = 1 AND received_at < ?5 AND NOT EXISTS (
      SELECT 1 FROM json_each(events.outcomes) AS outcome
      WHERE (outcome.value->>'outcome' IN ('batched', 'debounced') AND events.received_at >= ?6)
        OR EXISTS (SELECT 1 FROM runs WHERE environment_id = ?1 AND run_id = outcome.value->>'runId')
        OR EXISTS (SELECT 1 FROM runs WHERE environment_id = ?1 AND original_run_id = outcome.value->>'runId')
    ) AS over
  FROM events WHERE environment_id = ?1 AND internal_id > ?2 AND internal_id < ?3 ORDER BY internal_id LIMIT ?4`;

/**
 * The events of a stretch. They are over when they were received before `time` (ms) and no run needs them; one that joined a window only when
 * it was received before `gathered`.
 */
export async function pageOfEvents(
  db: D1Database,
  environmentId: string,
  { after, until }: Stretch,
  { time, gathered }: { readonly time: number; readonly gathered: number },
): Promise<ExpiringEvent[]> {
  const { results, meta } = await db
    .prepare(PAGE_OF_EVENTS)
    .bind(environmentId, after, until, RETENTION.rows, time, gathered)
    .all<ExpiringEvent>();
  countD1(meta);
  return results;
}

/** Removes events with the parts of their payloads, all or none. */
export async function removeEvents(db: D1Database, environmentId: string, ids: readonly string[]): Promise<void> {
  const remove = (table: "payload_parts" | "events") =>
    db
      .prepare(`DELETE FROM ${table} WHERE environment_id = ?1 AND internal_id IN (SELECT value FROM json_each(?2))`)
      .bind(environmentId, JSON.stringify(ids));
  for (const { meta } of await db.batch([remove("payload_parts"), remove("events")])) countD1(meta);
}

const REMOVE_SYNCS = `DELETE FROM syncs WHERE environment_id = ?1 AND id IN (
  SELECT id FROM syncs WHERE environment_id = ?1 AND id < ?2 ORDER BY id LIMIT ?3)`;

const REMOVE_OPERATIONS = `DELETE FROM operations WHERE environment_id = ?1 AND kind = ?4 AND id IN (
  SELECT id FROM operations
  WHERE environment_id = ?1 AND kind = ?4 AND id < ?2 AND status <> 'running' ORDER BY id LIMIT ?3)`;

const KINDS: Readonly<Record<OperationKind, true>> = { cancel: true, replay: true, delete: true };

/** Removes syncs and finished operations with ids below `until`, at most `RETENTION.rows` of each kind. */
export async function removeRecords(db: D1Database, environmentId: string, until: string): Promise<void> {
  const statements = [
    db.prepare(REMOVE_SYNCS).bind(environmentId, until, RETENTION.rows),
    ...Object.keys(KINDS).map((kind) => db.prepare(REMOVE_OPERATIONS).bind(environmentId, until, RETENTION.rows, kind)),
  ];
  for (const { meta } of await db.batch(statements)) countD1(meta);
}
