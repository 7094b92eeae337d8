/**
 * Apps, their functions and syncs over v2 (API-22). Owns the JSON shapes of this surface; what an app is, and what syncing does, is src/apps'.
 */
import * as z from "zod";
import { currentCatalog } from "../../apps/catalog.ts";
import type { RegisteredFunction } from "../../apps/function.ts";
import { appIn, functionIn } from "../../apps/named.ts";
import { listApps, type StoredApp } from "../../apps/store.ts";
import { syncUrl } from "../../apps/sync.ts";
import { listSyncs } from "../../apps/sync-history.ts";
import { MillraceError } from "../../errors.ts";
import { COMMAND } from "../../limits.ts";
import { anyJson } from "../../protocol/any-json.ts";
import { isoTime } from "../v1/time.ts";
import { type Call, operation, pageEnd } from "./operation.ts";
import { name, paging } from "./parameters.ts";

const appReply = z
  .object({
    id: z.string(),
    name: z.string(),
    url: z.string(),
    method: z.enum(["SERVE", "API"]),
    sdk: z.string(),
    framework: z.string().nullable(),
    platform: z.string().nullable(),
    appVersion: z.string().nullable(),
    functionCount: z.int(),
    syncedAt: z.iso.datetime(),
    error: z.string().nullable(),
    isArchived: z.boolean(),
  })
  .meta({ id: "App" });

const syncReply = z
  .object({
    id: z.string(),
    appId: z.string(),
    origin: z.enum(["APP", "DASHBOARD", "CLI", "REST", "POLL", "CONNECT"]),
    status: z.enum(["SUCCESS", "UNCHANGED", "FAILED"]),
    url: z.string().nullable(),
    error: z.string().nullable(),
    changes: z.record(z.string(), anyJson),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: "Sync" });

const triggerReply = z.object({
  event: z.string().optional(),
  condition: z.string().optional(),
  cron: z.string().optional(),
});

const functionReply = z
  .object({
    id: z.string(),
    slug: z.string(),
    name: z.string(),
    version: z.int(),
    app: z.object({ id: z.string(), name: z.string() }),
    triggers: z.array(triggerReply),
    retries: z.int(),
    isPaused: z.boolean(),
    isArchived: z.boolean(),
  })
  .meta({ id: "Function" });

async function appsOf({ bindings, environment, now }: Call) {
  const [stored, catalog] = await Promise.all([
    listApps(bindings.DB, environment.id),
    currentCatalog(bindings, environment.id, now),
  ]);
  return { apps: stored.map((app) => appJson(app, catalog.functions)), catalog };
}

async function appNamed(call: Call, named: string): Promise<z.output<typeof appReply>> {
  const { apps } = await appsOf(call);
  const app = apps.find((known) => known.name === named) ?? apps.find(({ id }) => id === named);
  if (app === undefined) throw new MillraceError("app_not_found", `No app has the id "${named}".`);
  return app;
}

