/**
 * Limits of environments and of stored keys. Each number with its unit and its reason.
 */
import { DAY, MINUTE, SECOND } from "./units.ts";

/** Environments (EV-23, EV-24). */
export const ENVIRONMENT = {
  /** Characters of a name. */
  nameLength: 255,
  /** ms after its latest sync that a branch is archived. */
  idle: 3 * DAY,
  /** Branches archived by one minute's sweep. */
  archived: 50,
  /** One in so many minutes an archived environment is swept: its runs still end, and its rows still expire. */
  restingSweep: 60,
  /** Environments swept at the same time. */
  parallel: 6,
} as const;

/** Stored keys (EV-18, API-2). */
export const KEY = {
  /** Bytes of randomness (SE-2). */
  bytes: 32,
  nameLength: 255,
  /** ms that an isolate trusts what it knows of a key or an environment: a change takes effect within 10 s (EV-18). */
  age: 5 * SECOND,
  /** ms that it does so while the database does not answer. */
  ageWithout: 5 * MINUTE,
  /** Keys and environments that an isolate remembers, unknown ones included. */
  remembered: 5000,
  /** Keys that are nobody's which an isolate looks up in a second. */
  strangers: 200,
  /** Keys that are sealed anew at the same time. */
  sealedAtOnce: 6,
  /** ms between notes that a key was used. */
  noted: 10 * MINUTE,
  /** Entries of one list of a filter, and characters of an entry. */
  filterEntries: 200,
  filterLength: 256,
} as const;
