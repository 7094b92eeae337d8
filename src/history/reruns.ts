/**
 * The runs that were started again from others (CR-21), as history knows them: the newest are not there yet. Owns the one query for them.
 * Callers have run `ensureSchema`.
 */

/** Ids of up to `limit` reruns and replayed runs of these runs, of their reruns and so on, newest first, before `cursor`. */
export async function rerunsOf(
  db: D1Database,
  environmentId: string,
  runIds: readonly string[],
  { cursor, limit }: { readonly cursor: string | null; readonly limit: number },
): Promise<string[]> {
  if (runIds.length === 0) return [];
  const { results } = await db
    .prepare(
      `WITH RECURSIVE again (id) AS (
         SELECT run_id FROM runs INDEXED BY runs_by_original
           WHERE environment_id = ?1 AND original_run_id IN (SELECT value FROM json_each(?2))
         UNION
         SELECT runs.run_id FROM again CROSS JOIN runs INDEXED BY runs_by_original
           ON environment_id = ?1 AND original_run_id = again.id
       )
       SELECT id FROM again WHERE ?3 IS NULL OR id < ?3 ORDER BY id DESC LIMIT ?4`,
    )
    .bind(environmentId, JSON.stringify(runIds), cursor, limit)
    .all<{ id: string }>();
  return results.map(({ id }) => id);
}
