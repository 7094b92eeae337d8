/**
 * Who may call the engine's API (API-2, SE-6). Owns the bearer check and the environment it selects.
 * Guarantees that no route behind it runs without an environment; in dev mode everything is open.
 */
import { createMiddleware } from "hono/factory";
import { environmentOf } from "../environment.ts";
import { MillraceError } from "../errors.ts";
import { bearerMatches } from "../protocol/signature.ts";
import type { Api } from "./api.ts";

/** Sets `environment`, or refuses: 503 `not_configured` without any key, 401 `unauthorized` with a wrong one. */
export const authenticate = createMiddleware<Api>(async (context, next) => {
  const settings = context.get("settings");
  if (settings.mode === "cloud") {
    if (settings.signingKeys.length === 0) {
      throw new MillraceError("not_configured", "The secret INNGEST_SIGNING_KEY is not set on this deployment.");
    }
    if (!(await bearerMatches(settings.signingKeys, context.req.header("authorization")))) {
      throw new MillraceError("unauthorized", "Authentication failed");
    }
  }
  context.set("environment", environmentOf(settings));
  await next();
});
