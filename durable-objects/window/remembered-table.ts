/**
 * The events of windows that have started their run, so that a repeated send finds where its events went (FC-36). Owns the table: one row
 * per window, not per event.
 */
import { covers, hull, type Span } from "../../src/decide/window/repeats.ts";
import type { CountedSql } from "../counted-sql.ts";

/** The key is in the order in which windows are looked for: new events have ids above those of nearly all windows that are over. */
export const REMEMBERED_SCHEMA = `
CREATE TABLE remembered (
  last   TEXT    NOT NULL,                -- highest internal id
  first  TEXT    NOT NULL,                -- lowest
  opener TEXT    NOT NULL,                -- the event that opened the window
  at     INTEGER NOT NULL,                -- when its run was started, ms since 1970
  spans  TEXT    NOT NULL,                -- JSON: spans of internal ids
  PRIMARY KEY (last, first, opener)
) WITHOUT ROWID;`;

export class RememberedTable {
  readonly #sql: CountedSql;
  /** When the newest row was written; undefined while not read. */
  #newest: number | null | undefined;

  constructor(sql: CountedSql) {
    this.#sql = sql;
  }

  /** The opener of the window the event was in; null when none is remembered. */
  placeOf(id: string): string | null {
    if (this.newest() === null) return null;
    const query = "SELECT opener, spans FROM remembered WHERE last >= ? AND first <= ?";
    const rows = this.#sql.each<{ opener: string; spans: string }>(query, id, id);
    // The text was made by `add`.
    for (const { opener, spans } of rows) if (covers(JSON.parse(spans) as Span[], id)) return opener;
    return null;
  }

  /** Remembers a window. The caller has the transaction. */
  add(opener: string, spans: readonly Span[], at: number): void {
    const [first, last] = hull(spans);
    this.#sql.write(
      "INSERT OR REPLACE INTO remembered (last, first, opener, at, spans) VALUES (?, ?, ?, ?, ?)",
      last,
      first,
      opener,
      at,
      JSON.stringify(spans),
    );
    this.#newest = at;
  }

  /** When the newest window was remembered, ms; null without any. */
  newest(): number | null {
    if (this.#newest === undefined) this.#newest = this.#sql.has("remembered") ? this.#readNewest() : null;
    return this.#newest;
  }

  /** Forgets the windows that were remembered before `time`, ms. */
  sweep(time: number): void {
    if (this.newest() !== null) this.#sql.write("DELETE FROM remembered WHERE at < ?", time);
  }

  #readNewest(): number | null {
    return this.#sql.read<{ at: number | null }>("SELECT MAX(at) AS at FROM remembered")[0]?.at ?? null;
  }
}
