/**
 * Limits of requests over REST. Each number with its unit and its reason.
 */
import { MINUTE } from "./units.ts";

/** How often a key may ask (API-25). SDK endpoints and the Event API have no such limit. */
export const REQUEST_RATE = {
  /** ms in which requests are counted. */
  window: 1 * MINUTE,
  /** Requests of one key in a window. */
  reads: 600,
  writes: 120,
  metrics: 30,
  /** Range of the setting. */
  range: { min: 1, max: 1_000_000 },
  /** Keys that an isolate counts for; beyond it the one that began longest ago is forgotten. */
  keys: 1000,
} as const;