/** The calls. All of an account's apps, and of an app's functions, fit on one page. */
export const apps = [
  operation({
    id: "listApps",
    method: "GET",
    path: "/apps",
    summary: "All apps.",
    parameters: paging(),
    paged: true,
    data: z.array(appReply),
    handler: async (call, { limit, cursor }) => {
      return { data: cursor === null ? (await appsOf(call)).apps : [], page: pageEnd(limit, null) };
    },
  }),
  operation({
    id: "getApp",
    method: "GET",
    path: "/apps/:appId",
    summary: "One app, by its name or id.",
    parameters: { appId: name },
    data: appReply,
    handler: async (call, { appId }) => ({ data: await appNamed(call, appId) }),
  }),
  operation({
    id: "listSyncs",
    method: "GET",
    path: "/apps/:appId/syncs",
    summary: "The syncs of an app, newest first.",
    parameters: { appId: name, ...paging() },
    paged: true,
    data: z.array(syncReply),
    handler: async (call, { appId, ...page }) => {
      const { id } = await appNamed(call, appId);
      const { items, nextCursor } = await listSyncs(call.bindings.DB, call.environment.id, id, page);
      const data = items.map(({ origin, result, url, message, changes, createdAt, id: syncId }) => ({
        id: syncId,
        appId: id,
        origin: upper(origin),
        status: upper(result),
        url,
        error: message,
        changes: { ...changes },
        createdAt: isoTime(createdAt),
      }));
      return { data, page: pageEnd(page.limit, nextCursor) };
    },
  }),
  operation({
    id: "syncApp",
    method: "POST",
    path: "/apps/:appId/syncs",
    summary: "Syncs an app now; with url, one that moved or is not known yet.",
    parameters: { appId: name },
    body: { url: name.nullable().default(null) },
    bodyBytes: COMMAND.bodyBytes,
    data: syncReply,
    handler: async (call, { appId, url }) => {
      const asked = url ?? (await appNamed(call, appId)).url;
      const { bindings, environment, now } = call;
      const result = await syncUrl(bindings, environment, asked, { origin: "rest", now });
      const { syncId, modified, changes } = result;
      const data = {
        id: syncId,
        appId: result.appId,
        origin: "REST" as const,
        status: modified ? ("SUCCESS" as const) : ("UNCHANGED" as const),
        url: asked,
        error: null,
        // Plain data by construction.
        changes: {
          added: changes.added,
          changed: JSON.parse(JSON.stringify(changes.changed)),
          removed: changes.removed,
        },
        createdAt: isoTime(now),
      };
      return { data };
    },
  }),
  operation({
    id: "listFunctions",
    method: "GET",
    path: "/apps/:appId/functions",
    summary: "The functions of an app.",
    parameters: { appId: name, ...paging() },
    paged: true,
    data: z.array(functionReply),
    handler: async ({ bindings, environment, now }, { appId, limit, cursor }) => {
      const catalog = await currentCatalog(bindings, environment.id, now);
      const { id } = appIn(catalog, appId);
      const own = cursor === null ? catalog.functions.filter(({ app }) => app.id === id) : [];
      return { data: own.map(functionJson), page: pageEnd(limit, null) };
    },
  }),
  operation({
    id: "getFunction",
    method: "GET",
    path: "/apps/:appId/functions/:functionId",
    summary: "One function of an app, by its own id, its slug or its UUID.",
    parameters: { appId: name, functionId: name },
    data: functionReply,
    handler: async ({ bindings, environment, now }, { appId, functionId }) => {
      const catalog = await currentCatalog(bindings, environment.id, now);
      return { data: functionJson(functionIn(catalog, { app: appId, function: functionId })) };
    },
  }),
];

function appJson(app: StoredApp, functions: readonly RegisteredFunction[]): z.output<typeof appReply> {
  return {
    id: app.id,
    name: app.name,
    url: app.url,
    method: app.method === "API" ? "API" : "SERVE",
    sdk: app.sdk,
    framework: app.framework,
    platform: app.platform,
    appVersion: app.appVersion,
    functionCount: functions.filter((registered) => registered.app.id === app.id && !registered.archived).length,
    syncedAt: isoTime(app.syncedAt),
    error: app.error,
    isArchived: app.archived,
  };
}

function functionJson(registered: RegisteredFunction): z.output<typeof functionReply> {
  const { id, slug, version, app, configuration, archived, paused } = registered;
  const triggers = configuration.triggers.map((trigger) => {
    if (trigger.kind === "cron") return { cron: trigger.cron };
    return { event: trigger.event, ...(trigger.expression === null ? {} : { condition: trigger.expression }) };
  });
  return {
    id,
    slug,
    name: registered.name,
    version,
    app,
    triggers,
    retries: configuration.retries,
    isPaused: paused !== null,
    isArchived: archived,
  };
}

function upper<Word extends string>(word: Word): Uppercase<Word> {
  // What `toUpperCase` gives is what the type says, for the words of ASCII that are used here.
  return word.toUpperCase() as Uppercase<Word>;
}
