/**
 * The history of syncs in D1 (AP-9, AP-10, AP-11). Owns which syncs are kept and what an entry holds.
 * Every statement names its environment (SE-8); callers have run `ensureSchema`.
 */
import { utf8Length } from "../history/bulk.ts";
import { type Listing, listing, type Page, type PagedRow, pagedQuery } from "../history/page.ts";
import type { JsonObject } from "../json.ts";
import { HISTORY } from "../limits.ts";
import type { RegistrationChanges } from "./changes.ts";
import type { Warning } from "./violation.ts";

/** Who started a sync (AP-11). */
export type SyncOrigin = "app" | "dashboard" | "cli" | "rest" | "poll" | "connect";

/** What is known of a sync whatever its result. */
export interface SyncFacts {
  /** ULID. */
  readonly id: string;
  readonly origin: SyncOrigin;
  readonly url: string | null;
  readonly sdk: string;
  readonly appVersion: string | null;
  /** ms since 1970. */
  readonly createdAt: number;
}

/** What a successful sync did. */
export interface SyncEffect {
  readonly changes: RegistrationChanges;
  readonly warnings: readonly Warning[];
}

const COLUMNS = "environment_id, id, app_id, origin, result, url, sdk, app_version, message, changes, created_at";

/**
 * The entry of a sync that succeeded. A poll that changed nothing leaves none: it repeats every few seconds.
 */
export function successStatements(
  db: D1Database,
  environmentId: string,
  appId: string,
  facts: SyncFacts,
  outcome: { readonly modified: boolean } & SyncEffect,
): D1PreparedStatement[] {
  if (!outcome.modified && facts.origin === "poll") return [];
  const { id, origin, url, sdk, appVersion, createdAt } = facts;
  const result = outcome.modified ? "success" : "unchanged";
  const insert = db
    .prepare(
      `INSERT INTO syncs (${COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, NULL, ?9, ?10) ON CONFLICT DO NOTHING`,
    )
    .bind(environmentId, id, appId, origin, result, url, sdk, appVersion, effectText(outcome), createdAt);
  return [insert];
}

/** A row may hold 2 MB: where the fields do not fit, the entry names the functions only. */
function effectText({ changes, warnings }: SyncEffect): string {
  const text = JSON.stringify({ ...changes, warnings });
  if (utf8Length(text) <= HISTORY.rowBytes) return text;
  const changed = changes.changed.map(({ slug }) => ({ slug, fields: [] }));
  return JSON.stringify({ ...changes, changed, warnings: [] });
}

/** Syncs whose failure is told to whoever asked for them, and only there (AP-9). */
const MANUAL: ReadonlySet<SyncOrigin> = new Set(["dashboard", "cli", "rest"]);

// One entry per distinct error of a poll (AP-27). An app that is not known makes it an unattached sync (AP-10).
const INSERT_FAILURE = `INSERT INTO syncs (${COLUMNS})
  SELECT ?1, ?2, (SELECT id FROM apps WHERE environment_id = ?1 AND id = ?3), ?4, 'failed', ?5, ?6, ?7, ?8, '{}', ?9
  WHERE ?4 <> 'poll' OR NOT EXISTS (
    SELECT 1 FROM syncs
    WHERE environment_id = ?1 AND origin = 'poll' AND result = 'failed' AND url IS ?5 AND message = ?8)
  ON CONFLICT DO NOTHING`;

/** Keeps a failed sync, and shows its message at the app when that is known. Does nothing for a manual sync. */
export async function recordFailure(
  db: D1Database,
  environmentId: string,
  appId: string,
  facts: SyncFacts,
  message: string,
): Promise<void> {
  if (MANUAL.has(facts.origin)) return;
  const { id, origin, url, sdk, appVersion, createdAt } = facts;
  await db.batch([
    db.prepare(INSERT_FAILURE).bind(environmentId, id, appId, origin, url, sdk, appVersion, message, createdAt),
    db
      .prepare("UPDATE apps SET error = ?3 WHERE environment_id = ?1 AND id = ?2 AND error IS NOT ?3")
      .bind(environmentId, appId, message),
  ]);
}

/** A sync as it is kept. */
export interface StoredSync extends SyncFacts {
  /** `unchanged`: the app was registered exactly so before. */
  readonly result: "success" | "unchanged" | "failed";
  /** Why it failed; null otherwise. */
  readonly message: string | null;
  /** What it added, changed and removed, with its warnings; empty for a sync that failed. */
  readonly changes: JsonObject;
}

/** The syncs of an app, newest first (AP-11). */
export async function listSyncs(
  db: D1Database,
  environmentId: string,
  appId: string,
  { limit, cursor }: Page,
): Promise<Listing<StoredSync>> {
  const select = `SELECT id, origin, result, url, sdk, app_version AS appVersion, message, changes, created_at AS createdAt,
      LENGTH(CAST(changes AS BLOB)) AS size
    FROM syncs WHERE environment_id = ?1 AND app_id = ?2 AND id < COALESCE(?3, 'Z')`;
  const { results } = await db
    .prepare(pagedQuery(select, "id", "?4", "?5"))
    .bind(environmentId, appId, cursor, limit, HISTORY.pageBytes)
    .all<Omit<StoredSync, "changes"> & { readonly changes: string } & PagedRow>();
  // Written by effectText from an object.
  const items = results.map((row) => ({ ...row, changes: JSON.parse(row.changes) as JsonObject }));
  return listing(results, items, (sync) => sync.id);
}

/** What became of an app that the engine had asked to register by itself. */
export interface FoundSync extends SyncEffect {
  readonly appId: string;
  /** Null for a poll that changed nothing, which leaves no entry. */
  readonly id: string | null;
  readonly modified: boolean;
}

const NOTHING: SyncEffect = { changes: { added: [], changed: [], removed: [] }, warnings: [] };

/**
 * The success that came of asking the app at `url` under the sync id `since`: the entry with that id when the SDK passed it on,
 * otherwise whatever that URL registered from `now` (ms) on; null when nothing arrived.
 */
export async function findSyncSince(
  db: D1Database,
  environmentId: string,
  since: string,
  { url, now }: { readonly url: string; readonly now: number },
): Promise<FoundSync | null> {
  const row = await db
    .prepare(`SELECT a.id AS appId, s.id, s.result, s.changes
      FROM apps a LEFT JOIN syncs s
        ON s.environment_id = a.environment_id AND s.id >= ?2 AND s.app_id = a.id AND s.result <> 'failed'
      WHERE a.environment_id = ?1 AND (s.id = ?2 OR (a.url = ?3 AND a.synced_at >= ?4))
      ORDER BY s.id = ?2 DESC, s.id LIMIT 1`)
    .bind(environmentId, since, url, now)
    .first<{ appId: string; id: string | null; result: "success" | "unchanged" | null; changes: string | null }>();
  if (row === null) return null;
  if (row.changes === null) return { appId: row.appId, id: null, modified: false, ...NOTHING };
  // Written by effectText.
  const { warnings, ...changes } = JSON.parse(row.changes) as RegistrationChanges & { warnings: Warning[] };
  return { id: row.id, appId: row.appId, modified: row.result === "success", changes, warnings };
}
