/**
 * Time, chance and settings, as one decision of a run is given them.
 */
import type { Bindings } from "../bindings.ts";
import type { RunIdentity } from "../decide/run/identity.ts";
import type { Moment } from "../decide/run/turn.ts";
import { settingsOf } from "../settings.ts";
import { testLimitsOf } from "./test-limits.ts";

/** This moment of a run; null while it has not begun. */
export function momentOf(bindings: Bindings, identity: RunIdentity | null): Moment {
  const { retryInterval, maxSteps } = settingsOf(bindings);
  return {
    now: Date.now(),
    random: Math.random(),
    retryInterval,
    maxSteps,
    ...(identity === null ? {} : testLimitsOf(identity)),
  };
}
