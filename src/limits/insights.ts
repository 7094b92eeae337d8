/**
 * Limits of Insights. Each number with its unit and its reason.
 */
import { KIB, MIB, SECOND } from "./units.ts";

/** Questions in SQL (OB-20 … OB-22). */
export const INSIGHTS = {
  /** Characters of a question. */
  characters: 16 * KIB,
  /** Parts of its syntax tree: beyond it the statement D1 gets would exceed 100 KB. */
  nodes: 600,
  /** Nesting of brackets and operators; D1 takes 100, and some functions become several levels there. */
  depth: 24,
  /** Operators of one kind in a row, each of which is a level too. */
  chain: 50,
  /** Characters of the statement that D1 gets: it takes 100 KB. */
  statement: 90_000,
  /** Literals: D1 takes 100 parameters. */
  literals: 90,
  /** Columns of an answer; D1 takes 100. */
  columns: 80,
  /** Rows of an answer (OB-20). */
  rows: 1000,
  /** Bytes of an answer, after which it is cut like one of too many rows. */
  bytes: 8 * MIB,
  /** ms a question may take (OB-20). */
  time: 10 * SECOND,
  /** The newest rows of each table that a question is asked of: they bound what it costs, since D1 cannot be interrupted. */
  scanned: { events: 250_000, runs: 250_000 },
  /** Calls of functions in a question above which fewer rows are looked at. */
  calls: 8,
  /** Different values that a regular expression is held against, and their characters together: the database knows none. */
  matched: { values: 10_000, characters: 1 * MIB },
  /** Questions that are remembered, and saved, for one user. */
  history: 100,
  saved: 500,
  /** Characters of a saved question's name. */
  nameLength: 200,
} as const;
