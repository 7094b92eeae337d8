/**
 * Limits of flow control: lines, leases and windows. Each number with its unit and its reason.
 */
import { DAY, KIB, MIB, MINUTE, SECOND } from "./units.ts";

/** Lines and what is held on them. */
export const CAPACITY = {
  /** Range of the account's ceiling of executing steps (FC-14). */
  ceiling: { min: 1, max: 100_000 },
  /** ms; a unit whose holder was silent for this long is asked about while somebody waits for it. */
  lease: 30 * SECOND,
  /** ms; the same for whole runs, which hold their unit while they sleep: asking wakes them. */
  runLease: 5 * MINUTE,
  /** ms; a call that was lost may still be executing: under a limit it is repeated after this time, not at once (FC-10). */
  orphan: 5 * SECOND,
  /** ms; no function that waits in a shared line is passed over for longer (FC-9 allows 60 s). */
  starvation: 30 * SECOND,
  /** ms; how long a run that stands in a line trusts that it will be called, before it asks again. */
  look: 60 * MINUTE,
  /** ms; how long a run trusts that a limit which was removed does not come back (FC-11). */
  gone: 5 * SECOND,
  /** ms; how long telling a run what it holds may fail before it is tried again; doubles up to the maximum. */
  retry: { first: 1 * SECOND, max: 1 * MINUTE },
  /** Runs called at the same time. */
  parallel: 32,
  /** ms; a run that has not answered by then keeps no others waiting. */
  patience: 10 * SECOND,
  /** Starts that a throttle knows again when their runs ask once more, and for how long (ms): they are one row. */
  remembered: { starts: 200, age: 10 * MINUTE },
  /** Runs that have left a line: what they said before and comes late is recognised. */
  departed: 1000,
  /** ms; a claim that its line was loaded for may have been said so long before. An older one may be late: its run is asked. */
  lag: 1 * SECOND,
  /** ms; a line in which somebody has waited for this long is listed, so that one in constant use says nothing. */
  listing: 2 * SECOND,
  /** ms; how long a line stays listed, and keeps its storage, after nobody waits in it. */
  linger: 1 * MINUTE,
  /** Holders and waiters that are shown of a line, decisions that are remembered to be shown, and holders that a waiting run names. */
  shown: { runs: 100, decisions: 50, holders: 10 },
} as const;

/** Priorities of runs, seconds (FC-30). */
export const PRIORITY = { min: -600, max: 600 } as const;

/** Windows of one function and key. */
export const WINDOW = {
  /** Bytes of the events of one batch (FC-32). */
  batchBytes: 10 * MIB,
  /** ms; how long what became of an event is remembered, should its send be repeated. */
  remembered: 30 * MINUTE,
  /** Calls whose events an open debounce window knows again: it writes them anew with every event. */
  seen: 128,
  /** ms; a debt of a rate limit that lies further ahead than a period and this comes from a clock that was set back. */
  clockSlack: 1 * MINUTE,
  /** ms; how long it is believed that the run which has a singleton goes on, before it is asked again. */
  trust: 1 * SECOND,
  /** ms; how often a run that is to be cancelled is looked for while it may be on its way. */
  look: 100,
  /** ms; how often a singleton looks whether the run that has it still exists. */
  check: 1 * DAY,
} as const;

/** Events that gather in windows before they run. */
export const GATHER = {
  /** Windows that a request lets its events join itself, before it answers; with more of them the fan-out does. */
  groups: 100,
  /** Windows of one request that are joined at the same time. */
  parallel: 32,
  /** Characters of the events of one call as JSON: the platform takes 32 MiB, and every character may be two bytes. */
  callSize: 10 * MIB,
  /** Bytes up to which a page of a batch's members grows: each event that joins writes its page anew. */
  pageBytes: 32 * KIB,
  /** Runs that one object starts at the same time: a batch and its run's arguments take several times `WINDOW.batchBytes`. */
  starts: 2,
  /** ms; how long an alarm waits for the starts it began, to set itself only once; below any period or time-out. */
  patience: 400,
  /** ms; how often an object in use forgets what need not be remembered any more. */
  sweep: 10 * MINUTE,
  /** ms; how often at most an object tells the directory that its window has opened or closed. */
  listing: 1 * SECOND,
} as const;

/** The directory of one function. */
export const DIRECTORY = {
  /** Entries that are listed at once. */
  entries: 100,
  /** Bytes of their keys together. */
  keyBytes: 1 * MIB,
} as const;
