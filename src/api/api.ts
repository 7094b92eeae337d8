/**
 * What every router shares: the types of its context. Owns no routes.
 */
import type { Bindings } from "../bindings.ts";
import type { EnvironmentRef } from "../environments/environment.ts";
import type { Settings } from "../settings.ts";
import type { Caller } from "./authentication.ts";

/** Hono's environment for all routers. `environment` and `caller` are set by `authenticate`, `settings` and `requestId` for every request. */
export interface Api {
  Bindings: Bindings;
  Variables: { environment: EnvironmentRef; caller: Caller; settings: Settings; requestId: string };
}
