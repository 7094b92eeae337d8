/**
 * Limits of history and of what reads it. Each number with its unit and its reason.
 */
import { KIB, MIB, MINUTE } from "./units.ts";

/** History in D1. */
export const HISTORY = {
  /** Bytes of a queue message that still travels inline; the platform's limit is 128 KB with overhead. */
  messageBytes: 100_000,
  /** Bytes of a row kept inline in D1, whose rows may hold 2 MB; larger payloads are split. */
  rowBytes: 1_500_000,
  /** Bytes of payloads or outputs after which a page ends early: an isolate has 128 MB for the rows and their JSON. */
  pageBytes: 8 * MIB,
  /** s; how long a message waits after a failure; doubles with every delivery up to the maximum. */
  retryDelay: { first: 1, max: 60 },
} as const;

/** The plain page at `/` in dev mode. */
export const HOME = {
  /** Runs, and events, shown. */
  items: 25,
  /** s; how often the page loads itself again. */
  refresh: 5,
} as const;

/** Requests over REST that change something: bytes of their bodies. */
export const COMMAND = {
  bodyBytes: 64 * KIB,
  /** ms; how far a caller's clock may be ahead where a time must be past. */
  clockSkew: 1 * MINUTE,
} as const;

/** `GET /health`. */
export const HEALTH = {
  /** ms; how long an answer is given again before the storage is asked anew. */
  age: 1000,
  /** ms; storage that has not answered by then counts as failing. */
  patience: 5000,
} as const;

/** Sessions over REST (EV-37). */
export const SESSION = {
  /** Events that a question about sessions passes over, newest first: each is a row read. */
  events: 10_000,
  /** Sessions, or their keys, in one list. */
  listed: 100,
} as const;

/** Lists over REST. */
export const PAGE = { default: 20, min: 1, max: 100 } as const;
