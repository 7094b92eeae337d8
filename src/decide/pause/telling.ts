/**
 * How the runs of a function learn that a pause concerns them (CR-15, CR-16): who has to be told what, how far that is, and when the next
 * thing is due. Pure. Runs that are only to be held are not told, because each finds out when it is about to call; told are runs that are
 * to be cancelled, that may go on, or that hold a place among whole runs which others wait for (CR-18).
 *
 * Which runs exist is known from history, which lags a little: therefore all of it is passed over once, and the young end of it again.
 */
import type { PausedRuns } from "../../apps/function.ts";
import { PAUSE } from "../../limits.ts";

/** The newest pause of a function as it stood at some moment. Times are ms since 1970. */
interface PauseState {
  readonly since: number;
  /** Null: it is in effect. */
  readonly until: number | null;
  readonly running: PausedRuns;
}

/** A look at the function: its newest pause, and whether its runs hold places among whole runs. */
export type PauseLook = PauseState & { readonly placed: boolean };

/** Something that all unfinished runs are to hear, and how far that is. */
export interface Telling {
  readonly pause: PauseState;
  /** It has lasted for `PAUSE.hold`: the runs it held are cancelled. */
  readonly expired: boolean;
  readonly begunAt: number;
  /** Index into `PAUSE.passes`. */
  readonly pass: number;
  /** Id of the last run looked at; null at the beginning of a pass. */
  readonly cursor: string | null;
  /** When it goes on, ms since 1970. */
  readonly due: number;
}

/** What the object of a function's pauses knows. */
export interface PauseLog {
  /** The oldest pause first: who was to be cancelled is cancelled before others go on. */
  readonly queue: readonly Telling[];
  /** The newest thing that was told, or is in the queue; null before the first. */
  readonly known: { readonly pause: PauseState; readonly expired: boolean } | null;
  /** When the function is to be looked at again, ms since 1970; null: when somebody says so. */
  readonly look: number | null;
  /** How often in a row something could not be finished, and until when nothing is tried therefore, ms since 1970. */
  readonly failures: number;
  readonly rests: number;
}

/** Nothing is known. */
export const NO_PAUSES: PauseLog = { queue: [], known: null, look: null, failures: 0, rests: 0 };

const WELL = { failures: 0, rests: 0 } as const;

/** Somebody is about to pause or resume the function, and may be gone before saying so. */
export function watch(log: PauseLog, now: number): PauseLog {
  const look = now + PAUSE.watch;
  return log.look !== null && log.look <= look ? log : { ...log, look };
}

/**
 * The function was looked at; null: there never was a pause.
 * Something newer about the same pause takes the place of what was still being told.
 */
export function learn(log: PauseLog, seen: PauseLook | null, now: number): PauseLog {
  if (seen === null) return { ...log, ...WELL, look: null };
  const { placed, ...pause } = seen;
  const end = pause.since + PAUSE.hold;
  const expired = now >= end;
  const look = pause.until === null && !expired ? end : null;
  const known = { pause, expired };
  if (JSON.stringify(known) === JSON.stringify(log.known)) return { ...log, ...WELL, look };
  const others = log.queue.filter((telling) => telling.pause.since !== pause.since);
  const silent = pause.until === null && pause.running === "hold" && !expired && !placed;
  const telling = { pause, expired, begunAt: now, pass: 0, cursor: null, due: now };
  return { queue: silent ? others : [...others, telling], known, look, ...WELL };
}

/** What is to be told at `now` (ms); null: nothing yet. */
export function dueTelling({ queue, rests }: PauseLog, now: number): Telling | null {
  return now < rests ? null : (queue.find(({ due }) => due <= now) ?? null);
}

/**
 * A page of a telling is done. `cursor` null: it was the last one of its pass. Changes nothing when something newer about the pause has
 * taken its place meanwhile.
 */
export function paged(log: PauseLog, telling: Telling, cursor: string | null, now: number): PauseLog {
  const next = nextPage(telling, cursor, now);
  const queue = log.queue.flatMap((one) => (one !== telling ? [one] : next === null ? [] : [next]));
  return { ...log, ...WELL, queue };
}

function nextPage(telling: Telling, cursor: string | null, now: number): Telling | null {
  if (cursor !== null) return { ...telling, cursor, due: now };
  const pass = telling.pass + 1;
  const delay = PAUSE.passes[pass];
  if (delay === undefined) return null;
  return { ...telling, pass, cursor: null, due: Math.max(now, telling.begunAt + delay) };
}

/** Something could not be finished: it is tried again after a while. */
export function hindered(log: PauseLog, now: number): PauseLog {
  const rests = now + Math.min(PAUSE.retry.first * 2 ** log.failures, PAUSE.retry.max);
  return { ...log, failures: log.failures + 1, rests };
}

/** When there is something to do, ms since 1970; null: nothing. */
export function nextDue({ queue, look, rests }: PauseLog): number | null {
  const due = Math.min(look ?? Number.POSITIVE_INFINITY, ...queue.map((telling) => telling.due));
  return due === Number.POSITIVE_INFINITY ? null : Math.max(due, rests);
}
