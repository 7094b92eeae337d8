/**
 * Limits of registration: what an app may ask for, and how long a cached catalog is trusted. Each number with its unit and its reason.
 */
import { DAY, HOUR, KIB, MIB, MINUTE, SECOND } from "./units.ts";

/** What an app may register (AP-14). */
export const REGISTRATION = {
  bodyBytes: 4 * MIB,
  idLength: 255,
  /** Characters of a function's name. */
  nameLength: 255,
  /** Characters of a serve URL. */
  urlLength: 2048,
  /** Characters kept of texts that only describe an app, and bytes of what it says it is capable of: both are parts of a row. */
  described: { textLength: 255, capabilityBytes: 16 * KIB },
  /** A refusal says so many violations, each in so many characters: it is stored, and sent back. */
  refusal: { violations: 50, sentenceLength: 500 },
  triggers: 10,
  retries: 20,
  cancellations: 5,
  concurrencyLimits: 2,
  /** ms; the smallest and largest period of throttle and debounce. */
  period: { min: 1 * SECOND, max: 7 * DAY },
  /** ms; rate limits forget after a day. */
  rateLimitPeriod: { min: 1 * SECOND, max: 24 * HOUR },
  batchSize: { min: 2, max: 100 },
  /** ms; how long a batch may wait for its next event. */
  batchTimeout: { min: 1 * SECOND, max: 60 * SECOND },
  /** ms; the longest duration any option may name. */
  duration: 366 * DAY,
  /** ms; how far a cron may be spread (TR-15). */
  jitter: { min: 1 * SECOND, max: 5 * MINUTE },
  /** ms; an app answers a sync within this time. */
  timeout: 10 * SECOND,
} as const;

/** The catalog cached in each isolate. */
export const CATALOG = {
  /** ms; a cached catalog older than this asks D1 for the current version. */
  age: 2 * SECOND,
} as const;
