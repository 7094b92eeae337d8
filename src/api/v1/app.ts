/**
 * Apps and syncs as REST v1 shows them (API-17). Pure. Owns the JSON shapes.
 */
import type { RegisteredFunction } from "../../apps/function.ts";
import type { StoredApp } from "../../apps/store.ts";
import type { SyncResult } from "../../apps/sync.ts";
import type { StoredSync } from "../../apps/sync-history.ts";
import { isoTime } from "./time.ts";

/** The app object; of `functions` those count that are its own and active. */
export function appJson(app: StoredApp, functions: readonly RegisteredFunction[]) {
  const [language = "", version = ""] = app.sdk.split(":v");
  const count = functions.filter((registered) => registered.app.id === app.id && !registered.archived).length;
  return {
    id: app.id,
    name: app.name,
    url: app.url,
    method: app.method,
    sdk: { language, version },
    framework: app.framework,
    platform: app.platform,
    app_version: app.appVersion,
    // Written by the sync from a JSON object.
    capabilities: JSON.parse(app.capabilities) as unknown,
    function_count: count,
    synced_at: isoTime(app.syncedAt),
    error: app.error,
    archived: app.archived,
  };
}

/** What a sync that was asked for did. */
export function syncResultJson({ syncId, modified, changes, warnings }: SyncResult) {
  return {
    id: syncId,
    modified,
    ...changes,
    warnings: warnings.map(({ functionId, option, message }) => ({ function: functionId, option, message })),
  };
}

/** A sync of the past (AP-11). `changes` names what it added, changed field by field, and removed. */
export function syncJson({ id, origin, result, url, sdk, appVersion, message, changes, createdAt }: StoredSync) {
  return { id, origin, result, url, sdk, app_version: appVersion, message, changes, created_at: isoTime(createdAt) };
}
