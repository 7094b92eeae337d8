/**
 * Operations in D1: what lists show, and what is left when an operation's object is gone. The object is the truth while it exists.
 * Every statement names its environment (SE-8); callers have run `ensureSchema`.
 */
import { countD1 } from "../counters.ts";
import { lasting, type OperationKind, type OperationState } from "../decide/operation/operation.ts";
import type { Listing, Page } from "./page.ts";

/** Writes an operation as it stands, as far as it may be kept. That it has ended is never overwritten by an older report. */
export async function storeOperation(db: D1Database, state: OperationState): Promise<void> {
  const { environmentId, kind, id } = state.request;
  const { meta } = await db
    .prepare(
      `INSERT INTO operations (environment_id, kind, id, status, body) VALUES (?1, ?2, ?3, ?4, ?5)
       ON CONFLICT (environment_id, kind, id) DO UPDATE SET status = excluded.status, body = excluded.body
       WHERE operations.status IN ('running', excluded.status)`,
    )
    .bind(environmentId, kind, id, state.status, JSON.stringify({ ...state, request: lasting(state.request) }))
    .run();
  countD1(meta);
}

/** An operation as history knows it; null when it does not. */
export async function findOperation(
  db: D1Database,
  environmentId: string,
  kind: OperationKind,
  id: string,
): Promise<OperationState | null> {
  const body = await db
    .prepare("SELECT body FROM operations WHERE environment_id = ?1 AND kind = ?2 AND id = ?3")
    .bind(environmentId, kind, id)
    .first<string>("body");
  return body === null ? null : parse(body);
}

/** Ids of at most `limit` operations that go on, as far as history knows. */
export async function runningOperations(db: D1Database, environmentId: string, limit: number): Promise<string[]> {
  const { results } = await db
    .prepare(
      `SELECT id FROM operations INDEXED BY operations_by_running
       WHERE environment_id = ?1 AND status = 'running' ORDER BY kind, id LIMIT ?2`,
    )
    .bind(environmentId, limit)
    .all<{ id: string }>();
  return results.map(({ id }) => id);
}

/** The operations of a kind, newest first. */
export async function listOperations(
  db: D1Database,
  environmentId: string,
  kind: OperationKind,
  { limit, cursor }: Page,
): Promise<Listing<OperationState>> {
  const { results } = await db
    .prepare(
      `SELECT body FROM operations WHERE environment_id = ?1 AND kind = ?2 AND (?3 IS NULL OR id < ?3)
       ORDER BY id DESC LIMIT ?4`,
    )
    .bind(environmentId, kind, cursor, limit + 1)
    .all<{ body: string }>();
  const items = results.slice(0, limit).map(({ body }) => parse(body));
  return { items, nextCursor: results.length > limit ? (items.at(-1)?.request.id ?? null) : null };
}

// Only `storeOperation` writes these texts, from values of this type.
function parse(body: string): OperationState {
  return JSON.parse(body) as OperationState;
}
