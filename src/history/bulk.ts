/**
 * Rows as JSON text, for statements of the form `INSERT … SELECT … FROM json_each(?1)`. Pure.
 * Owns how rows are packed into parameters: D1 counts rows written, not statements, but each statement is a round through its one
 * thread, so a batch of any length becomes as few parameters as the row limit allows.
 */

/** One row: the columns in the statement's order. Nested JSON goes in as text, because SQLite refuses JSON deeper than 1,000. */
export type Row = readonly (string | number | null)[];

/** A row as JSON, with its length in bytes of UTF-8. */
export interface EncodedRow {
  readonly text: string;
  readonly bytes: number;
}

/** Bytes of a text as UTF-8. */
export function utf8Length(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}

/** A row as an array in JSON. */
export function encodeRow(row: Row): EncodedRow {
  const text = JSON.stringify(row);
  return { text, bytes: utf8Length(text) };
}

/**
 * Packs rows, in order, into JSON arrays of at most `limit` bytes each; a row that is larger on its own gets an array to itself.
 * No rows give no parameters.
 */
export function packRows(rows: readonly EncodedRow[], limit: number): string[] {
  const parameters: string[] = [];
  let pending: string[] = [];
  let bytes = 0;
  const flush = () => {
    if (pending.length > 0) parameters.push(`[${pending.join(",")}]`);
    pending = [];
    bytes = 0;
  };
  for (const row of rows) {
    // The brackets and one comma per row count as well.
    if (bytes + row.bytes + pending.length + 2 > limit) flush();
    pending.push(row.text);
    bytes += row.bytes;
  }
  flush();
  return parameters;
}

/** Cuts text into pieces of at most `limit` bytes of UTF-8 (at least 4), never inside a character. */
export function utf8Pieces(text: string, limit: number): string[] {
  const buffer = new Uint8Array(limit);
  const encoder = new TextEncoder();
  const pieces: string[] = [];
  let rest = text;
  while (rest !== "") {
    const { read } = encoder.encodeInto(rest, buffer);
    pieces.push(rest.slice(0, read));
    rest = rest.slice(read);
  }
  return pieces;
}
