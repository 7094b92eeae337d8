/**
 * Apps over REST v1 (API-17, protocol/11): the list, an app's functions, and syncing by URL (AP-5, AP-9).
 * Owns the routes and the JSON of apps and functions.
 */
import { Hono } from "hono";
import * as z from "zod";
import { catalogOf } from "../apps/catalog.ts";
import type { RegisteredFunction } from "../apps/function.ts";
import { listApps, type StoredApp } from "../apps/store.ts";
import { syncUrl } from "../apps/sync.ts";
import { MillraceError } from "../errors.ts";
import { readBody } from "../events/body.ts";
import { parseJson } from "../json.ts";
import { REGISTRATION } from "../limits.ts";
import type { Api } from "./api.ts";
import { authenticate } from "./authentication.ts";
import { database } from "./database.ts";
import { reply } from "./v1/reply.ts";
import { isoTime } from "./v1/time.ts";

/** The routes. */
export const apps = new Hono<Api>();

apps.get("/v1/apps", authenticate, database, async (context) => {
  const { id } = context.get("environment");
  const [stored, catalog] = await Promise.all([listApps(context.env.DB, id), catalogOf(context.env, id, Date.now())]);
  return reply(
    context,
    stored.map((app) => appJson(app, catalog.functions)),
  );
});

const syncBody = z.object({ url: z.string().min(1) });

apps.post("/v1/apps", authenticate, async (context) => {
  const parsed = parseJson(await readBody(context.req.raw, REGISTRATION.bodyBytes));
  const body = syncBody.safeParse(parsed.ok ? parsed.value : null);
  if (!body.success)
    throw new MillraceError("invalid_request", 'The body must be { "url": "<serve URL of the app>" }.');
  const environment = context.get("environment");
  const now = Date.now();
  const result = await syncUrl(context.env, environment, body.data.url, { origin: "rest", now }).catch(asBadRequest);
  if (result instanceof MillraceError) {
    return context.json({ status: 400, code: result.code, error: result.message, data: null }, 400);
  }
  const [stored, catalog] = await Promise.all([
    listApps(context.env.DB, environment.id),
    catalogOf(context.env, environment.id, now),
  ]);
  const app = stored.find(({ id }) => id === result.appId);
  if (app === undefined) throw new MillraceError("app_not_found", "The app was removed while it was synced.");
  const warnings = result.warnings.map(({ functionId, option, message }) => ({
    function: functionId,
    option,
    message,
  }));
  const sync = { id: result.syncId, modified: result.modified, ...result.changes, warnings };
  return reply(context, { ...appJson(app, catalog.functions), sync });
});

/** The app's refusals are no refusals of the caller: its 401 and 403 must not look like the engine's own. */
function asBadRequest(error: unknown): MillraceError {
  if (error instanceof MillraceError && (error.status === 401 || error.status === 403)) return error;
  throw error;
}

apps.get("/v1/apps/:name/functions", authenticate, async (context) => {
  const name = context.req.param("name");
  const catalog = await catalogOf(context.env, context.get("environment").id, Date.now());
  const app = catalog.apps.find((known) => known.name === name || known.id === name);
  if (app === undefined) throw new MillraceError("app_not_found", `No app has the name or id "${name}".`);
  return context.json(catalog.functions.filter((registered) => registered.app.id === app.id).map(functionJson));
});

function appJson(app: StoredApp, functions: readonly RegisteredFunction[]) {
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

function functionJson({ id, slug, name, version, app, configuration, archived }: RegisteredFunction) {
  const { triggers, url, ...options } = configuration;
  return {
    id,
    slug,
    name,
    version,
    app_id: app.id,
    app_name: app.name,
    triggers: triggers.map(({ kind: _kind, ...trigger }) => trigger),
    url,
    configuration: options,
    archived,
  };
}
