/**
 * Outputs of runs, as far as history holds them: what was too large for a row only its object has. Callers have run `ensureSchema`.
 */
import type { Json } from "../json.ts";

/** The outputs of runs that have one here, by run id. Outputs are large: callers ask for few runs at a time. */
export async function loadOutputs(
  db: D1Database,
  environmentId: string,
  runIds: readonly string[],
): Promise<Map<string, Json>> {
  const { results } = await db
    .prepare(
      `SELECT run_id, output FROM runs
       WHERE environment_id = ?1 AND run_id IN (SELECT value FROM json_each(?2)) AND output IS NOT NULL`,
    )
    .bind(environmentId, JSON.stringify(runIds))
    .all<{ run_id: string; output: string }>();
  // Written by `runs.ts` from values of this type.
  return new Map(results.map(({ run_id, output }) => [run_id, JSON.parse(output) as Json]));
}
