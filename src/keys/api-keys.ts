/**
 * Keys for people and tools (API-2): each with a scope, for one environment or for the account, some with an end. Owns their statements;
 * callers have run `ensureSchema`. A key is shown once, when it is made: only its hash is stored.
 */
import * as z from "zod";
import { parseJson } from "../json.ts";

/** What a key may do; each includes the ones before it. `admin`: keys, environments, deletions. */
export const SCOPES = ["read", "write", "admin"] as const;

/** One of {@link SCOPES}. */
export type Scope = (typeof SCOPES)[number];

/** An API key. Times are ms since 1970. */
export interface ApiKey {
  readonly id: string;
  /** Null: of the account, requests name their environment. */
  readonly environmentId: string | null;
  readonly name: string;
  readonly scope: Scope;
  /** Pages that may use it (API-26). */
  readonly origins: readonly string[];
  readonly createdAt: number;
  readonly expiresAt: number | null;
  /** To within `KEY.noted`. */
  readonly usedAt: number | null;
}

interface Row extends Omit<ApiKey, "origins"> {
  readonly origins: string;
}

const COLUMNS = `id, environment_id AS environmentId, name, scope, origins, created_at AS createdAt, expires_at AS expiresAt,
  used_at AS usedAt`;

const origins = z.array(z.string());

function originsOf(row: Pick<Row, "origins">): string[] {
  const parsed = parseJson(row.origins);
  return origins.parse(parsed.ok ? parsed.value : null);
}

function toApiKey(row: Row): ApiKey {
  return { ...row, origins: originsOf(row) };
}

/** The pages that any key lists, of whichever environment. */
export async function listOrigins(db: D1Database): Promise<ReadonlySet<string>> {
  const statement = "SELECT DISTINCT origins FROM api_keys WHERE origins <> '[]'";
  const { results } = await db.prepare(statement).all<Pick<Row, "origins">>();
  return new Set(results.flatMap(originsOf));
}

/** The keys of an environment and, with null, those of the account; oldest first. */
export async function listApiKeys(db: D1Database, environmentId: string | null): Promise<ApiKey[]> {
  const statement = `SELECT ${COLUMNS} FROM api_keys WHERE environment_id IS ?1 ORDER BY id`;
  return (await db.prepare(statement).bind(environmentId).all<Row>()).results.map(toApiKey);
}

/** The key with this hash; null for none. */
export async function apiKeyByHash(db: D1Database, hash: string): Promise<ApiKey | null> {
  const row = await db.prepare(`SELECT ${COLUMNS} FROM api_keys WHERE hash = ?1`).bind(hash).first<Row>();
  return row === null ? null : toApiKey(row);
}

/** Stores a new key under the hash of its value. */
export async function createApiKey(db: D1Database, key: Omit<ApiKey, "usedAt">, hash: string): Promise<void> {
  await db
    .prepare(`INSERT INTO api_keys (id, environment_id, name, scope, hash, origins, created_at, expires_at)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)`)
    .bind(
      key.id,
      key.environmentId,
      key.name,
      key.scope,
      hash,
      JSON.stringify(key.origins),
      key.createdAt,
      key.expiresAt,
    )
    .run();
}

/** Deletes a key of an environment, or with null of the account. False when there is none with this id. */
export async function deleteApiKey(db: D1Database, environmentId: string | null, id: string): Promise<boolean> {
  const statement = "DELETE FROM api_keys WHERE environment_id IS ?1 AND id = ?2";
  return (await db.prepare(statement).bind(environmentId, id).run()).meta.changes > 0;
}
