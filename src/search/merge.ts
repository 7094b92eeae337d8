/**
 * Pages of several lists as one page, newest first. Pure. Owns how far the common page reaches: no further than every list has been looked
 * at, so that going on from its end neither repeats nor skips anything, even where one of them stopped early.
 */
import type { Listing } from "../history/page.ts";

/** The page that lists of the same page make together; `idOf` is the ULID they are ordered by, and no item is in two of them. */
export function mergedPage<Item>(
  pages: readonly Listing<Item>[],
  limit: number,
  idOf: (item: Item) => string,
): Listing<Item> {
  const ends = pages.flatMap(({ nextCursor }) => (nextCursor === null ? [] : [nextCursor]));
  const [seen = null] = ends.sort().reverse();
  const known = pages.flatMap(({ items }) => items).filter((item) => seen === null || idOf(item) >= seen);
  const items = known.sort((a, b) => (idOf(a) < idOf(b) ? 1 : -1)).slice(0, limit);
  const last = items.at(-1);
  if (last === undefined || items.length === known.length) return { items, nextCursor: seen };
  return { items, nextCursor: idOf(last) };
}
