/**
 * Limits of what is done to many runs at once. Each number with its unit and its reason.
 */
import { MINUTE, SECOND } from "./units.ts";

/** Operations on the runs of a function: bulk cancellations (CR-9). */
export const OPERATION = {
  /** Runs of history looked at in one query, and of these at most so many acted on, before progress is noted. */
  page: { rows: 1000, acts: 200 },
  /** Runs acted on at the same time. */
  parallel: 16,
  /**
   * ms per run acted on that the next page is put off: each of them wakes, announces its end and reports. Locally a woken object keeps its
   * files open for ten seconds.
   */
  pace: 4,
  /** Trigger events loaded at the same time to hold them against a condition: each may have 3 MiB, an isolate has 128. */
  events: 20,
  /**
   * ms after its creation from which history is trusted to know every run that existed then: a run shows itself within `RUN.progress`, the
   * queue takes a second or two. A pass that finds something new all the same is followed by another one.
   */
  settle: 8 * SECOND,
  /** ms between two passes over history; doubles up to the maximum. */
  pause: { first: 2 * SECOND, max: 1 * MINUTE },
  /** Passes after which an operation gives up runs it could not reach, and looking for more. */
  passes: 20,
  /** ms; how long an operation waits when a page failed as a whole; doubles up to the maximum. */
  retry: { first: 1 * SECOND, max: 1 * MINUTE },
} as const;
