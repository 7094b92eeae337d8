/**
 * Event names of an environment and how often they come (OB-18). Owns these queries: they read the index of events by name and nothing else,
 * so that they cost nothing when events are written. The engine's own names are left out.
 * Every statement names its environment (SE-8); callers have run `ensureSchema`.
 */
import { encodeUlid, ulidTime } from "../ids.ts";
import { METRICS, SEARCH } from "../limits.ts";

/** One event name. Times are ms since 1970; `recent` counts at most `METRICS.events`. */
export interface EventType {
  readonly name: string;
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly recent: number;
}

const INDEX = "events INDEXED BY events_by_name";

// One step through the index per name, however many events each has.
const NAMES = `WITH RECURSIVE names (name) AS (
    SELECT MIN(name) FROM ${INDEX} WHERE environment_id = ?1 AND internal = 0 AND name > ?2
    UNION ALL
    SELECT (SELECT MIN(name) FROM ${INDEX} WHERE environment_id = ?1 AND internal = 0 AND name > names.name)
    FROM names WHERE name IS NOT NULL LIMIT ?3 + 1
  )`;

const OF_NAME = `${INDEX} WHERE environment_id = ?1 AND internal = 0 AND name = names.name`;

const FIGURES = `SELECT name,
    (SELECT MIN(internal_id) FROM ${OF_NAME}) AS first,
    (SELECT MAX(internal_id) FROM ${OF_NAME}) AS last,
    (SELECT COUNT(*) FROM (SELECT 1 FROM ${OF_NAME} AND internal_id >= ?4 LIMIT ?5)) AS recent
  FROM names WHERE name IS NOT NULL LIMIT ?3`;

const ONE = `WITH names (name) AS (
    SELECT MIN(name) FROM ${INDEX} WHERE environment_id = ?1 AND internal = 0 AND name = ?2
  )`;

interface FiguresRow {
  readonly name: string;
  readonly first: string;
  readonly last: string;
  readonly recent: number;
}

/** At most `limit` names that follow `after` in their order, with what came since `from` (ms). */
export async function eventTypes(
  db: D1Database,
  environmentId: string,
  { after, limit, from }: { readonly after: string; readonly limit: number; readonly from: number },
): Promise<EventType[]> {
  const { results } = await db
    .prepare(`${NAMES} ${FIGURES}`)
    .bind(environmentId, after, limit, idAt(from), METRICS.events)
    .all<FiguresRow>();
  return results.map(typeOf);
}

/** One name with what came since `from` (ms); null when no event has it. */
export async function eventType(
  db: D1Database,
  environmentId: string,
  name: string,
  from: number,
): Promise<EventType | null> {
  const row = await db
    .prepare(`${ONE} ${FIGURES}`)
    .bind(environmentId, name, 1, idAt(from), METRICS.events)
    .first<FiguresRow>();
  return row === null ? null : typeOf(row);
}

function typeOf({ name, first, last, recent }: FiguresRow): EventType {
  return { name, firstSeen: ulidTime(first), lastSeen: ulidTime(last), recent };
}

/** Names that contain the text, case aside, in their order; only the first `SEARCH.global.names` are looked through. */
export async function namesContaining(
  db: D1Database,
  environmentId: string,
  part: string,
  limit: number,
): Promise<string[]> {
  const { results } = await db
    .prepare(`${NAMES} SELECT name FROM names WHERE name IS NOT NULL AND instr(lower(name), lower(?4)) > 0 LIMIT ?5`)
    .bind(environmentId, "", SEARCH.global.names, part, limit)
    .all<{ name: string }>();
  return results.map(({ name }) => name);
}

/** Events of a name between each two of the moments (ms, rising), and who sent the newest of them. */
export async function eventVolume(
  db: D1Database,
  environmentId: string,
  name: string,
  moments: readonly number[],
): Promise<{ readonly counts: number[]; readonly sources: string[] }> {
  const stretches = moments.slice(1).map((until, i) => [idAt(moments[i] ?? until), idAt(until)]);
  const counts = db
    .prepare(
      `SELECT (SELECT COUNT(*) FROM (
          SELECT 1 FROM ${INDEX} WHERE environment_id = ?1 AND internal = 0 AND name = ?2
            AND internal_id >= stretch.value->>0 AND internal_id < stretch.value->>1 LIMIT ?4
        )) AS count
       FROM json_each(?3) AS stretch ORDER BY stretch.key`,
    )
    .bind(environmentId, name, JSON.stringify(stretches), METRICS.events);
  const sources = db
    .prepare(
      `SELECT DISTINCT source FROM (
         SELECT source FROM ${INDEX} WHERE environment_id = ?1 AND internal = 0 AND name = ?2 ORDER BY internal_id DESC LIMIT ?3
       ) ORDER BY source`,
    )
    .bind(environmentId, name, METRICS.sources);
  const [counted, sent] = await db.batch<{ count: number; source: string }>([counts, sources]);
  return {
    counts: (counted?.results ?? []).map(({ count }) => count),
    sources: (sent?.results ?? []).map(({ source }) => source),
  };
}

/** The lowest id of a moment. */
function idAt(time: number): string {
  return encodeUlid(Math.max(time, 0), NO_ENTROPY);
}

const NO_ENTROPY = new Uint8Array(10);
