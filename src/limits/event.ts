/**
 * Limits of events: what one may be, and how the runs of a request are started. Each number with its unit and its reason.
 */
import { DAY, HOUR, KIB, MIB, MINUTE, SECOND } from "./units.ts";

/** Events and the requests that carry them. */
export const EVENT = {
  /** Characters of an event name. */
  nameLength: 256,
  /** Characters of a sender's deduplication id. */
  idLength: 512,
  /** Bytes of one event as JSON: default and the range an operator may choose from. */
  bytes: { default: 1 * MIB, min: 64 * KIB, max: 3 * MIB },
  /** Events in one request. */
  perRequest: 5000,
  /** Bytes of a request body: default and range. */
  requestBytes: { default: 10 * MIB, min: 1 * MIB, max: 50 * MIB },
  /**
   * What one key may send in a second (SE-18): default and range. Each isolate counts for itself; a deployment under load has several.
   */
  keyRate: {
    requests: { default: 2000, min: 1, max: 1_000_000 },
    bytes: { default: 50 * MIB, min: 64 * KIB, max: 10_240 * MIB },
    /** Keys that an isolate counts for; beyond it the one that began longest ago is forgotten. */
    keys: 1000,
  },
  /** Nesting of arrays and objects in anything we parse: deeper input only serves to exhaust a stack. */
  depth: 100,
  /** Oldest accepted `ts`: 1980-01-01, so that seconds mistaken for milliseconds are refused. */
  oldestTs: Date.UTC(1980, 0, 1),
  /** How far ahead `ts` may lie, ms. */
  futureTs: 366 * DAY,
  /** How long a sender's id, a seed or an idempotency key is remembered, ms. */
  deduplication: 24 * HOUR,
  /** ms; how long a sender's id may be claimed by a send that has not finished, before another event with it acts instead. */
  claimGrace: 5 * SECOND,
  /** Characters kept of the header that names an event's sender. */
  sourceLength: 256,
  /** Sessions of one event, and bytes of a session's key and value. */
  sessions: { count: 5, keyBytes: 128, valueBytes: 512 },
} as const;

/** Chains: runs that send events which start runs (SE-18). */
export const CHAIN = {
  /** Runs that led to an event from which the engine warns. */
  warn: 100,
  /** Runs that led to an event from which it starts nothing any more: default and the range of the setting. */
  stop: { default: 1000, min: 2, max: 100_000 },
} as const;

/** Starting the runs of a request. */
export const FANOUT = {
  /** Run starts a request performs itself before it answers; more go to the fan-out queue. */
  inline: 32,
  /** Events per fan-out message: a chunk is read from D1 and started in one consumer call. */
  chunk: 50,
  /** How long an unfinished chunk waits before it is sent again, ms. */
  retry: 15 * SECOND,
  /** ms; that wait doubles with every attempt up to this one. */
  retryMax: 5 * MINUTE,
  /** Messages handed to the queue at once: the platform takes 100 messages and 256 KB. */
  messages: 100,
  /** How long a reader waits for a fresh event to reach history (EV-8), ms. */
  readWait: 5 * SECOND,
  /** How often such a reader looks, ms: a point read is cheap, and a fresh event usually takes a second or two. */
  readPoll: 100,
} as const;
