/**
 * Apps over REST v1 (API-17, protocol/11): the list, one app with its functions and syncs, syncing by URL (AP-5, AP-9, AP-12), archiving
 * and bringing back (AP-24). An app is named by its client id or its UUID.
 */
import { type Context, Hono } from "hono";
import * as z from "zod";
import { archive, unarchive } from "../apps/archive.ts";
import { currentCatalog } from "../apps/catalog.ts";
import { checkHealth } from "../apps/health.ts";
import { listApps, type StoredApp } from "../apps/store.ts";
import { syncUrl } from "../apps/sync.ts";
import { listSyncs } from "../apps/sync-history.ts";
import { settingsIn } from "../environments/settings.ts";
import { MillraceError } from "../errors.ts";
import { COMMAND } from "../limits.ts";
import type { Api } from "./api.ts";
import { authenticate } from "./authentication.ts";
import { database } from "./database.ts";
import { described } from "./openapi/described.ts";
import { appJson, appReply, healthReply, syncedAppReply, syncJson, syncReply, syncResultJson } from "./v1/app.ts";
import { parseBody } from "./v1/body.ts";
import { functionJson, functionReply } from "./v1/function.ts";
import { pageQuery, parseQuery } from "./v1/query.ts";
import { list, one, reply, replyList } from "./v1/reply.ts";

/** The routes. */
export const apps = new Hono<Api>();

apps.get(
  "/v1/apps",
  described({ id: "listApps", summary: "All apps.", answers: { 200: one(z.array(appReply)) } }),
  authenticate,
  database,
  async (context) => {
    const { id } = context.get("environment");
    const [stored, { functions }] = await Promise.all([
      listApps(context.env.DB, id),
      currentCatalog(context.env, id, Date.now()),
    ]);
    return reply(
      context,
      stored.map((app) => appJson(app, functions)),
    );
  },
);

const serveUrl = z.string("must be the serve URL of the app").min(1, "must not be empty");
const newAppBody = z.object({ url: serveUrl });
const syncBody = z.object({ url: serveUrl.nullable().default(null) });

apps.post(
  "/v1/apps",
  described({
    id: "createApp",
    summary: "Syncs the app at a URL.",
    body: newAppBody,
    answers: { 200: one(syncedAppReply) },
  }),
  authenticate,
  database,
  async (context) => {
    const { url } = await parseBody(context, newAppBody, COMMAND.bodyBytes);
    return await sync(context, url);
  },
);

apps.get(
  "/v1/apps/:name",
  described({ id: "getApp", summary: "One app, by its name or id.", answers: { 200: one(appReply) } }),
  authenticate,
  database,
  async (context) => {
    return await shown(context, (await find(context)).id);
  },
);

apps.get(
  "/v1/apps/:name/functions",
  described({
    id: "listAppFunctions",
    summary: "The functions of an app, without an envelope.",
    answers: { 200: z.array(functionReply) },
  }),
  authenticate,
  database,
  async (context) => {
    const app = await find(context);
    const { functions } = await currentCatalog(context.env, context.get("environment").id, Date.now());
    return context.json(functions.filter((registered) => registered.app.id === app.id).map(functionJson));
  },
);

apps.get(
  "/v1/apps/:name/syncs",
  described({
    id: "listAppSyncs",
    summary: "The syncs of an app, newest first.",
    query: pageQuery,
    answers: { 200: list(syncReply) },
  }),
  authenticate,
  database,
  async (context) => {
    const page = parseQuery(pageQuery, context.req.query());
    const app = await find(context);
    const { items, nextCursor } = await listSyncs(context.env.DB, context.get("environment").id, app.id, page);
    return replyList(context, items.map(syncJson), nextCursor);
  },
);

apps.post(
  "/v1/apps/:name/sync",
  described({
    id: "syncApp",
    summary: "Syncs an app now, and says what that changed.",
    body: syncBody,
    answers: { 200: one(syncedAppReply) },
  }),
  authenticate,
  database,
  async (context) => {
    const { url } = await parseBody(context, syncBody, COMMAND.bodyBytes);
    const app = await find(context);
    refuseEndpoints(app);
    return await sync(context, url ?? app.url);
  },
);

