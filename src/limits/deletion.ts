/**
 * Limits of deletion on request. Each number with its unit and its reason.
 */
import { DAY } from "./units.ts";

/** Deleting runs and events because somebody asked for it (OB-25). */
export const DELETION = {
  /**
   * Events that match looked at in one page, and runs and events removed before progress is noted: each takes up to six statements, an
   * invocation may ask D1 a thousand.
   */
  page: { events: 25, acts: 100 },
  /** Events, or runs, of one page that are removed at the same time. */
  parallel: 8,
  /** Reruns of an event's runs that are found at once. */
  reruns: 100,
  /**
   * ms; how long the id of something that was deleted is known, so that nothing brings it back: a message stays in a queue for two weeks at
   * most, a copy of an event is known by its id for a day.
   */
  remembered: 30 * DAY,
  /** Such ids that are forgotten in one sweep. */
  forgotten: 10_000,
  /** Events that a preview counts, and ms it takes, before it gives an estimate. */
  preview: { events: 1000, time: 8000 },
  /** Characters of an external id, and of an expression. */
  textLength: 4096,
} as const;
