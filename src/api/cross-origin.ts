/**
 * Which pages may call the engine (API-26, EV-14, RT-6). Pages of any origin may use what carries a key or token of its own: the Event API,
 * realtime and what SDKs call. Everything else is for pages of the engine's own origin, in cloud mode; in dev mode, where tools run on other
 * ports, everything is open.
 */
import type { MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { MillraceError } from "../errors.ts";
import type { Settings } from "../settings.ts";
import type { Api } from "./api.ts";

/** Where pages of any origin may call, in cloud mode too (protocol/01 "CORS"). */
const OPEN = /^\/(?:health$|(?:e|invoke|fn|v1\/realtime|v1\/checkpoint|v1\/http\/runs|v0\/runs|v0\/connect)(?:\/|$))/;

const allowed = cors({
  origin: (origin) => origin || "*",
  allowMethods: ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
  exposeHeaders: ["Link", "Mcp-Session-Id"],
  credentials: true,
  maxAge: 3600,
});

/** Answers pre-flights, and refuses requests of foreign pages with `forbidden` before anything acts on them. Needs the settings. */
export const crossOrigin: MiddlewareHandler<Api> = async (context, next) => {
  const settings = context.get("settings");
  if (settings.mode === "dev" || OPEN.test(context.req.path)) {
    // A page of the public network that calls this machine asks for this beforehand.
    if (settings.mode === "dev" && context.req.header("access-control-request-private-network") === "true") {
      context.header("access-control-allow-private-network", "true");
    }
    return await allowed(context, next);
  }
  const origin = context.req.header("origin");
  if (origin !== undefined && !isOwn(origin, context.req.url, settings)) {
    throw new MillraceError("forbidden", "Pages of another origin may not call this.");
  }
  await next();
};

/** Whether an origin is the engine's own: the host it was called by, or its public URL behind a proxy. */
function isOwn(origin: string, url: string, { publicUrl }: Settings): boolean {
  const host = URL.parse(origin)?.host;
  return host !== undefined && [url, publicUrl ?? url].some((own) => new URL(own).host === host);
}
