/**
 * Time, chance and settings, as one decision of a run is given them.
 */
import type { Bindings } from "../bindings.ts";
import type { Moment } from "../decide/run/turn.ts";
import { settingsOf } from "../settings.ts";

/** This moment. */
export function momentOf(bindings: Bindings): Moment {
  const { retryInterval, maxSteps } = settingsOf(bindings);
  return { now: Date.now(), random: Math.random(), retryInterval, maxSteps };
}
