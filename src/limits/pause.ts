/**
 * Limits of pausing. Each number with its unit and its reason.
 */
import { DAY, HOUR, MINUTE, SECOND } from "./units.ts";

/** Paused functions and their runs. */
export const PAUSE = {
  /** ms; runs that are held for longer are cancelled (CR-15). */
  hold: 7 * DAY,
  /** ms; a held run looks whether it missed its function's resumption after as long again as it was held, within this range. */
  look: { first: 5 * SECOND, max: 6 * HOUR },
  /** ms; how long after a change was announced it is looked for, should whoever made it be gone before saying so. */
  watch: 10 * SECOND,
  /**
   * ms after the beginning of a telling when history is passed over: a run shows itself after `RUN.progress`, and the queue takes a second
   * or two. Passes after the first look only at runs created within `young` before the telling, or since.
   */
  passes: [0, 3 * SECOND, 15 * SECOND],
  young: 5 * MINUTE,
  /** Runs of history looked at in one query, and runs told at the same time. */
  rows: 1000,
  parallel: 16,
  /** ms; an alarm goes on with further pages for this long: the platform ends it after 15 minutes. */
  round: 30 * SECOND,
  /** ms; how long a page that failed waits; doubles up to the maximum. Runs that could not be reached for so many times are left alone. */
  retry: { first: 1 * SECOND, max: 1 * MINUTE, times: 6 },
} as const;
