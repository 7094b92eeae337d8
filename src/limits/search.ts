/**
 * Limits of lists and searches. Each number with its unit and its reason.
 */
import { HOUR, SECOND } from "./units.ts";

/** Going through history, newest first (OB-1 … OB-5). */
export const SEARCH = {
  /** Rows that D1 passes over in one query: the first stretch is short, because most lists are full after it. D1 does nothing else meanwhile. */
  stretches: [500, 5000, 20_000],
  /** Rows of a stretch that are fetched at once to be held against an expression; fewer when they are large. */
  rows: 500,
  /** What one request may go through: rows held against its expression (OB-3), rows passed over by D1, and ms. */
  expression: { judged: 50_000, passed: 500_000, time: 4 * SECOND },
  /** The same for a list without an expression, which is to answer at once. */
  list: { judged: 50_000, passed: 60_000, time: 1 * SECOND },
  /** Unfinished runs that are sorted to list some of them; when there are more, the newest runs of all are gone through. */
  unfinished: 2000,
  /**
   * ms by which the time in an id may be off from the time of what it names: ids made from a seed carry the clock of whoever sent it. What is
   * off by more is not found by time.
   */
  skew: 1 * HOUR,
  /** Comparisons of an expression that D1 decides beforehand: each takes two of its 100 parameters. */
  comparisons: 30,
  /** Names of a list. */
  names: 20,
  /** The global search: characters of what is looked for, results of each kind, event names looked through. */
  global: { characters: 200, each: 10, names: 1000 },
} as const;
