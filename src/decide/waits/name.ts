/**
 * The life of an awaited event name: announced to the catalog with its first wait, withdrawn when nobody has waited for a while. Pure.
 * Guarantees that a name with a wait is announced or about to be, and that the object always knows when to look at itself again.
 */
import { WAITS } from "../../limits.ts";

/** What a name's object remembers of the name. Times are ms since 1970. */
export interface NameState {
  /** When the catalog got it; null when it does not have it. */
  readonly announcedAt: number | null;
  /** Events received from here on may have been missed by isolates with an older catalog. */
  readonly lookFrom: number;
  /** How often history was searched for them. */
  readonly looks: number;
  /** When what has expired is cleared away. */
  readonly sweepAt: number;
  /** The last sweep found no wait. */
  readonly idle: boolean;
}

/** A wait that expires at `expiresAt` was registered. Gives `state` itself when that changes nothing. */
export function registered(state: NameState | null, expiresAt: number): NameState {
  const sweepAt = roundUp(expiresAt);
  if (state === null) return { announcedAt: null, lookFrom: 0, looks: 0, sweepAt, idle: false };
  return state.idle || sweepAt < state.sweepAt
    ? { ...state, sweepAt: Math.min(sweepAt, state.sweepAt), idle: false }
    : state;
}

/** The catalog has the name since `now`; the earliest of its waits counts from `since`. */
export function announced(state: NameState, since: number, now: number): NameState {
  return { ...state, announcedAt: now, lookFrom: since, looks: 0 };
}

/** The last wait is gone: the next sweep is not the time to wait for its time-out. Gives `state` itself when that changes nothing. */
export function emptied(state: NameState, now: number): NameState {
  return state.sweepAt > now + WAITS.linger ? { ...state, sweepAt: now + WAITS.linger } : state;
}

/** An event was stored at `now`, to be forgotten in time. Gives `state` itself when that changes nothing. */
export function remembering(state: NameState, now: number): NameState {
  const sweepAt = roundUp(now + WAITS.remembered);
  return sweepAt < state.sweepAt ? { ...state, sweepAt } : state;
}

/** When history is searched next; null when it need not be. */
export function lookAt({ announcedAt, looks }: NameState): number | null {
  const delay = WAITS.looks[looks];
  return announcedAt === null || delay === undefined ? null : announcedAt + delay;
}

/** History was searched. */
export function looked(state: NameState): NameState {
  return { ...state, looks: state.looks + 1 };
}

/** What a sweep left: when the next wait and the next remembered event expire (ms), null without any. */
export interface Remainder {
  readonly waits: number | null;
  readonly events: number | null;
}

/** What follows from a sweep at `now`: the next one, or that the name is given up. */
export function swept(state: NameState, { waits, events }: Remainder, now: number): NameState | "withdraw" {
  if (waits !== null)
    return { ...state, idle: false, sweepAt: roundUp(Math.max(Math.min(waits, events ?? waits), now)) };
  if (events !== null) return { ...state, sweepAt: roundUp(Math.max(events, now)) };
  if (state.idle || state.announcedAt === null) return "withdraw";
  return { ...state, idle: true, sweepAt: now + WAITS.linger };
}

/** The name is being given up: from here on a new wait announces it again. */
export function withdrawn(state: NameState): NameState {
  return { ...state, announcedAt: null };
}

/** Later than the given time, and together with what else expires about then. */
function roundUp(time: number): number {
  return (Math.floor(time / WAITS.sweep.every) + 1) * WAITS.sweep.every;
}
