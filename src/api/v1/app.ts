/**
 * Apps and syncs as REST v1 shows them (API-17). Pure. Owns the JSON shapes.
 */
import * as z from "zod";
import type { RegisteredFunction } from "../../apps/function.ts";
import type { StoredApp } from "../../apps/store.ts";
import type { SyncResult } from "../../apps/sync.ts";
import type { StoredSync } from "../../apps/sync-history.ts";
import type { Json } from "../../json.ts";
import { anyJson } from "../../protocol/any-json.ts";
import { time } from "./reply.ts";
import { isoTime } from "./time.ts";

const appFields = {
  id: z.string(),
  name: z.string(),
  url: z.string(),
  method: z.enum(["serve", "API"]),
  sdk: z.object({ language: z.string(), version: z.string() }),
  framework: z.string().nullable(),
  platform: z.string().nullable(),
  app_version: z.string().nullable(),
  capabilities: anyJson,
  function_count: z.int(),
  synced_at: time,
  error: z.string().nullable(),
  archived: z.boolean(),
};

const changed = z.object({
  slug: z.string(),
  fields: z.array(z.object({ field: z.string(), before: anyJson, after: anyJson })),
});

const changes = { added: z.array(z.string()), changed: z.array(changed), removed: z.array(z.string()) };

const syncResult = z
  .object({
    id: z.string(),
    modified: z.boolean(),
    ...changes,
    warnings: z.array(z.object({ function: z.string(), option: z.string(), message: z.string() })),
  })
  .meta({ id: "SyncResult" });

/** The form of an app. */
export const appReply = z.object(appFields).meta({ id: "App" });

/** The form of an app that was just synced. */
export const syncedAppReply = z.object({ ...appFields, sync: syncResult }).meta({ id: "SyncedApp" });

/** The form of {@link syncJson}. */
export const syncReply = z
  .object({
    id: z.string(),
    origin: z.enum(["app", "dashboard", "cli", "rest", "poll", "connect"]),
    result: z.enum(["success", "unchanged", "failed"]),
    url: z.string().nullable(),
    sdk: z.string(),
    app_version: z.string().nullable(),
    message: z.string().nullable(),
    changes: z.record(z.string(), anyJson),
    created_at: time,
  })
  .meta({ id: "Sync" });

/** The form of a check of an app's health (AP-26). */
export const healthReply = z
  .object({
    healthy: z.boolean(),
    checks: z.array(
      z.object({
        check: z.string(),
        result: z.enum(["ok", "failed", "unknown"]),
        detail: z.string(),
        advice: z.string().nullable(),
      }),
    ),
  })
  .meta({ id: "AppHealth" });

/** The app object; of `functions` those count that are its own and active. */
export function appJson(app: StoredApp, functions: readonly RegisteredFunction[]): z.output<typeof appReply> {
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
    capabilities: JSON.parse(app.capabilities) as Json,
    function_count: count,
    synced_at: isoTime(app.syncedAt),
    error: app.error,
    archived: app.archived,
  };
}

/** What a sync that was asked for did. */
export function syncResultJson({ syncId, modified, changes, warnings }: SyncResult): z.output<typeof syncResult> {
  return {
    id: syncId,
    modified,
    added: [...changes.added],
    changed: changes.changed.map(({ slug, fields }) => ({ slug, fields: [...fields] })),
    removed: [...changes.removed],
    warnings: warnings.map(({ functionId, option, message }) => ({ function: functionId, option, message })),
  };
}

/** A sync of the past (AP-11). `changes` names what it added, changed field by field, and removed. */
export function syncJson(sync: StoredSync): z.output<typeof syncReply> {
  const { id, origin, result, url, sdk, appVersion, message, changes, createdAt } = sync;
  return {
    id,
    origin,
    result,
    url,
    sdk,
    app_version: appVersion,
    message,
    changes: { ...changes },
    created_at: isoTime(createdAt),
  };
}
