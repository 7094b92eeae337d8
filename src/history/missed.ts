/**
 * Events that were received while isolates did not know yet that somebody waits for them. Owns the one query for them.
 * Callers have run `ensureSchema`.
 */
import { encodeUlid } from "../ids.ts";
import { WAITS } from "../limits.ts";

const NO_ENTROPY = new Uint8Array(10);

/**
 * Internal ids of the events of a name that were received from `from` to `until` (ms), earliest first. Ids are searched by their own
 * time, which for seeded events may differ from the receive time by at most `WAITS.seedSkew`.
 */
export async function receivedBetween(
  db: D1Database,
  environmentId: string,
  name: string,
  { from, until }: { from: number; until: number },
): Promise<string[]> {
  // The partial index knows no names of the engine's own; those are found by their time alone.
  const internal = /^inngest\//i.test(name);
  const index = internal ? "" : "INDEXED BY events_by_name";
  const { results } = await db
    .prepare(
      `SELECT internal_id AS id FROM events ${index}
       WHERE environment_id = ?1 AND name = ?2 AND internal = ${internal ? 1 : 0} AND internal_id >= ?3
         AND received_at BETWEEN ?4 AND ?5
       ORDER BY received_at, internal_id`,
    )
    .bind(environmentId, name, encodeUlid(Math.max(from - WAITS.seedSkew, 0), NO_ENTROPY), from, until)
    .all<{ id: string }>();
  return results.map(({ id }) => id);
}
