/**
 * What was deleted on request (OB-25): removing it from D1, and the ids by which reports that come later are known and dropped. Owns the table
 * `erased`, which holds ids and nothing else.
 * Guarantees that a row goes and its id is noted in one transaction. Every statement names its environment (SE-8); callers have run
 * `ensureSchema`.
 */
import { countD1 } from "../counters.ts";
import type { EventOutcome } from "../events/event.ts";
import { DELETION } from "../limits.ts";
import type { RunStatus } from "./message.ts";

/** A condition of SQL: nothing with this id was deleted. Both arguments are SQL of the caller, never input. */
export function notErased(environmentId: string, id: string): string {
  return `NOT EXISTS (SELECT 1 FROM erased WHERE erased.environment_id = ${environmentId} AND erased.id = ${id})`;
}

/** Runs and events, by id. */
export interface Doomed {
  readonly runIds: readonly string[];
  /** Internal ids. */
  readonly eventIds: readonly string[];
}

const IN = "environment_id = ?1 AND";

/** Removes runs and events, all or none, and sees to it that they do not come back. `now` in ms. Repeatable. */
export async function eraseRows(
  db: D1Database,
  environmentId: string,
  { runIds, eventIds }: Doomed,
  now: number,
): Promise<void> {
  const remove = (table: "payload_parts" | "events" | "runs", column: string, ids: readonly string[]) =>
    ids.length === 0
      ? []
      : db
          .prepare(`DELETE FROM ${table} WHERE ${IN} ${column} IN (SELECT value FROM json_each(?2))`)
          .bind(environmentId, JSON.stringify(ids));
  const noted = db
    .prepare("INSERT INTO erased SELECT ?1, value, ?3 FROM json_each(?2) WHERE true ON CONFLICT DO NOTHING")
    .bind(environmentId, JSON.stringify([...runIds, ...eventIds]), now);
  const statements = [
    noted,
    remove("payload_parts", "internal_id", eventIds),
    remove("events", "internal_id", eventIds),
    remove("runs", "run_id", runIds),
  ].flat();
  for (const { meta } of await db.batch(statements)) countD1(meta);
}

/** Forgets ids that were deleted before `time` (ms), at most `DELETION.forgotten` of them. */
export async function forgetErased(db: D1Database, environmentId: string, time: number): Promise<void> {
  const { meta } = await db
    .prepare(
      `DELETE FROM erased WHERE ${IN} id IN (
         SELECT id FROM erased WHERE ${IN} erased_at < ?2 ORDER BY id LIMIT ?3)`,
    )
    .bind(environmentId, time, DELETION.forgotten)
    .run();
  countD1(meta);
}

/** An event as its removal sees it. */
export interface RoutedRow {
  readonly internalId: string;
  /** ms since 1970. */
  readonly receivedAt: number;
  readonly outcomes: readonly EventOutcome[];
  readonly routed: boolean;
}

interface RoutedRecord {
  readonly internal_id: string;
  readonly received_at: number;
  readonly outcomes: string;
  readonly routed: number;
}

/** What became of these events, as far as they are stored; their payloads are not read. */
export async function routedRows(db: D1Database, environmentId: string, ids: readonly string[]): Promise<RoutedRow[]> {
  if (ids.length === 0) return [];
  const { results } = await db
    .prepare(
      `SELECT internal_id, received_at, outcomes, routed FROM events
       WHERE ${IN} internal_id IN (SELECT value FROM json_each(?2))`,
    )
    .bind(environmentId, JSON.stringify(ids))
    .all<RoutedRecord>();
  return results.map(({ internal_id, received_at, outcomes, routed }) => ({
    internalId: internal_id,
    receivedAt: received_at,
    // Written by `events.ts` from a list of this type.
    outcomes: JSON.parse(outcomes) as EventOutcome[],
    routed: routed === 1,
  }));
}

/** What history knows of a run's status; null when it does not know the run. */
export async function statusOf(db: D1Database, environmentId: string, runId: string): Promise<RunStatus | null> {
  return await db
    .prepare(`SELECT status FROM runs WHERE ${IN} run_id = ?2`)
    .bind(environmentId, runId)
    .first<RunStatus>("status");
}
