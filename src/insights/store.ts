/**
 * Questions that were asked, and those that were saved (OB-22), in D1: each belongs to one user of one environment, and nobody else finds it.
 * Callers have run `ensureSchema`.
 */
import { countD1 } from "../counters.ts";
import { INSIGHTS } from "../limits.ts";

/** A question that is kept. `name` is empty for those that were only asked. */
export interface KeptQuery {
  /** ULID, which tells when it was kept. */
  readonly id: string;
  readonly name: string;
  readonly sql: string;
}

/** Whose questions. */
export interface QueryOwner {
  readonly environmentId: string;
  readonly owner: string;
}

/** `asked`: the history; `saved`: under a name. */
export type QueryKind = "asked" | "saved";

const LIMITS: Readonly<Record<QueryKind, number>> = { asked: INSIGHTS.history, saved: INSIGHTS.saved };

/** The questions of a kind, newest first. */
export async function keptQueries(
  db: D1Database,
  { environmentId, owner }: QueryOwner,
  kind: QueryKind,
): Promise<KeptQuery[]> {
  const { results } = await db
    .prepare(
      `SELECT id, name, sql FROM insights_queries
       WHERE environment_id = ?1 AND owner = ?2 AND kind = ?3 ORDER BY id DESC LIMIT ?4`,
    )
    .bind(environmentId, owner, kind, LIMITS[kind])
    .all<KeptQuery>();
  return results;
}

/** Keeps a question. Of those asked only the newest stay. False when there is no room for another saved one. */
export async function keepQuery(
  db: D1Database,
  { environmentId, owner }: QueryOwner,
  kind: QueryKind,
  { id, name, sql }: KeptQuery,
): Promise<boolean> {
  const insert = db
    .prepare(
      `INSERT INTO insights_queries (environment_id, owner, kind, id, name, sql)
       SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE ?3 = 'asked'
         OR (SELECT COUNT(*) FROM insights_queries WHERE environment_id = ?1 AND owner = ?2 AND kind = ?3) < ?7`,
    )
    .bind(environmentId, owner, kind, id, name, sql, LIMITS[kind]);
  const forget = db
    .prepare(
      `DELETE FROM insights_queries WHERE environment_id = ?1 AND owner = ?2 AND kind = 'asked' AND id <= (
         SELECT id FROM insights_queries WHERE environment_id = ?1 AND owner = ?2 AND kind = 'asked'
         ORDER BY id DESC LIMIT 1 OFFSET ?3)`,
    )
    .bind(environmentId, owner, INSIGHTS.history);
  const results = await db.batch(kind === "asked" ? [insert, forget] : [insert]);
  for (const { meta } of results) countD1(meta);
  return (results[0]?.meta.changes ?? 0) > 0;
}

/** Removes a question; false when its user has none of that id. */
export async function forgetQuery(
  db: D1Database,
  { environmentId, owner }: QueryOwner,
  kind: QueryKind,
  id: string,
): Promise<boolean> {
  const { meta } = await db
    .prepare("DELETE FROM insights_queries WHERE environment_id = ?1 AND owner = ?2 AND kind = ?3 AND id = ?4")
    .bind(environmentId, owner, kind, id)
    .run();
  countD1(meta);
  return meta.changes > 0;
}
