/**
 * Apps and functions in D1. Owns their statements; every one names its environment (SE-8), and callers have run `ensureSchema`.
 * Guarantees that a registration replaces an app's function set as one transaction, together with the catalog's version.
 */
import { encodeRow, packRows } from "../history/bulk.ts";
import { HISTORY, WAITS } from "../limits.ts";
import type { RegisteredApp } from "./catalog-index.ts";
import { configurationText, type StoredFunction } from "./changes.ts";
import type { FunctionConfiguration, PausedRuns, RegisteredFunction } from "./function.ts";
import type { NormalisedFunction } from "./normalise.ts";

/** An app with everything that is recorded about it (AP-8). Times are ms since 1970. */
export interface StoredApp extends RegisteredApp {
  readonly method: "serve" | "API";
  readonly framework: string | null;
  readonly platform: string | null;
  readonly appVersion: string | null;
  /** JSON text of an object. */
  readonly capabilities: string;
  readonly checksum: string;
  readonly syncedAt: number;
  /** Why its last sync failed; null after a success. */
  readonly error: string | null;
}

const APP_COLUMNS = `id, name, url, method, sdk, framework, platform, app_version AS appVersion, capabilities, checksum,
  synced_at AS syncedAt, error, archived_at IS NOT NULL AS archived`;

/** All apps of an environment in order of name, archived ones included. */
export async function listApps(db: D1Database, environmentId: string): Promise<StoredApp[]> {
  const { results } = await db
    .prepare(`SELECT ${APP_COLUMNS} FROM apps WHERE environment_id = ?1 ORDER BY name`)
    .bind(environmentId)
    .all<AppRow>();
  return results.map(toApp);
}

/** An app and its functions; null when it was never registered. */
export async function findApp(
  db: D1Database,
  environmentId: string,
  appId: string,
): Promise<{ readonly app: StoredApp; readonly functions: readonly StoredFunction[] } | null> {
  const [apps, functions] = await db.batch<unknown>([
    db.prepare(`SELECT ${APP_COLUMNS} FROM apps WHERE environment_id = ?1 AND id = ?2`).bind(environmentId, appId),
    db
      .prepare(`SELECT id, slug, name, url, configuration, archived_at IS NOT NULL AS archived
        FROM functions WHERE environment_id = ?1 AND app_id = ?2 ORDER BY slug`)
      .bind(environmentId, appId),
  ]);
  // The columns are those of the statements just above.
  const [row] = (apps?.results ?? []) as AppRow[];
  if (row === undefined) return null;
  const rows = (functions?.results ?? []) as (Omit<StoredFunction, "archived"> & Archived)[];
  return { app: toApp(row), functions: rows.map((found) => ({ ...found, archived: found.archived === 1 })) };
}

/** The version of an environment's catalog; 0 before the first registration. */
export async function readCatalogVersion(db: D1Database, environmentId: string): Promise<number> {
  return (await versionStatement(db, environmentId).first<number>("version")) ?? 0;
}

/** Everything registered in an environment, read in one transaction. Functions are in order of slug. */
export async function readCatalog(
  db: D1Database,
  environmentId: string,
): Promise<{
  readonly version: number;
  readonly apps: readonly RegisteredApp[];
  readonly functions: readonly RegisteredFunction[];
  /** Names that runs wait for; one more than `WAITS.names` when there are too many to list. */
  readonly awaited: readonly string[];
}> {
  const [versions, apps, functions, names] = await db.batch<unknown>([
    versionStatement(db, environmentId),
    db
      .prepare(
        "SELECT id, name, url, sdk, archived_at IS NOT NULL AS archived FROM apps WHERE environment_id = ?1 ORDER BY name",
      )
      .bind(environmentId),
    db
      .prepare(`SELECT f.id, f.slug, f.name, f.version, f.url, f.configuration, f.app_id AS appId, a.name AS appName,
          f.archived_at IS NOT NULL OR a.archived_at IS NOT NULL OR EXISTS (
            SELECT 1 FROM environments e WHERE e.id = f.environment_id AND e.archived_at IS NOT NULL
          ) AS archived,
          f.paused_at AS pausedAt, f.paused_running AS pausedRunning, f.resumed_at AS resumedAt
        FROM functions f JOIN apps a ON a.environment_id = f.environment_id AND a.id = f.app_id
        WHERE f.environment_id = ?1 ORDER BY f.slug, f.id`)
      .bind(environmentId),
    db
      .prepare("SELECT name FROM awaited_names WHERE environment_id = ?1 LIMIT ?2")
      .bind(environmentId, WAITS.names + 1),
  ]);
  // The columns are those of the statements just above.
  const [counted] = (versions?.results ?? []) as { version: number }[];
  const appRows = (apps?.results ?? []) as (Omit<RegisteredApp, "archived"> & Archived)[];
  const functionRows = (functions?.results ?? []) as FunctionRow[];
  const nameRows = (names?.results ?? []) as { name: string }[];
  return {
    version: counted?.version ?? 0,
    apps: appRows.map((row) => ({ ...row, archived: row.archived === 1 })),
    functions: functionRows.map(toFunction),
    awaited: nameRows.map(({ name }) => name),
  };
}

