/**
 * Limits of running again: reruns and replays. Each number with its unit and its reason.
 */
import { DAY, MIB, MINUTE, SECOND } from "./units.ts";

/** Replays of many runs of a function (CR-22 … CR-25). */
export const REPLAY = {
  /** Runs of history looked at in one query, of these at most so many held against a condition, and at most so many started. */
  page: { rows: 1000, judged: 200, acts: 24 },
  /**
   * ms between the end of a page that started runs and the next one. Any second then holds parts of two pages at most: 48 of the 50 starts
   * that are allowed (CR-23).
   */
  rest: 504,
  /** Runs started at the same time. */
  parallel: 8,
  /** ms by which replayed runs stand behind in every line of their function: longer than any run waits. */
  behind: 3660 * DAY,
  /** ms by which the clock of whoever ended a run may be ahead of the one that began the replay. */
  skew: 1 * SECOND,
  /** ms; while its function is paused, or its singleton has another run, a replay looks again after this time; doubles up to the maximum. */
  wait: { first: 1 * SECOND, max: 30 * SECOND },
  /** ms; a replay whose runs are all started looks for their ends after as long again as nothing changed, within this range. */
  watch: { first: 1 * SECOND, max: 5 * MINUTE },
  /** Runs that a preview holds against a condition before it gives an estimate. */
  preview: 1000,
  /** ms; how long a replay that finds nothing looks again before it is refused: what ended just now may not be in history yet. */
  patience: 6 * SECOND,
  /** ms between two such looks. */
  look: 500,
  /** Characters of a replay's name. */
  nameLength: 200,
} as const;

/** Reruns of one run (CR-21, CR-26). */
export const RERUN = {
  /** Bytes of results handed from run to run in one answer: the platform takes 32 MiB. */
  pageBytes: 4 * MIB,
  /** Bytes of a request: the edited input of a step is as large as a call's body at most. */
  bodyBytes: 4 * MIB,
  /** Characters of a step's name in a request, and of a request's id. */
  textLength: 1024,
  /** ms; a run that waits for its turn on a singleton asks again after as long again as it waited, within this range. */
  turn: { first: 1 * SECOND, max: 30 * SECOND },
} as const;

/** Invoking over REST (API-14). */
export const INVOKE = {
  /** s; how long a request may wait for the run's end. */
  wait: 300,
  /** ms; how long one question to a run is left open: whoever asks must notice that the run's object has gone. */
  question: 25 * SECOND,
  /** ms; how often a run is looked for that does not exist yet: a request may ask 1,000 times. */
  look: 500,
} as const;
