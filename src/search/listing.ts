/**
 * What lists of events and runs have in common: their form, and where in the order of ids a stretch of time lies. Owns both.
 */
import type { Listing, Page } from "../history/page.ts";
import { encodeUlid } from "../ids.ts";
import { SEARCH } from "../limits.ts";
import type { Faults } from "./judge.ts";
import type { Bounds, Found } from "./scan.ts";

/** A page of a list or a search. */
export interface SearchListing<Item> extends Listing<Item> {
  /** The ULID up to which everything was looked at, when the search stopped early; null when the page is full or the search is done. */
  readonly searchedUntil: string | null;
  /** Rows for which the expression failed; null when there were none. */
  readonly faults: Faults | null;
}

/** The bounds of a list, or of a search with an expression. */
export function boundsOf(withExpression: boolean): Bounds {
  return withExpression ? SEARCH.expression : SEARCH.list;
}

/** A page as it is handed out. */
export function listingOf<Item>({ items, nextCursor, searchedUntil }: Found<Item>, faults: Faults | null) {
  return { items, nextCursor, searchedUntil, faults };
}

/** The id below which nothing is that happened `late` ms at most after the time in its id, and not before `from` (ms). */
export function lowestOf(from: number | null, late: number): string | null {
  return from === null ? null : idAt(from - late - SEARCH.skew);
}

/** The id above which nothing is that happened before `until` (ms). */
export function highestOf(until: number | null): string | null {
  return until === null ? null : idAt(until + SEARCH.skew);
}

/** A page of what lies between two ids: where it begins and where it ends, in its order. */
export function pageWithin({ limit, cursor, order = "newest" }: Page, lowest: string | null, highest: string | null) {
  const [first, last] = order === "newest" ? [highest, lowest] : [lowest, highest];
  const ahead = cursor !== null && first !== null && (order === "newest" ? cursor < first : cursor > first);
  return { limit, order, cursor: ahead || first === null ? cursor : first, last };
}

function idAt(time: number): string {
  return encodeUlid(Math.max(time, 0), NO_ENTROPY);
}

const NO_ENTROPY = new Uint8Array(10);
