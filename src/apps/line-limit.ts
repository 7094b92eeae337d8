/**
 * The number of a registration that belongs to a line (FC-7, FC-11). Pure. Lines are named when a run is created and outlive registrations:
 * a limit whose key has another expression is another limit.
 */
import type { LineLimit, LineRef } from "../decide/capacity/line.ts";
import type { RegisteredFunction } from "./function.ts";

/**
 * The number a function has on a line now; null when it has none, and when the function is unknown. `ceiling` is the account's (FC-14).
 * Of two limits on one line the lower one counts.
 */
export function limitOn(
  line: LineRef,
  registered: RegisteredFunction | null,
  ceiling: number | null,
): LineLimit | null {
  const { counts, scope, expression } = line;
  const version = registered?.version ?? 0;
  if (counts === "steps" && scope === "account" && expression === null) {
    return ceiling === null ? null : { version, limit: ceiling, period: 0, burst: 0 };
  }
  if (registered === null) return null;
  const { concurrency, runConcurrency, throttle } = registered.configuration;
  if (counts === "starts") {
    if (throttle === null || throttle.key !== expression) return null;
    return { version, limit: throttle.limit, period: throttle.period, burst: throttle.burst };
  }
  const limits = (counts === "steps" ? concurrency : runConcurrency)
    .filter((one) => one.limit > 0 && one.scope === scope && one.key === expression)
    .map(({ limit }) => limit);
  return limits.length === 0 ? null : { version, limit: Math.min(...limits), period: 0, burst: 0 };
}

/** A limit that is gone, as lines are told it: everybody passes. */
export function noLimit(version: number): LineLimit {
  return { version, limit: 0, period: 0, burst: 0 };
}
