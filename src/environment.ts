/**
 * Environments: the isolated spaces that own apps, events, runs and keys (EV-21). Owns their ids.
 * Until keys are stored, a deployment has exactly one: `local` in dev mode, `production` in cloud mode.
 */
import type { Settings } from "./settings.ts";

/** An environment as requests resolve to it. The id is part of every object name and every D1 key (SE-8). */
export interface EnvironmentRef {
  readonly id: string;
  readonly name: string;
}

/** The account id that tools expect of a single-tenant server (protocol/12 §12.2). */
export const ACCOUNT_ID = "00000000-0000-4000-a000-000000000000";

/** The environment of dev mode (protocol/12 §12.2). */
export const LOCAL: EnvironmentRef = { id: "00000000-0000-4000-b000-000000000000", name: "local" };

/** The environment of the deployment's own keys. */
const PRODUCTION: EnvironmentRef = { id: "00000000-0000-4000-b000-000000000001", name: "production" };

/** The environment every authenticated request of this deployment belongs to. */
export function environmentOf(settings: Settings): EnvironmentRef {
  return settings.mode === "dev" ? LOCAL : PRODUCTION;
}
