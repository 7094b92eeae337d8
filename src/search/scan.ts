/**
 * A search through history in the order of its ids, stretch by stretch (OB-3). Owns when it stops: the page is full, there is nothing left, or it has
 * cost enough. Then it says how far it came, and the next page goes on from there; it never passes off what it has not seen as nothing.
 */
import { HISTORY, SEARCH } from "../limits.ts";
import type { Passed, PassingRow, Stretch } from "./stretch.ts";

/** What a search may go through: rows that are judged, rows passed over, ms. */
export interface Bounds {
  readonly judged: number;
  readonly passed: number;
  readonly time: number;
}

/** Which page of a search. */
export interface Wanted {
  readonly limit: number;
  readonly order: Stretch["order"];
  /** ULID that it follows; null: it is the first. */
  readonly cursor: string | null;
  /** ULID after which nothing is looked for; null: everything is. */
  readonly last: string | null;
  /** Rows to fetch at once; null: as many as the page lacks, because each of them belongs to it. */
  readonly rows: number | null;
}

/** A page of a search. */
export interface Found<Item> {
  readonly items: readonly Item[];
  /** Where the next page begins; null at the end. */
  readonly nextCursor: string | null;
  /** The ULID up to which everything was looked at, when the search stopped early; null when the page is full or the search is done. */
  readonly searchedUntil: string | null;
}

/** Goes through a stretch, and says which of some rows belong on the page, in their order. */
export interface Search<Row, Item> {
  look(stretch: Stretch): Promise<Passed<Row>>;
  judge(rows: readonly Row[]): Promise<readonly (Item | null)[]>;
}

/** One page. `clock` gives ms. Throws what the search throws. */
export async function scan<Row extends PassingRow, Item>(
  search: Search<Row, Item>,
  { limit, order, cursor, last, rows }: Wanted,
  bounds: Bounds,
  clock: () => number,
): Promise<Found<Item>> {
  const began = clock();
  const items: Item[] = [];
  let [after, judged, passed, bytes] = [cursor, 0, 0, 0];
  for (let round = 0; ; round++) {
    const length = SEARCH.stretches[Math.min(round, SEARCH.stretches.length - 1)] ?? 1;
    const wanted = Math.min(rows ?? limit - items.length, bounds.judged - judged);
    const stretch = { after, order, length, limit: wanted, bytes: HISTORY.pageBytes };
    const { rows: found, more, edge } = await search.look(stretch);
    const verdicts = await search.judge(found);
    for (const [i, verdict] of verdicts.entries()) {
      if (verdict === null) continue;
      items.push(verdict);
      bytes += found[i]?.size ?? 0;
      if (items.length < limit) continue;
      const rest = verdicts.slice(i + 1).some((later) => later !== null);
      const unseen = more || edge !== null;
      return { items, nextCursor: rest || unseen ? (found[i]?.id ?? null) : null, searchedUntil: null };
    }
    judged += found.length;
    passed += more ? found.length : length;
    after = (more ? found.at(-1)?.id : edge) ?? null;
    const beyond = after !== null && last !== null && (order === "newest" ? after <= last : after >= last);
    if (after === null || beyond) return { items, nextCursor: null, searchedUntil: null };
    // Rows that were held back are too large for this page, as they may be together with what it has.
    if ((more && rows === null) || bytes >= HISTORY.pageBytes) return { items, nextCursor: after, searchedUntil: null };
    if (judged >= bounds.judged || passed >= bounds.passed || clock() - began >= bounds.time) {
      return { items, nextCursor: after, searchedUntil: after };
    }
  }
}
