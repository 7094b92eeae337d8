/**
 * Stored event keys in D1 (EV-18), and the keys in the URLs of webhooks (EV-29), which are of the same kind. Owns their statements; callers
 * have run `ensureSchema`. No statement takes or gives a key in clear.
 */
import { parseJson } from "../json.ts";
import { type KeyFilters, keyFilters } from "./filter.ts";

/** An event key without its value. Times are ms since 1970. */
export interface EventKey {
  readonly id: string;
  /** The environment that holds it: for all branches the one they share. */
  readonly environmentId: string;
  readonly name: string;
  /** Of the key, hex. */
  readonly hash: string;
  readonly filters: KeyFilters;
  readonly createdAt: number;
  readonly disabledAt: number | null;
  /** To within `KEY.noted`. */
  readonly usedAt: number | null;
}

/** An event key as a statement answers it. */
export type EventKeyRow = Omit<EventKey, "filters"> & { readonly filters: string };

/** The columns of {@link EventKeyRow}, of a table named `k`. */
export const EVENT_KEY_COLUMNS = `k.id, k.environment_id AS environmentId, k.name, k.hash, k.filters, k.created_at AS createdAt,
  k.disabled_at AS disabledAt, k.used_at AS usedAt`;
// A webhook's key is shown with its webhook, never among the keys.
const PLAIN = "NOT EXISTS (SELECT 1 FROM webhooks w WHERE w.key_id = k.id)";

/** The key that a row is. */
export function toEventKey(row: EventKeyRow): EventKey {
  const parsed = parseJson(row.filters);
  return { ...row, filters: keyFilters.parse(parsed.ok ? parsed.value : null) };
}

/** The keys of an environment, oldest first; those of webhooks are not among them. */
export async function listEventKeys(db: D1Database, environmentId: string): Promise<EventKey[]> {
  const { results } = await db
    .prepare(`SELECT ${EVENT_KEY_COLUMNS} FROM event_keys k WHERE k.environment_id = ?1 AND ${PLAIN} ORDER BY k.id`)
    .bind(environmentId)
    .all<EventKeyRow>();
  return results.map(toEventKey);
}

/** One key of an environment, with its sealed value; null when there is none with this id. */
export async function findEventKey(
  db: D1Database,
  environmentId: string,
  id: string,
): Promise<{ readonly key: EventKey; readonly sealed: string } | null> {
  const row = await db
    .prepare(
      `SELECT ${EVENT_KEY_COLUMNS}, k.sealed FROM event_keys k WHERE k.environment_id = ?1 AND k.id = ?2 AND ${PLAIN}`,
    )
    .bind(environmentId, id)
    .first<EventKeyRow & { sealed: string }>();
  if (row === null) return null;
  const { sealed, ...key } = row;
  return { key: toEventKey(key), sealed };
}

/** The key with this hash, and whether it is in the URL of a webhook; null for none. */
export async function eventKeyByHash(
  db: D1Database,
  hash: string,
): Promise<(EventKey & { readonly webhook: boolean }) | null> {
  const row = await db
    .prepare(`SELECT ${EVENT_KEY_COLUMNS}, NOT (${PLAIN}) AS webhook FROM event_keys k WHERE k.hash = ?1`)
    .bind(hash)
    .first<EventKeyRow & { webhook: 0 | 1 }>();
  return row === null ? null : { ...toEventKey(row), webhook: row.webhook === 1 };
}

/** Stores a new key. */
export function createStatement(
  db: D1Database,
  {
    id,
    environmentId,
    name,
    filters,
    createdAt,
  }: Pick<EventKey, "id" | "environmentId" | "name" | "filters" | "createdAt">,
  { hash, sealed }: { readonly hash: string; readonly sealed: string },
): D1PreparedStatement {
  return db
    .prepare(`INSERT INTO event_keys (id, environment_id, name, hash, sealed, filters, created_at)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)`)
    .bind(id, environmentId, name, hash, sealed, JSON.stringify(filters), createdAt);
}

/** What of a key can be changed; null leaves it as it is. */
export interface EventKeyChange {
  readonly name: string | null;
  readonly filters: KeyFilters | null;
  readonly disabled: boolean | null;
}

/** Changes a key. `now` in ms. */
export function changeStatement(
  db: D1Database,
  { environmentId, id }: Pick<EventKey, "environmentId" | "id">,
  { name, filters, disabled }: EventKeyChange,
  now: number,
): D1PreparedStatement {
  return db
    .prepare(`UPDATE event_keys SET name = COALESCE(?3, name), filters = COALESCE(?4, filters),
        disabled_at = CASE ?5 WHEN 1 THEN COALESCE(disabled_at, ?6) WHEN 0 THEN NULL ELSE disabled_at END
      WHERE environment_id = ?1 AND id = ?2`)
    .bind(environmentId, id, name, filters === null ? null : JSON.stringify(filters), numberOf(disabled), now);
}

/** Stores a key's value sealed anew. */
export function resealStatement(db: D1Database, { id }: Pick<EventKey, "id">, sealed: string): D1PreparedStatement {
  return db.prepare("UPDATE event_keys SET sealed = ?2 WHERE id = ?1").bind(id, sealed);
}

/** Deletes a key. */
export function deleteStatement(
  db: D1Database,
  { environmentId, id }: Pick<EventKey, "environmentId" | "id">,
): D1PreparedStatement {
  return db.prepare("DELETE FROM event_keys WHERE environment_id = ?1 AND id = ?2").bind(environmentId, id);
}

/** Whether any key is stored, in any environment. */
export async function anyEventKey(db: D1Database): Promise<boolean> {
  return (await db.prepare("SELECT 1 AS one FROM event_keys LIMIT 1").first()) !== null;
}

function numberOf(flag: boolean | null): number | null {
  return flag === null ? null : Number(flag);
}
