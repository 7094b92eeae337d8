/**
 * Where the engine's paths begin (API-1): at the root, or below the path of its public URL, when a proxy passes that on.
 */
import { getPath } from "hono/utils/url";
import type { Bindings } from "../bindings.ts";
import { settingsOf } from "../settings.ts";

/** A request's path as the router knows it. Never throws. */
export function pathBelowBase(request: Request, options?: { env?: Bindings }): string {
  const path = getPath(request);
  const base = options?.env === undefined ? "" : baseOf(options.env);
  return base !== "" && path.startsWith(`${base}/`) ? path.slice(base.length) : path;
}

function baseOf(bindings: Bindings): string {
  try {
    const { publicUrl } = settingsOf(bindings);
    return publicUrl === null ? "" : new URL(publicUrl).pathname.replace(/\/$/, "");
  } catch {
    // Whoever handles the request reads the settings again, and says what is wrong with them.
    return "";
  }
}
