/**
 * The members of batches on disk. Owns the table: one text per batch, a line per member, kept in pages so that an event that joins writes
 * one row, which is what counts, and an event larger than a row is spread over several.
 */
import type { Gathering } from "../../src/events/gathering.ts";
import { utf8Length, utf8Pieces } from "../../src/history/bulk.ts";
import { GATHER, RUN } from "../../src/limits.ts";
import type { CountedSql } from "../counted-sql.ts";

export const MEMBER_SCHEMA = `
CREATE TABLE members (
  opener TEXT    NOT NULL,                -- the batch: internal id of the event that opened it
  page   INTEGER NOT NULL,
  ids    TEXT    NOT NULL,                -- internal ids of the members that begin here, each followed by a space
  bytes  INTEGER NOT NULL,                -- of their payloads
  body   TEXT    NOT NULL,                -- one JSON per line; a line may go on in the next page
  PRIMARY KEY (opener, page)
) WITHOUT ROWID;`;

/** A member as it is written: its line and the size of its payload. */
export interface Member {
  readonly gathering: Gathering & { readonly depth: number };
  /** Of its payload as JSON. */
  readonly bytes: number;
}

/** Where the next member of a batch goes. */
interface End {
  readonly page: number;
  /** Of the page's text. */
  readonly size: number;
}

export class MemberPages {
  readonly #sql: CountedSql;
  readonly #ends = new Map<string, End>();

  constructor(sql: CountedSql) {
    this.#sql = sql;
  }

  /** Adds members to a batch. The caller has the transaction, and forgets this instance should it fail. */
  append(opener: string, members: readonly Member[]): void {
    if (members.length === 0) return;
    const text = members.map(({ gathering }) => `${JSON.stringify(gathering)}\n`).join("");
    const ids = members.map(({ gathering }) => `${gathering.event.internalId} `).join("");
    const bytes = members.reduce((sum, member) => sum + member.bytes, 0);
    const size = utf8Length(text);
    const end = this.#endOf(opener);
    if (end !== null && end.size < GATHER.pageBytes && end.size + size <= RUN.rowBytes) {
      this.#sql.write(
        "UPDATE members SET ids = ids || ?, bytes = bytes + ?, body = body || ? WHERE opener = ? AND page = ?",
        ids,
        bytes,
        text,
        opener,
        end.page,
      );
      this.#ends.set(opener, { page: end.page, size: end.size + size });
      return;
    }
    const pieces = size <= RUN.rowBytes ? [text] : utf8Pieces(text, RUN.rowBytes);
    const first = end === null ? 0 : end.page + 1;
    for (const [i, piece] of pieces.entries()) {
      this.#sql.write(
        "INSERT INTO members (opener, page, ids, bytes, body) VALUES (?, ?, ?, ?, ?)",
        opener,
        first + i,
        i === 0 ? ids : "",
        i === 0 ? bytes : 0,
        piece,
      );
    }
    this.#ends.set(opener, { page: first + pieces.length - 1, size: utf8Length(pieces.at(-1) ?? "") });
  }

  /** Internal ids of a batch's members in the order in which they joined, and the size of their payloads. */
  summary(opener: string): { readonly ids: readonly string[]; readonly bytes: number } {
    const query = "SELECT ids, bytes FROM members WHERE opener = ? ORDER BY page";
    const rows = this.#sql.read<{ ids: string; bytes: number }>(query, opener);
    const ids = rows.flatMap((row) => row.ids.split(" ").filter((id) => id !== ""));
    return { ids, bytes: rows.reduce((sum, row) => sum + row.bytes, 0) };
  }

  /** The members of a batch in the order in which they joined. */
  load(opener: string): Member["gathering"][] {
    const query = "SELECT body FROM members WHERE opener = ? ORDER BY page";
    const text = this.#sql
      .read<{ body: string }>(query, opener)
      .map(({ body }) => body)
      .join("");
    // `append` made the lines from values of this type.
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Member["gathering"]);
  }

  /** Removes a batch's members. The caller has the transaction. */
  remove(opener: string): void {
    this.#sql.write("DELETE FROM members WHERE opener = ?", opener);
    this.#ends.delete(opener);
  }

  #endOf(opener: string): End | null {
    const known = this.#ends.get(opener);
    if (known !== undefined) return known;
    const query =
      "SELECT page, LENGTH(CAST(body AS BLOB)) AS size FROM members WHERE opener = ? ORDER BY page DESC LIMIT 1";
    return this.#sql.read<{ page: number; size: number }>(query, opener)[0] ?? null;
  }
}
