/**
 * Where apps register (protocol/02 §2.1): `POST /fn/register`, and `DELETE /fn/remove` of the dev tools.
 * Owns these replies and what their headers and queries mean; the sync itself is src/apps'.
 */
import { Hono } from "hono";
import { createMiddleware } from "hono/factory";
import { forgetCatalog } from "../apps/catalog.ts";
import { parseDeployId } from "../apps/deploy-id.ts";
import { archiveAppAt } from "../apps/store.ts";
import { registerApp } from "../apps/sync.ts";
import { modeSentence } from "../apps/sync-call.ts";
import { checkServeUrl } from "../apps/url.ts";
import { appTargetPolicy } from "../calls/address.ts";
import { MillraceError } from "../errors.ts";
import { readBody } from "../events/body.ts";
import { newUlid } from "../ids.ts";
import { parseJson } from "../json.ts";
import { REGISTRATION } from "../limits.ts";
import { environmentStub } from "../objects.ts";
import type { Api } from "./api.ts";
import { authenticate } from "./authentication.ts";
import { database } from "./database.ts";

/** The routes. */
export const register = new Hono<Api>();

/** Refuses an app of the other mode with the sentence of AP-13, before its missing key would be all there is to say. */
const checkMode = createMiddleware<Api>(async (context, next) => {
  const { mode } = context.get("settings");
  const expected = context.req.header("x-inngest-expected-server-kind");
  if (expected !== undefined && expected !== mode) {
    const hint = expected === "dev" || expected === "cloud" ? ` ${modeSentence(expected, mode)}` : "";
    throw new MillraceError("environment_mismatch", `Expected server kind ${expected}, got ${mode}.${hint}`);
  }
  // SDKs in dev mode have no key, and TypeScript then sends the word "undefined".
  const keyless = /^(?:Bearer\s*(?:undefined)?)?\s*$/i.test(context.req.header("authorization") ?? "");
  if (mode === "cloud" && keyless && context.get("settings").signingKeys.length > 0) {
    throw new MillraceError("unauthorized", `The registration has no signing key. ${modeSentence("dev", mode)}`);
  }
  await next();
});

register.post("/fn/register", checkMode, authenticate, async (context) => {
  const now = Date.now();
  const parsed = parseJson(await readBody(context.req.raw, REGISTRATION.bodyBytes));
  if (!parsed.ok) throw new MillraceError("body_invalid", `The registration is not valid JSON: ${parsed.reason}.`);
  const asked = parseDeployId(context.req.query("deployId"));
  const result = await registerApp(context.env, parsed.value, {
    environment: context.get("environment"),
    settings: context.get("settings"),
    origin: asked?.origin ?? "app",
    syncId: asked?.syncId ?? newUlid(now),
    requestedUrl: null,
    now,
  });
  return context.json({ ok: true, modified: result.modified, sync_id: result.syncId, app_id: result.appId });
});

register.delete("/fn/remove", authenticate, database, async (context) => {
  const checked = checkServeUrl(context.req.query("url") ?? "", appTargetPolicy(context.get("settings")));
  if (!checked.ok) throw new MillraceError(checked.code, checked.message);
  const environment = context.get("environment");
  const archived = await archiveAppAt(context.env.DB, environment.id, checked.url, Date.now());
  forgetCatalog(context.env.DB, environment.id);
  await environmentStub(context.env, environment.id).reschedule();
  if (!archived) throw new MillraceError("app_not_found", "No app is registered at this URL.");
  return context.json({ ok: true });
});
