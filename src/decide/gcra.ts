/**
 * GCRA: how many may go within a time (FC-16, FC-20). Pure, with exact integers: thirds of a second neither add up nor get lost.
 * Owns the arithmetic alone; who asks, and what becomes of those who are refused, is the caller's.
 */

/** What may go: `burst` at once after a quiet time, and one more per `period / limit` ms. Integers; limit and burst at least 1. */
export interface Rate {
  readonly limit: number;
  /** ms. */
  readonly period: number;
  /** The most that go at once; not an addition to 1 (FC-16). A rate limit has `burst` = `limit` (FC-20). */
  readonly burst: number;
}

/** The time at which everything given is paid back: all that must be remembered. Nothing is, once it has passed. */
export interface Tat {
  /** ms since 1970. */
  readonly at: number;
  /** And this many parts of a ms, of `limit` parts in all. */
  readonly part: number;
}

/** Whether one more may go. `tat` is what to remember from now on, also after a refusal, where it is mostly what it was. */
export type Admission =
  | { readonly ok: true; readonly tat: Tat }
  /** `retryAt`: the first ms at which the same question is answered with yes, if nobody else goes meanwhile. */
  | { readonly ok: false; readonly tat: Tat; readonly retryAt: number };

/** May one more go at `now` (integer ms since 1970)? `tat` is null when nothing is remembered. */
export function admit(tat: Tat | null, now: number, { limit, period, burst }: Rate): Admission {
  const due = bounded(tat ?? { at: now, part: 0 }, now, { limit, period, burst });
  // All in parts of a ms: what is owed at `now`, and how much may be owed by somebody who goes.
  const owed = (due.at - now) * limit + due.part;
  const allowed = (burst - 1) * period;
  if (owed > allowed) return { ok: false, tat: due, retryAt: due.at + Math.ceil((due.part - allowed) / limit) };
  return { ok: true, tat: later(due, period, limit) };
}

/**
 * What is owed, within reason. A debt above a full burst comes from a clock that has gone back or from an older, stricter rate. One that
 * was paid back earlier is none; but what falls due within the ms that ends at `now` counts from then, for else every start of a line
 * would lose a part of a ms. A part that was counted under another limit is rounded, by less than a ms.
 */
function bounded(tat: Tat, now: number, { limit, period, burst }: Rate): Tat {
  if (tat.at < now - 1 || (tat.at < now && tat.part === 0)) return { at: now, part: 0 };
  const due = tat.part < limit ? tat : { at: tat.at + 1, part: 0 };
  const full = later({ at: now, part: 0 }, burst * period, limit);
  return due.at > full.at || (due.at === full.at && due.part > full.part) ? full : due;
}

/** `parts` parts of a ms later, where `limit` parts are one ms. */
function later(tat: Tat, parts: number, limit: number): Tat {
  const sum = tat.part + parts;
  return { at: tat.at + Math.floor(sum / limit), part: sum % limit };
}
