/**
 * Some of the engine's routes as an application of their own, for tests of what stands behind them: the settings are set, and errors have
 * their code and sentence. Errors that have no code fail the test.
 */
import { Hono, type MiddlewareHandler } from "hono";
import type { Api } from "../../src/api/api.ts";
import { ERRORS, MillraceError } from "../../src/errors.ts";
import { settingsOf } from "../../src/settings.ts";
import { bindings } from "./records.ts";

/** An application of these routes; `before` is mounted on `/v1` ahead of them. */
export function apiOf(routes: readonly Hono<Api>[], before: readonly MiddlewareHandler<Api>[] = []): Hono<Api> {
  const api = new Hono<Api>();
  api.use(async (context, next) => {
    context.set("settings", settingsOf(context.env));
    await next();
  });
  if (before.length > 0) api.use("/v1/*", ...before);
  for (const one of routes) api.route("/", one);
  api.onError((error, context) => {
    if (!(error instanceof MillraceError)) throw error;
    return context.json({ code: error.code, error: error.message }, ERRORS[error.code].status ?? 500);
  });
  return api;
}

/** What an application answers to a `GET`. */
export async function getFrom(api: Hono<Api>, path: string) {
  const response = await api.request(path, {}, bindings);
  // biome-ignore lint/suspicious/noExplicitAny: a reply is whatever the test says it is.
  return { status: response.status, body: (await response.json()) as any };
}
