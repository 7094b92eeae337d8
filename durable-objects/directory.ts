/**
 * Directory: the objects of one function that hold something back at the moment, so that they can be listed (FC-28). Names alone: what an
 * object holds, only the object knows. Entering and leaving are reported in the background and may be lost, therefore a reader asks every
 * object it finds here, and removes those that are gone. Decides nothing, and no run depends on it.
 */
import { DurableObject } from "cloudflare:workers";
import type { Bindings } from "../src/bindings.ts";
import { counters } from "../src/counters.ts";
import type { Entry, EntryKind, EntryList, ListedEntry } from "../src/events/directory.ts";
import { DIRECTORY } from "../src/limits.ts";
import { CountedSql } from "./counted-sql.ts";

// ---- schema

const SCHEMA = `CREATE TABLE IF NOT EXISTS entries (
  name       TEXT    NOT NULL PRIMARY KEY,
  kind       TEXT    NOT NULL,
  key        TEXT    NOT NULL,
  entered_at INTEGER NOT NULL             -- ms since 1970
) WITHOUT ROWID;`;

type EntryRow = { name: string; kind: EntryKind; key: string; entered_at: number };

export class Directory extends DurableObject<Bindings> {
  readonly #sql = new CountedSql(this.ctx.storage);
  #latest = 0;

  // ---- methods

  /** Lists an object. One that is listed already is written again, so that a reader who found it empty does not remove it. */
  enter({ kind, key, name }: Entry): void {
    counters.objectRequests++;
    this.#latest = Math.max(Date.now(), this.#latest + 1);
    this.#sql.transaction(() => {
      this.#sql.write(SCHEMA);
      this.#sql.write(
        "INSERT OR REPLACE INTO entries (name, kind, key, entered_at) VALUES (?, ?, ?, ?)",
        name,
        kind,
        key,
        this.#latest,
      );
    });
  }

  /** Removes an object. `enteredAt`: only if it has not entered again since; null: in any case. */
  leave(name: string, enteredAt: number | null): void {
    counters.objectRequests++;
    if (!this.#exists()) return;
    this.#sql.write(
      "DELETE FROM entries WHERE name = ? AND entered_at <= ?",
      name,
      enteredAt ?? Number.MAX_SAFE_INTEGER,
    );
  }

  /**
   * At most `DIRECTORY.entries` of these kinds, whose keys together have at most `DIRECTORY.keyBytes`. `after`: the last one of the list
   * before; null: from the beginning.
   */
  list(kinds: readonly EntryKind[], after: Pick<ListedEntry, "enteredAt" | "name"> | null = null): EntryList {
    counters.objectRequests++;
    if (!this.#exists()) return { entries: [], more: false };
    const query = `SELECT name, kind, key, entered_at FROM entries
      WHERE kind IN (SELECT value FROM json_each(?)) AND (entered_at, name) > (?, ?) ORDER BY entered_at, name LIMIT ?`;
    const entries: ListedEntry[] = [];
    let size = 0;
    const from = [after?.enteredAt ?? 0, after?.name ?? ""] as const;
    for (const row of this.#sql.each<EntryRow>(query, JSON.stringify(kinds), ...from, DIRECTORY.entries + 1)) {
      size += row.key.length;
      if (entries.length === DIRECTORY.entries || (size > DIRECTORY.keyBytes && entries.length > 0)) {
        return { entries, more: true };
      }
      entries.push({ name: row.name, kind: row.kind, key: row.key, enteredAt: row.entered_at });
    }
    return { entries, more: false };
  }

  // ---- load

  #exists(): boolean {
    return this.#sql.has("entries");
  }

  // ---- alarm: none. What is listed for nothing is removed by whoever finds it so.
}
