/**
 * Debouncing of one function and key (FC-24 … FC-26): when a window is quiet and which of its events runs. Pure: the state of one `Window`
 * object and what follows. Guarantees that the winner does not depend on the order in which events reach the window.
 */
import { WINDOW } from "../../limits.ts";
import { arrivalOf } from "./arrival.ts";
import { covers, type Span, spansOf } from "./repeats.ts";

/** The function's option as one version of its registration has it; of two the higher version counts. */
export interface DebounceOptions {
  readonly version: number;
  /** ms of quiet after which the window closes. */
  readonly period: number;
  /** ms from the first event after which it closes in any case; null: without bound. */
  readonly timeout: number | null;
}

/** An event that joins, and everything that decides whether it wins. Times are ms since 1970. */
export interface DebounceCandidate {
  /** Internal id. */
  readonly id: string;
  readonly ts: number;
  readonly receivedAt: number;
}

/** A window that takes events. */
export interface Debounce {
  /** Internal id of the event that opened it; its run's id derives from it. */
  readonly opener: string;
  /** ms since 1970. */
  readonly openedAt: number;
  /** When the last event came, ms since 1970. */
  readonly lastAt: number;
  readonly options: DebounceOptions;
  /** Events so far. */
  readonly count: number;
  /** The event that its run gets, as things stand. */
  readonly winner: DebounceCandidate;
  /** Its newest events, so that a repeated send changes nothing. */
  readonly seen: readonly Span[];
}

/** What a call comes to. */
export interface DebounceJoin {
  /** The window before, when it was over: it is to be started as it is. */
  readonly closed: Debounce | null;
  /** The window that takes events from now on, or takes them still; null when there is none. The same object when nothing changed. */
  readonly open: Debounce | null;
  /** Its winner among the candidates, by index; null when an earlier event stays the winner. */
  readonly wins: number | null;
  /** The opener of each candidate's window. */
  readonly places: readonly string[];
}

/** When the window closes unless another event comes, ms since 1970. */
export function debounceClosesAt({ openedAt, lastAt, options }: Debounce): number {
  const quiet = lastAt + options.period;
  return options.timeout === null ? quiet : Math.min(quiet, openedAt + options.timeout);
}

/**
 * Lets the events of one call join at `now`. `open` is the window that takes events, or null; `placeOf` gives the opener of the closed
 * window an event was in, or null.
 */
export function joinDebounce(
  open: Debounce | null,
  candidates: readonly DebounceCandidate[],
  { options, placeOf, now }: { options: DebounceOptions; placeOf: (id: string) => string | null; now: number },
): DebounceJoin {
  const places = new Map<string, string | null>();
  const fresh = candidates.filter(({ id }) => {
    if (places.has(id)) return false;
    const place = open !== null && covers(open.seen, id) ? open.opener : placeOf(id);
    places.set(id, place);
    return place === null;
  });
  const [first, ...others] = fresh;
  const over = open !== null && first !== undefined && now >= debounceClosesAt(open);
  const base = over ? null : open;
  const after = first === undefined ? base : grown(base, [first, ...others], options, now);
  const wins = after === null || after.winner === base?.winner ? null : candidates.indexOf(after.winner);
  return {
    closed: over ? open : null,
    open: after,
    wins,
    places: candidates.map(({ id }) => places.get(id) ?? after?.opener ?? id),
  };
}

function grown(
  base: Debounce | null,
  events: readonly [DebounceCandidate, ...DebounceCandidate[]],
  offered: DebounceOptions,
  now: number,
): Debounce {
  const options = base !== null && base.options.version >= offered.version ? base.options : offered;
  const arrivals = events.map(({ receivedAt }) => arrivalOf(receivedAt, now, options.period));
  const spans = spansOf(events.map(({ id }) => id));
  return {
    opener: base?.opener ?? events[0].id,
    // A clock that went back must not keep it open for longer.
    openedAt: Math.min(base?.openedAt ?? Math.min(...arrivals), now),
    lastAt: Math.max(Math.min(base?.lastAt ?? 0, now), ...arrivals),
    options,
    count: (base?.count ?? 0) + events.length,
    winner: events.reduce((best, event) => (beats(event, best) ? event : best), base?.winner ?? events[0]),
    seen: [...(base?.seen ?? []), ...spans].slice(-WINDOW.seen),
  };
}

/** The latest `ts` wins; among equal ones the one received last, which within one send the rising ids tell (FC-24). */
function beats(event: DebounceCandidate, other: DebounceCandidate): boolean {
  if (event.ts !== other.ts) return event.ts > other.ts;
  if (event.receivedAt !== other.receivedAt) return event.receivedAt > other.receivedAt;
  return event.id > other.id;
}
