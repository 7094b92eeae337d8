/**
 * The runs that a replay looks through and those it has started, as history knows them: the newest are not there yet. Owns these queries.
 * Guarantees that a page costs a bounded number of rows. Callers have run `ensureSchema`.
 */
import type { RunStatus } from "./message.ts";

/** A run as a replay sees it. Times are ms since 1970. */
export interface ReplayableRun {
  readonly runId: string;
  readonly status: RunStatus;
  readonly queuedAt: number;
  readonly endedAt: number | null;
  /** Internal ids of its trigger events. */
  readonly eventIds: readonly string[];
  /** The first of them; null when history does not know any. */
  readonly eventId: string | null;
  readonly eventName: string;
}

/** What a replay chooses by. Times are ms since 1970; `from` ≤ created < `until`. */
export interface ReplayFilter {
  readonly statuses: readonly RunStatus[];
  readonly from: number | null;
  readonly until: number;
  /** The runs had ended by then. */
  readonly endedBy: number;
}

interface ReplayableRecord {
  readonly run_id: string;
  readonly status: RunStatus;
  readonly queued_at: number;
  readonly ended_at: number | null;
  readonly event_ids: string;
  readonly event_name: string;
}

/** Up to `limit` runs of a function, whatever became of them, in the order of their ids, which follow `cursor`. */
export async function scanReplayable(
  db: D1Database,
  environmentId: string,
  functionId: string,
  { cursor, limit }: { readonly cursor: string | null; readonly limit: number },
): Promise<ReplayableRun[]> {
  const { results } = await db
    .prepare(
      `SELECT run_id, status, queued_at, ended_at, event_ids, event_name FROM runs INDEXED BY runs_by_function
       WHERE environment_id = ?1 AND function_id = ?2 AND run_id > ?3 ORDER BY run_id LIMIT ?4`,
    )
    .bind(environmentId, functionId, cursor ?? "", limit)
    .all<ReplayableRecord>();
  return results.map((record) => {
    // Written by `runs.ts` from a list of ids.
    const eventIds = JSON.parse(record.event_ids) as string[];
    return {
      runId: record.run_id,
      status: record.status,
      queuedAt: record.queued_at,
      endedAt: record.ended_at,
      eventIds,
      eventId: eventIds[0] ?? null,
      eventName: record.event_name,
    };
  });
}

/** How many runs of a function the filter chooses. */
export async function countReplayable(
  db: D1Database,
  environmentId: string,
  functionId: string,
  { statuses, from, until, endedBy }: ReplayFilter,
): Promise<number> {
  const count = await db
    .prepare(
      `SELECT COUNT(*) AS count FROM runs INDEXED BY runs_by_function
       WHERE environment_id = ?1 AND function_id = ?2 AND queued_at >= ?3 AND queued_at < ?4 AND ended_at <= ?5
         AND status IN (SELECT value FROM json_each(?6))`,
    )
    .bind(environmentId, functionId, from ?? 0, until, endedBy, JSON.stringify(statuses))
    .first<number>("count");
  return count ?? 0;
}

/** Those of the ids that runs have. */
export async function existingRuns(
  db: D1Database,
  environmentId: string,
  runIds: readonly string[],
): Promise<Set<string>> {
  const { results } = await db
    .prepare("SELECT run_id FROM runs WHERE environment_id = ?1 AND run_id IN (SELECT value FROM json_each(?2))")
    .bind(environmentId, JSON.stringify(runIds))
    .all<{ run_id: string }>();
  return new Set(results.map(({ run_id }) => run_id));
}

/** Runs by status, as many as there are. */
export type Tally = ReadonlyMap<RunStatus, number>;

/** What has become of the runs that replays started, by replay. */
export async function tallyReplays(
  db: D1Database,
  environmentId: string,
  replayIds: readonly string[],
): Promise<Map<string, Tally>> {
  const { results } = await db
    .prepare(
      `SELECT replay_id, status, COUNT(*) AS count FROM runs INDEXED BY runs_by_replay
       WHERE environment_id = ?1 AND replay_id IN (SELECT value FROM json_each(?2)) GROUP BY replay_id, status`,
    )
    .bind(environmentId, JSON.stringify(replayIds))
    .all<{ replay_id: string; status: RunStatus; count: number }>();
  const tallies = new Map<string, Map<RunStatus, number>>();
  for (const { replay_id, status, count } of results) {
    const tally = tallies.get(replay_id) ?? new Map<RunStatus, number>();
    tallies.set(replay_id, tally.set(status, count));
  }
  return tallies;
}