/** What a registration stores. */
export interface AppRegistration extends Omit<StoredApp, "archived" | "error"> {
  readonly functions: readonly (NormalisedFunction & { readonly id: string })[];
}

// A function that did not change is not written, and one that only moved keeps its version (AP-6).
const SAVE_FUNCTIONS = `INSERT INTO functions (environment_id, id, app_id, slug, name, version, url, configuration)
  SELECT ?1, value->>0, ?2, value->>1, value->>2, 1, value->>3, value->>4 FROM json_each(?3) WHERE true
  ON CONFLICT (environment_id, id) DO UPDATE
  SET name = excluded.name, url = excluded.url, configuration = excluded.configuration, archived_at = NULL,
    version = functions.version
      + (functions.name <> excluded.name OR functions.configuration <> excluded.configuration)
  WHERE functions.archived_at IS NOT NULL OR functions.name <> excluded.name OR functions.url <> excluded.url
    OR functions.configuration <> excluded.configuration`;

const SAVE_APP = `INSERT INTO apps (environment_id, id, name, url, method, sdk, framework, platform, app_version, capabilities,
    checksum, synced_at)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
  ON CONFLICT (environment_id, id) DO UPDATE
  SET url = excluded.url, method = excluded.method, sdk = excluded.sdk, framework = excluded.framework,
    platform = COALESCE(excluded.platform, apps.platform), app_version = excluded.app_version,
    capabilities = excluded.capabilities, checksum = excluded.checksum, synced_at = excluded.synced_at,
    error = NULL, archived_at = NULL`;

/** Statements that make the registration the app's only one; to be run in one `batch()`. */
export function saveStatements(
  db: D1Database,
  environmentId: string,
  registration: AppRegistration,
): D1PreparedStatement[] {
  const { id, name, url, method, sdk, framework, platform, appVersion, capabilities, checksum, syncedAt } =
    registration;
  const rows = registration.functions.map((configured) => {
    const { slug, configuration } = configured;
    return encodeRow([configured.id, slug, configured.name, configuration.url, configurationText(configured)]);
  });
  const ids = JSON.stringify(registration.functions.map((configured) => configured.id));
  return [
    db
      .prepare(SAVE_APP)
      .bind(
        environmentId,
        id,
        name,
        url,
        method,
        sdk,
        framework,
        platform,
        appVersion,
        capabilities,
        checksum,
        syncedAt,
      ),
    ...packRows(rows, HISTORY.rowBytes).map((packed) => db.prepare(SAVE_FUNCTIONS).bind(environmentId, id, packed)),
    db
      .prepare(`UPDATE functions SET archived_at = ?4
        WHERE environment_id = ?1 AND app_id = ?2 AND archived_at IS NULL
          AND id NOT IN (SELECT value FROM json_each(?3))`)
      .bind(environmentId, id, ids, syncedAt),
    bumpStatement(db, environmentId),
  ];
}

