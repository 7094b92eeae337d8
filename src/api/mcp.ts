/**
 * `/mcp` (API-30): tools for AI assistants, over the Model Context Protocol. Dev mode only: it needs no key and can do everything.
 * Guarantees that no page of a foreign site uses it through its visitor's browser.
 */
import { Hono } from "hono";
import { environmentOf } from "../environments/environment.ts";
import { MillraceError } from "../errors.ts";
import type { Api } from "./api.ts";
import { database } from "./database.ts";
import { serveMcp } from "./mcp/server.ts";

/** The route. */
export const mcp = new Hono<Api>();

const LOCAL = /^(?:localhost|127\.0\.0\.1|\[::1\])$/;

mcp.all("/mcp", database, async (context) => {
  const settings = context.get("settings");
  if (settings.mode !== "dev") throw new MillraceError("not_found", "This route exists in dev mode only.");
  const { raw: request, method } = context.req;
  const origin = request.headers.get("origin");
  if (origin !== null && !isLocal(origin, request.url)) {
    throw new MillraceError("forbidden", "Pages of another origin may not call this.");
  }
  if (method === "GET" && request.headers.get("accept")?.includes("text/event-stream") !== true) {
    return context.json({
      name: "millrace",
      description: "Tools for AI assistants over the Model Context Protocol: POST JSON-RPC here, such as tools/list.",
    });
  }
  const environment = environmentOf(settings);
  const caller = { scope: "admin", account: true } as const;
  const { headers, url } = request;
  const call = { bindings: context.env, environment, settings, caller, headers, url, now: Date.now() };
  return await serveMcp(request, call);
});

/** Whether a page may: one of this machine, or of the host that the engine was called by. */
function isLocal(origin: string, url: string): boolean {
  const page = URL.parse(origin);
  return page !== null && (LOCAL.test(page.hostname) || page.host === new URL(url).host);
}
