/**
 * Limits of traces, of the spans that apps send, and of GraphQL. Each number with its unit and its reason.
 */
import { KIB, MIB } from "./units.ts";

/** Traces of runs (OB-11). */
export const TRACE = {
  /** Bytes of an output that still travels inside the trace, and of all of them together; beyond, they are loaded one by one. */
  inline: { outputBytes: 64 * KIB, totalBytes: 1 * MIB },
  /** Bytes of a log's values that are held while its trace is drawn: the object has 128 MB, and the run's state may be 32 MiB of it. */
  keptBytes: 8 * MIB,
  /** Bytes of a step's arguments, or of a prompt, that are kept beside its result: the memo is what a run needs, this is for people. */
  inputBytes: 64 * KIB,
} as const;

/** Spans that apps send (API-34, OB-14). */
export const USERLAND = {
  /** Bytes of a request after decompression. */
  requestBytes: 8 * MIB,
  /** Spans of one request: beyond, they belong to so many runs that one request cannot tell them all. */
  perRequest: 10_000,
  /** Runs told by one request. */
  runs: 100,
  /** Spans kept of one run, and their bytes as JSON: later ones are counted and dropped. */
  spans: 1000,
  bytes: 1 * MIB,
  /** Bytes of one stored row. */
  rowBytes: 1_500_000,
  /** Attributes of a span, events of a span, and characters of one attribute's text: the rest is cut off. */
  attributes: 128,
  events: 32,
  text: 8 * KIB,
  /** Nesting of attribute values. */
  depth: 8,
} as const;

/** GraphQL (API-23). */
export const GRAPHQL = {
  /** Bytes of a request: `invokeFunction` carries an event's data. */
  requestBytes: 2 * MIB,
  /** Tokens of a document: parsing is linear in them. */
  tokens: 5000,
  /** Nesting of brackets in the text: an event's data may stand in it. */
  brackets: 128,
  /** Nesting of selections, fragments expanded; introspection asks about 15 deep. */
  depth: 20,
  /** Fields in all, fragments expanded, whatever they are called. */
  fields: 2000,
  /** Fields of the outermost level: each may be a read or an action. */
  roots: 20,
  /** Items of a list. */
  page: { default: 40, max: 100 },
  /** Objects of runs asked by one request, however its lists are nested. */
  runs: 400,
} as const;

/** Totals of lists: counting reads every row that fits. */
export const TOTALS = { max: 10_000 } as const;