apps.get(
  "/v1/apps/:name/workers",
  described({
    id: "listAppWorkers",
    summary: "The connect workers of an app; there are none yet.",
    answers: { 200: list(z.looseObject({})) },
  }),
  authenticate,
  database,
  async (context) => {
    await find(context);
    return replyList(context, [], null);
  },
);

apps.get(
  "/v1/apps/:name/health",
  described({
    id: "checkAppHealth",
    summary: "Calls an app and says, check by check, what is right and what to do.",
    answers: { 200: one(healthReply) },
  }),
  authenticate,
  database,
  async (context) => {
    const app = await find(context);
    refuseEndpoints(app);
    const environmentId = context.get("environment").id;
    const { functions } = await currentCatalog(context.env, environmentId, Date.now());
    const active = functions.filter((registered) => registered.app.id === app.id && !registered.archived).length;
    const settings = await settingsIn(context.env, environmentId, Date.now());
    const checks = await checkHealth(settings, { url: app.url, functions: active }, Date.now());
    return reply(context, { healthy: checks.every(({ result }) => result !== "failed"), checks });
  },
);

apps.post(
  "/v1/apps/:name/archive",
  described({ id: "archiveApp", summary: "Archives an app with all its functions.", answers: { 200: one(appReply) } }),
  authenticate,
  database,
  async (context) => {
    const { id, name } = await find(context);
    const archived = await archive(context.env, context.get("environment").id, "app", id, Date.now());
    if (!archived) throw new MillraceError("conflict", `The app "${name}" is archived already.`);
    return await shown(context, id);
  },
);

apps.post(
  "/v1/apps/:name/unarchive",
  described({ id: "unarchiveApp", summary: "Brings an archived app back.", answers: { 200: one(appReply) } }),
  authenticate,
  database,
  async (context) => {
    const { id, name } = await find(context);
    const restored = await unarchive(context.env, context.get("environment").id, "app", id);
    if (!restored) throw new MillraceError("conflict", `The app "${name}" is not archived.`);
    return await shown(context, id);
  },
);

/** The app a request names. Throws `app_not_found`. */
async function find(context: Context<Api, `/v1/apps/:name${string}`>): Promise<StoredApp> {
  const name = context.req.param("name");
  const stored = await listApps(context.env.DB, context.get("environment").id);
  const app = stored.find((known) => known.name === name) ?? stored.find(({ id }) => id === name);
  if (app === undefined) throw new MillraceError("app_not_found", `No app has the name or id "${name}".`);
  return app;
}

/** What lists endpoints has no serve URL. Throws `conflict`. */
function refuseEndpoints(app: StoredApp): void {
  if (app.method !== "API") return;
  throw new MillraceError("conflict", `"${app.name}" lists endpoints that were called, and is no served app.`);
}

/** Syncs the app at a URL and answers with that app, whichever it turns out to be, and what the sync changed. */
async function sync(context: Context<Api>, url: string): Promise<Response> {
  const request = { origin: "rest", now: Date.now() } as const;
  const result = await syncUrl(context.env, context.get("environment"), url, request).catch(asBadRequest);
  if (result instanceof MillraceError) {
    return context.json({ status: 400, code: result.code, error: result.message, data: null }, 400);
  }
  return await shown(context, result.appId, { sync: syncResultJson(result) });
}

/** The app's refusals are no refusals of the caller: its 401 and 403 must not look like the engine's own. */
function asBadRequest(error: unknown): MillraceError {
  if (error instanceof MillraceError && (error.status === 401 || error.status === 403)) return error;
  throw error;
}

/** The app as it is at this moment, and what else there is to say. */
async function shown(context: Context<Api>, id: string, more: object = {}): Promise<Response> {
  const environmentId = context.get("environment").id;
  const [stored, { functions }] = await Promise.all([
    listApps(context.env.DB, environmentId),
    currentCatalog(context.env, environmentId, Date.now()),
  ]);
  const app = stored.find((known) => known.id === id);
  if (app === undefined) throw new MillraceError("app_not_found", "The app was removed meanwhile.");
  return reply(context, { ...appJson(app, functions), ...more });
}
