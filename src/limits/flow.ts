/**
 * Limits of flow control: lines, leases and windows. Each number with its unit and its reason.
 */
import { MIB, MINUTE, SECOND } from "./units.ts";

/** Lines and what is held on them. */
export const CAPACITY = {
  /** Range of the account's ceiling of executing steps (FC-14). */
  ceiling: { min: 1, max: 100_000 },
  /** ms; a unit whose holder was silent for this long is asked about while somebody waits for it. */
  lease: 30 * SECOND,
  /** ms; a call that was lost may still be executing: under a limit it is repeated after this time, not at once (FC-10). */
  orphan: 5 * SECOND,
  /** ms; no function that waits in a shared line is passed over for longer (FC-9 allows 60 s). */
  starvation: 30 * SECOND,
  /** ms; how long a run that stands in a line trusts that it will be called, before it asks again. */
  look: 60 * MINUTE,
  /** ms; how long telling a run what it holds may fail before it is tried again; doubles up to the maximum. */
  retry: { first: 1 * SECOND, max: 1 * MINUTE },
} as const;

/** Priorities of runs, seconds (FC-30). */
export const PRIORITY = { min: -600, max: 600 } as const;

/** Windows of one function and key. */
export const WINDOW = {
  /** Bytes of the events of one batch (FC-32). */
  batchBytes: 10 * MIB,
  /** ms; how long what became of an event is remembered, should its send be repeated. */
  remembered: 30 * MINUTE,
} as const;