/** What is stored of an app: how many functions, and whether one of them has this id; archived ones count. */
export async function countFunctions(
  db: D1Database,
  environmentId: string,
  appId: string,
  functionId: string,
): Promise<{ readonly count: number; readonly found: boolean }> {
  const row = await db
    .prepare("SELECT COUNT(*) AS count, MAX(id = ?3) AS found FROM functions WHERE environment_id = ?1 AND app_id = ?2")
    .bind(environmentId, appId, functionId)
    .first<{ count: number; found: 0 | 1 | null }>();
  return { count: row?.count ?? 0, found: row?.found === 1 };
}

/** Statements that list an endpoint (EX-68); to be run in one `batch()`. What is listed already stays as it is. */
export function endpointStatements(
  db: D1Database,
  environmentId: string,
  app: Pick<StoredApp, "id" | "name" | "url" | "sdk" | "syncedAt">,
  { id, slug, name, url, configuration }: Omit<StoredFunction, "archived">,
): D1PreparedStatement[] {
  return [
    db
      .prepare(`INSERT INTO apps (environment_id, id, name, url, method, sdk, capabilities, checksum, synced_at)
        VALUES (?1, ?2, ?3, ?4, 'API', ?5, '{}', '', ?6) ON CONFLICT DO NOTHING`)
      .bind(environmentId, app.id, app.name, app.url, app.sdk, app.syncedAt),
    db
      .prepare(`INSERT INTO functions (environment_id, id, app_id, slug, name, version, url, configuration)
        VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?7) ON CONFLICT DO NOTHING`)
      .bind(environmentId, id, app.id, slug, name, url, configuration),
    bumpStatement(db, environmentId),
  ];
}

/** Notes a sync that changed nothing. */
export function touchStatement(db: D1Database, environmentId: string, appId: string, now: number): D1PreparedStatement {
  return db
    .prepare("UPDATE apps SET synced_at = ?3, error = NULL WHERE environment_id = ?1 AND id = ?2")
    .bind(environmentId, appId, now);
}

/** Archives the app served at a URL (AP-24). False when there is no such active app. */
export async function archiveAppAt(db: D1Database, environmentId: string, url: string, now: number): Promise<boolean> {
  const [archived] = await db.batch([
    db
      .prepare("UPDATE apps SET archived_at = ?3 WHERE environment_id = ?1 AND url = ?2 AND archived_at IS NULL")
      .bind(environmentId, url, now),
    bumpStatement(db, environmentId),
  ]);
  return (archived?.meta.changes ?? 0) > 0;
}

function versionStatement(db: D1Database, environmentId: string): D1PreparedStatement {
  return db.prepare("SELECT version FROM catalog_versions WHERE environment_id = ?1").bind(environmentId);
}

/** Makes every isolate read the catalog anew. */
export function bumpStatement(db: D1Database, environmentId: string): D1PreparedStatement {
  return db
    .prepare(`INSERT INTO catalog_versions (environment_id, version) VALUES (?1, 1)
      ON CONFLICT (environment_id) DO UPDATE SET version = version + 1`)
    .bind(environmentId);
}

/** SQLite has no booleans. */
interface Archived {
  readonly archived: 0 | 1;
}

type AppRow = Omit<StoredApp, "archived"> & Archived;

function toApp(row: AppRow): StoredApp {
  return { ...row, archived: row.archived === 1 };
}

interface FunctionRow extends Archived {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly version: number;
  readonly url: string;
  readonly configuration: string;
  readonly appId: string;
  readonly appName: string;
  readonly pausedAt: number | null;
  readonly pausedRunning: PausedRuns | null;
  readonly resumedAt: number | null;
}

function toFunction(row: FunctionRow): RegisteredFunction {
  // Written by saveStatements from a FunctionConfiguration without its URL.
  const configuration = JSON.parse(row.configuration) as Omit<FunctionConfiguration, "url">;
  const { id, slug, name, version, url, appId, appName, pausedAt, pausedRunning, resumedAt } = row;
  const pause = pausedAt === null ? null : { since: pausedAt, running: pausedRunning ?? "hold" };
  return {
    id,
    slug,
    name,
    version,
    app: { id: appId, name: appName },
    configuration: { ...configuration, url },
    archived: row.archived === 1,
    paused: pause === null || resumedAt !== null ? null : pause,
    resumed: pause === null || resumedAt === null ? null : { ...pause, until: resumedAt },
  };
}
