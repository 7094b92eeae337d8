/**
 * What every router shares: the types of its context. Owns no routes.
 */
import type { Bindings } from "../bindings.ts";
import type { EnvironmentRef } from "../environment.ts";
import type { Settings } from "../settings.ts";

/** Hono's environment for all routers. `environment` is set by `authenticate`, `settings` and `requestId` for every request. */
export interface Api {
  Bindings: Bindings;
  Variables: { environment: EnvironmentRef; settings: Settings; requestId: string };
}
