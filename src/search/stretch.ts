/**
 * One query that goes through a stretch of a table in the order of its ids, and gives the rows in it that pass. Owns its SQL.
 * Guarantees that the database passes over a bounded number of rows, however few of them pass, and that the answer says how far it came.
 */
import { type Page, pagedQuery } from "../history/page.ts";
import type { Bind } from "./pushdown.ts";

/** What is gone through. Texts are SQL, made of constants and placeholders. */
export interface Source {
  /** Table and index, and what is joined for the rows that pass. */
  readonly from: string;
  readonly join: string;
  /** The column of ids, which are ULIDs. */
  readonly id: string;
  /** Columns of the rows, and their bytes. */
  readonly columns: string;
  readonly size: string;
  /** Conditions that the index answers: only rows that satisfy these count as passed over. */
  readonly located: readonly string[];
  /** Conditions that rows are held against one by one. */
  readonly filters: readonly string[];
  readonly values: readonly (string | number)[];
}

/** Which stretch: rows that follow `after` in the order (null: from its beginning), `length` of them, and of those that pass at most `limit` rows or `bytes`. */
export interface Stretch {
  readonly after: string | null;
  readonly order: NonNullable<Page["order"]>;
  readonly length: number;
  readonly limit: number;
  readonly bytes: number;
}

/** What a stretch gave. */
export interface Passed<Row> {
  readonly rows: readonly Row[];
  /** Rows of the stretch pass that are not among `rows`: they follow the last of these. */
  readonly more: boolean;
  /** The last id of the stretch; null when the table ends in it. */
  readonly edge: string | null;
}

type Answer<Row> = Row & { readonly edge: string | null; readonly id: string | null; readonly available: number };

/** Below and above every ULID. */
const [FIRST, LAST] = ["", "~"];

/** Collects parameters; the first ones are those of the source. */
export function parameters(values: (string | number)[]): Bind {
  return (value) => `?${values.push(value)}`;
}

/** A row that passes: its id, and its bytes. */
export interface PassingRow {
  readonly id: string;
  readonly size: number;
}

/** Goes through a stretch. */
export async function goThrough<Row extends PassingRow>(
  db: D1Database,
  source: Source,
  { after, order, length, limit, bytes }: Stretch,
): Promise<Passed<Row>> {
  const values = [...source.values];
  const bind = parameters(values);
  const [follows, until, by] = order === "newest" ? ["<", ">=", "DESC"] : [">", "<=", "ASC"];
  const located = [...source.located, ...(after === null ? [] : [`${source.id} ${follows} ${bind(after)}`])];
  // Where the index answers everything, all rows pass and none is passed over.
  const walks = source.filters.length > 0;
  const edge = walks
    ? `(SELECT ${source.id} FROM ${source.from} WHERE ${located.join(" AND ")} ORDER BY ${source.id} ${by} LIMIT 1 OFFSET ${bind(length - 1)})`
    : "NULL";
  const conditions = [
    ...located,
    ...(walks
      ? [`${source.id} ${until} COALESCE((SELECT id FROM stretch), '${order === "newest" ? FIRST : LAST}')`]
      : []),
    ...source.filters,
  ];
  const select = `SELECT ${source.id} AS id, ${source.columns}, ${source.size} AS size
    FROM ${source.from} ${source.join} WHERE ${conditions.join(" AND ")}`;
  const query = `WITH stretch (id) AS MATERIALIZED (SELECT ${edge})
    SELECT stretch.id AS edge, page.* FROM stretch
    LEFT JOIN (${pagedQuery(select, "id", bind(limit), bind(bytes), order)}) AS page ON true ORDER BY page.id ${by}`;
  const { results } = await db
    .prepare(query)
    .bind(...values)
    .all<Answer<Row>>();
  const [first] = results;
  // Where nothing passes, there is the edge alone.
  const rows: Row[] = (first?.id ?? null) === null ? [] : results;
  return { rows, more: rows.length > 0 && (first?.available ?? 0) > rows.length, edge: first?.edge ?? null };
}
