/**
 * Which pages may call the engine (API-26, EV-14, RT-6). Pages of any origin may use what carries a key or token of its own: the Event API,
 * realtime and what SDKs call. Everything else is for pages of the engine's own origin, in cloud mode, and REST for pages whose API key allows
 * them as well; in dev mode, where tools run on other ports, everything is open.
 */
import type { Context, MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { MillraceError } from "../errors.ts";
import { isPageOrigin } from "../keys/page-origins.ts";
import type { Settings } from "../settings.ts";
import type { Api } from "./api.ts";

/** Where pages of any origin may call, in cloud mode too (protocol/01 "CORS"). */
const OPEN = /^\/(?:health$|(?:e|invoke|fn|v1\/realtime|v1\/checkpoint|v1\/http\/runs|v0\/runs|v0\/connect)(?:\/|$))/;

/** What an API key may open to a page. */
const REST = /^(?:\/v1|\/v2|\/api\/v2)\//;

const common = {
  origin: (origin: string) => origin || "*",
  allowMethods: ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
  exposeHeaders: ["Link", "Mcp-Session-Id"],
};

const allowed = cors({ ...common, credentials: true, maxAge: 3600 });

/** For pages with a key: without cookies, and for as long as a change of keys may take. */
const allowedWithKey = cors({ ...common, credentials: false, maxAge: 10 });

/**
 * Answers pre-flights, and refuses requests of foreign pages with `forbidden` before anything acts on them. A page that some API key allows
 * passes, since a pre-flight carries no key; whether its own key allows it is judged by {@link checkPage}. Needs the settings.
 */
export const crossOrigin: MiddlewareHandler<Api> = async (context, next) => {
  const settings = context.get("settings");
  if (settings.mode === "dev" || OPEN.test(context.req.path)) {
    // A page of the public network that calls this machine asks for this beforehand.
    if (settings.mode === "dev" && context.req.header("access-control-request-private-network") === "true") {
      context.header("access-control-allow-private-network", "true");
    }
    return await allowed(context, next);
  }
  const origin = foreignOrigin(context);
  if (origin === null) return await next();
  if (REST.test(context.req.path) && (await isPageOrigin(context.env.DB, origin, Date.now()))) {
    return await allowedWithKey(context, next);
  }
  throw refused();
};

/** Throws `forbidden` when a page of another origin calls with a key that does not allow it; `origins` are those that it allows. */
export function checkPage(context: Context<Api>, origins: readonly string[]): void {
  if (context.get("settings").mode === "dev" || OPEN.test(context.req.path)) return;
  const origin = foreignOrigin(context);
  if (origin !== null && !origins.includes(origin)) throw refused();
}

function refused(): MillraceError {
  return new MillraceError("forbidden", "Pages of another origin may not call this.");
}

/** The origin of the page that calls; null for callers that are no page, and for the engine's own. */
function foreignOrigin(context: Context<Api>): string | null {
  const origin = context.req.header("origin");
  return origin === undefined || isOwn(origin, context.req.url, context.get("settings")) ? null : origin;
}

/** Whether an origin is the engine's own: the host it was called by, or its public URL behind a proxy. */
function isOwn(origin: string, url: string, { publicUrl }: Settings): boolean {
  const host = URL.parse(origin)?.host;
  return host !== undefined && [url, publicUrl ?? url].some((own) => new URL(own).host === host);
}
