/**
 * Rate limits and idempotency of one function and key (FC-19 … FC-21). Pure: the state of one `Window` object and what follows from it.
 * Guarantees that a start gets the same answer however often it is asked about: one that passed is remembered by whoever asks here, and
 * one that was refused is refused again, because all are judged by when their events came, and debts only grow.
 */
import { EVENT, WINDOW } from "../../limits.ts";
import { admit, type Tat } from "../gcra.ts";

/** A function's limit; it lets `limit` go at once and then one per `period / limit` (FC-20). */
export interface RateLimit {
  readonly limit: number;
  /** ms. */
  readonly period: number;
}

/** Idempotency is a rate limit (FC-21). */
export const IDEMPOTENCY: RateLimit = { limit: 1, period: EVENT.deduplication };

/** A start that passed. Times are ms since 1970. */
export interface Pass {
  readonly passedAt: number;
  /** The debt after it. */
  readonly tat: Tat;
}

/**
 * Whether a start that was not asked about before passes at `now`; null when it does not. `debt` is that of the newest pass, null without
 * one; `at` is when the event came, and never changes. Both times are ms since 1970.
 */
export function passRateLimit(
  debt: Tat | null,
  { at, now }: { readonly at: number; readonly now: number },
  { limit, period }: RateLimit,
): Pass | null {
  // More than a full burst is owed only after the clock was set back, or under a limit that was stricter.
  const owed = debt !== null && debt.at > now + period + WINDOW.clockSlack ? null : debt;
  const admission = admit(owed, Math.min(at, now), { limit, period, burst: limit });
  return admission.ok ? { passedAt: now, tat: admission.tat } : null;
}

/** When a pass need not be remembered any more: its send will not be repeated, and nothing is owed for it. ms since 1970. */
export function forgetAt({ passedAt, tat }: Pass): number {
  return Math.max(passedAt + WINDOW.remembered, tat.at + 1);
}
