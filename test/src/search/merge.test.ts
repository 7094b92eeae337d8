import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Listing } from "../../../src/history/page.ts";
import { mergedPage } from "../../../src/search/merge.ts";

const idOf = (id: string) => id;

/** A list that reads at most `reach` of its items at a time, of which it shows those that `shows`: as a search that stops early does. */
function list(all: readonly string[], reach: number, shows: (id: string) => boolean) {
  const newest = all.toSorted().reverse();
  return (cursor: string | null, limit: number): Listing<string> => {
    const left = newest.filter((id) => cursor === null || id < cursor);
    const items: string[] = [];
    for (const [at, id] of left.entries()) {
      if (items.length === limit || at === reach) return { items, nextCursor: left[at - 1] ?? null };
      if (shows(id)) items.push(id);
    }
    return { items, nextCursor: null };
  };
}

describe("several lists as one", () => {
  it("API-23, API-5: a list that stopped early hides nothing of the others, and repeats nothing", () => {
    const early = { items: [], nextCursor: "05" };
    const full = { items: ["09", "07", "03"], nextCursor: null };
    expect(mergedPage([early, full], 10, idOf)).toEqual({ items: ["09", "07"], nextCursor: "05" });
    expect(mergedPage([early], 10, idOf)).toEqual({ items: [], nextCursor: "05" });
    expect(mergedPage([full], 2, idOf)).toEqual({ items: ["09", "07"], nextCursor: "07" });
    expect(mergedPage([full], 3, idOf)).toEqual({ items: ["09", "07", "03"], nextCursor: null });
  });

  it("API-23, API-5: page by page everything comes exactly once, newest first", () => {
    const ids = fc.uniqueArray(fc.integer({ min: 0, max: 999 }), { maxLength: 60 });
    const bounds = fc.tuple(
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 1, max: 5 }),
    );
    fc.assert(
      fc.property(ids, bounds, (numbers, [reachOfEven, reachOfOdd, limit]) => {
        const all = numbers.map((n) => String(n).padStart(3, "0"));
        const shows = (id: string) => Number(id) % 3 !== 0;
        const lists = [
          list(
            all.filter((id) => Number(id) % 2 === 0),
            reachOfEven,
            shows,
          ),
          list(
            all.filter((id) => Number(id) % 2 === 1),
            reachOfOdd,
            shows,
          ),
        ];
        const seen: string[] = [];
        let cursor: string | null = null;
        for (let pages = 0; pages <= all.length; pages++) {
          const page: Listing<string> = mergedPage(
            lists.map((one) => one(cursor, limit)),
            limit,
            idOf,
          );
          expect(page.items.length).toBeLessThanOrEqual(limit);
          seen.push(...page.items);
          cursor = page.nextCursor;
          if (cursor === null) break;
        }
        expect(cursor).toBeNull();
        expect(seen).toEqual(all.filter(shows).toSorted().reverse());
      }),
    );
  });
});
