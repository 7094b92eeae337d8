/**
 * Pages of a list (API-5). Owns what a page is: newest first unless asked otherwise, cut by the ULID of the last item seen, so that items arriving
 * meanwhile neither repeat nor hide any. A page may hold fewer items than asked for when they are large; only `nextCursor` tells the end.
 */

/** Which page to read. */
export interface Page {
  /** Most items wanted. */
  readonly limit: number;
  /** ULID of the last item of the page before; null for the first page. */
  readonly cursor: string | null;
  /** `oldest`: oldest first; absent: newest first. */
  readonly order?: "newest" | "oldest";
}

/** A page's items, and where the next one starts: null at the end. */
export interface Listing<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}

/** A row of a paged query: `available` counts the rows before any were cut for their size, one past the page included. */
export interface PagedRow {
  readonly available: number;
}

/**
 * The paged form of a query, for rows whose `size` column holds their bytes: asks for one row more than the page, drops rows once
 * those before them fill `budget` (bytes), and always keeps the first. `id` names the ULID column; `limit` and `budget` are parameter
 * placeholders. All arguments are constants of the caller, never input.
 */
export function pagedQuery(
  select: string,
  id: string,
  limit: string,
  budget: string,
  order: NonNullable<Page["order"]> = "newest",
): string {
  const by = `${id} ${order === "newest" ? "DESC" : "ASC"}`;
  return `SELECT * FROM (
    SELECT *, COUNT(*) OVER () AS available, SUM(size) OVER (ORDER BY ${by} ROWS UNBOUNDED PRECEDING) - size AS preceding
    FROM (${select} ORDER BY ${by} LIMIT ${limit} + 1)
  ) WHERE preceding < ${budget} ORDER BY ${by} LIMIT ${limit}`;
}

/** Makes a listing of what {@link pagedQuery} gave. */
export function listing<Item>(
  rows: readonly PagedRow[],
  items: readonly Item[],
  idOf: (item: Item) => string,
): Listing<Item> {
  const last = items.at(-1);
  const more = (rows[0]?.available ?? 0) > items.length;
  return { items, nextCursor: more && last !== undefined ? idOf(last) : null };
}
