/**
 * The deployment's settings as they are in one environment: with the signing keys of its apps (SE-3), which for a branch are the ones all
 * branches share (EV-22).
 */
import type { Bindings } from "../bindings.ts";
import { signingKeysOf } from "../keys/signing-keys.ts";
import { type Settings, settingsOf } from "../settings.ts";
import { keyHolder, PRODUCTION } from "./environment.ts";
import { knownEnvironment } from "./known.ts";

/**
 * The settings. Costs nothing in dev mode and for production, else at most two reads in `KEY.age`. `now` in ms since 1970.
 * Throws `not_configured` when a stored key cannot be opened.
 */
export async function settingsIn(bindings: Bindings, environmentId: string, now: number): Promise<Settings> {
  const settings = settingsOf(bindings);
  if (settings.mode === "dev" || environmentId === PRODUCTION.id) return settings;
  const environment = await knownEnvironment(bindings, settings, environmentId, now);
  if (environment === null) return { ...settings, signingKeys: [] };
  return { ...settings, signingKeys: await signingKeysOf(bindings, settings, keyHolder(environment), now) };
}
