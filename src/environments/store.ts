/**
 * Environments in D1 (EV-23, EV-24, EV-26). Owns their statements; callers have run `ensureSchema`.
 * Guarantees that a name is one environment of its kind, however many ask for it at the same time, and that archiving one changes its catalog
 * in the same transaction, so that every isolate and every schedule hears of it.
 */
import { bumpStatement } from "../apps/store.ts";
import type { Environment } from "./environment.ts";

/** What is stored; the rest of an environment's kinds exist by themselves. */
export type StoredEnvironment = Environment & { readonly kind: "custom" | "branch" };

interface Row extends Omit<StoredEnvironment, "autoArchive"> {
  readonly autoArchive: number;
}

const COLUMNS = `id, kind, name, created_at AS createdAt, synced_at AS syncedAt, auto_archive AS autoArchive,
  archived_at AS archivedAt`;

function toEnvironment(row: Row): StoredEnvironment {
  return { ...row, autoArchive: row.autoArchive === 1 };
}

/** All of them, in the order in which they were created. */
export async function listEnvironments(db: D1Database): Promise<StoredEnvironment[]> {
  const { results } = await db.prepare(`SELECT ${COLUMNS} FROM environments ORDER BY created_at, id`).all<Row>();
  return results.map(toEnvironment);
}

/** One of them; null when there is none with this id. */
export async function findEnvironment(db: D1Database, id: string): Promise<StoredEnvironment | null> {
  const row = await db.prepare(`SELECT ${COLUMNS} FROM environments WHERE id = ?1`).bind(id).first<Row>();
  return row === null ? null : toEnvironment(row);
}

/** The environments of this name: at most one of each kind. */
export async function environmentsNamed(db: D1Database, name: string): Promise<StoredEnvironment[]> {
  const { results } = await db.prepare(`SELECT ${COLUMNS} FROM environments WHERE name = ?1`).bind(name).all<Row>();
  return results.map(toEnvironment);
}

/** Stores a new one, unless its kind has one of this name; answers the one that is stored then, and whether it is new. */
export async function createEnvironment(
  db: D1Database,
  { id, kind, name, createdAt }: Pick<StoredEnvironment, "id" | "kind" | "name" | "createdAt">,
): Promise<{ readonly environment: StoredEnvironment; readonly created: boolean }> {
  const [, found] = await db.batch<Row>([
    db
      .prepare(`INSERT INTO environments (id, kind, name, created_at, synced_at) VALUES (?1, ?2, ?3, ?4, ?4)
        ON CONFLICT (kind, name) DO NOTHING`)
      .bind(id, kind, name, createdAt),
    db.prepare(`SELECT ${COLUMNS} FROM environments WHERE kind = ?1 AND name = ?2`).bind(kind, name),
  ]);
  const row = found?.results[0];
  if (row === undefined) throw new Error(`The environment "${name}" was stored and is not there.`);
  return { environment: toEnvironment(row), created: row.id === id };
}

/** Changes a name, or whether a branch is archived by itself. False when the name is taken. */
export async function changeEnvironment(
  db: D1Database,
  id: string,
  { name, autoArchive }: { readonly name: string | null; readonly autoArchive: boolean | null },
): Promise<boolean> {
  const { meta } = await db
    .prepare(
      "UPDATE OR IGNORE environments SET name = COALESCE(?2, name), auto_archive = COALESCE(?3, auto_archive) WHERE id = ?1",
    )
    .bind(id, name, autoArchive === null ? null : Number(autoArchive))
    .run();
  return meta.changes > 0;
}

/** Notes a sync: a branch has its days again, and comes back when it was archived (EV-23). */
export async function noteSync(db: D1Database, id: string, now: number): Promise<void> {
  await db.batch([
    db
      .prepare(`UPDATE catalog_versions SET version = version + 1 WHERE environment_id = ?1 AND EXISTS (
        SELECT 1 FROM environments WHERE id = ?1 AND kind = 'branch' AND archived_at IS NOT NULL)`)
      .bind(id),
    db
      .prepare("UPDATE environments SET synced_at = ?2, archived_at = NULL WHERE id = ?1 AND kind = 'branch'")
      .bind(id, now),
  ]);
}

/** Archives it at `now` (ms), or brings it back; a branch that comes back has its days again. Changes no row when it is so already. */
export function archiveStatement(db: D1Database, id: string, archived: boolean, now: number): D1PreparedStatement {
  const update = archived
    ? "UPDATE environments SET archived_at = ?2 WHERE id = ?1 AND archived_at IS NULL"
    : "UPDATE environments SET archived_at = NULL, synced_at = ?2 WHERE id = ?1 AND archived_at IS NOT NULL";
  return db.prepare(update).bind(id, now);
}

/** Archives the branches whose latest sync was before `syncedBefore` (ms), a bounded number at a time; answers their ids. */
export async function archiveIdleBranches(
  db: D1Database,
  { syncedBefore, at, most }: { readonly syncedBefore: number; readonly at: number; readonly most: number },
): Promise<string[]> {
  const idle = await db
    .prepare(`SELECT id FROM environments
      WHERE kind = 'branch' AND archived_at IS NULL AND auto_archive = 1 AND synced_at < ?1 LIMIT ?2`)
    .bind(syncedBefore, most)
    .all<{ id: string }>();
  const ids = idle.results.map(({ id }) => id);
  if (ids.length === 0) return [];
  await db.batch([
    db
      .prepare(`UPDATE environments SET archived_at = ?2 WHERE synced_at < ?3 AND archived_at IS NULL
        AND id IN (SELECT value FROM json_each(?1))`)
      .bind(JSON.stringify(ids), at, syncedBefore),
    ...ids.map((id) => bumpStatement(db, id)),
  ]);
  return ids;
}
