/**
 * Limits of the minute's sweep: what counts as forgotten, how much is looked after at once, and how much is removed. Each number with its
 * unit and its reason.
 */
import { REGISTRATION } from "./registration.ts";
import { DAY, HOUR, MIB, MINUTE, SECOND } from "./units.ts";

/** Looking after what an alarm should have woken (row 8). */
export const SWEEP = {
  /** ms; an alarm that is later than this was given up by the platform, or is held back by it. */
  grace: 1 * MINUTE,
  /** ms; how long after its time a run is asked: the platform repeats a failing alarm for some two minutes before it gives it up. */
  margin: 5 * MINUTE,
  /** ms; a run that was asked is left alone for at least as long. */
  again: 5 * MINUTE,
  /** ms; the same for a run that history knows and its object does not. */
  unknown: 1 * DAY,
  /** ms; a run that has to be looked at so much earlier than it told history tells it so. */
  early: 1 * HOUR,
  /** Overdue runs read in one query, and such queries of one sweep. */
  runs: { page: 200, pages: 5 },
  /** Objects asked at the same time, and ms after which one that has not answered keeps no others waiting. */
  parallel: 32,
  patience: 10 * SECOND,
  /** ms; within this time every object that the catalog leads to was asked. */
  patrol: 1 * HOUR,
  /** Pages of a function's directory that are gone through: what is stuck has been listed longest, and comes first. */
  directoryPages: 10,
  /** Operations asked in one sweep. */
  operations: 20,
} as const;

/** Removing what is past its retention (OB-23, OB-24). */
export const RETENTION = {
  /** Rows looked at in one query. */
  rows: 500,
  /** Such queries of one sweep: 5,000 runs and 10,000 events a minute. Every run is asked, and an invocation may ask 10,000 times. */
  pages: { runs: 10, events: 20 },
  /** Bytes of payloads or outputs removed in one statement: D1 does nothing else meanwhile. */
  bytes: 8 * MIB,
  /** ms; a pass over a table that has come to its end begins anew after this, for rows that could not go when it passed them. */
  pass: 1 * HOUR,
  /** ms by which a pass stays behind: runs that take no longer are over when it comes to them. */
  behind: 10 * MINUTE,
  /** ms; ids whose time is further ahead are made from a seed, and no pass would ever come to them in time. */
  ahead: 1 * DAY,
  /** ms; an event may gather with others for this long before its run exists. */
  gathering: REGISTRATION.period.max + 1 * HOUR,
  /** ms after its retention when a run goes by itself that no sweep has removed. Longer than a pass, so that its alarm is rarely needed. */
  own: 2 * HOUR,
  /** ms; how long syncs and operations are kept. */
  records: 365 * DAY,
} as const;
