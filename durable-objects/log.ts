/**
 * The log of a run on disk: one row per decision, split into parts where a row would exceed the platform's limit.
 * Owns the table and its encoding; knows nothing of what the decisions mean.
 */
import type { Decision } from "../src/decide/run/change.ts";
import { RUN } from "../src/limits.ts";

const SCHEMA =
  "CREATE TABLE IF NOT EXISTS log (sequence INTEGER, part INTEGER, body, PRIMARY KEY (sequence, part)) WITHOUT ROWID";

/** Appends decision number `sequence`. Atomic; returns the rows written. The first one creates the table. */
export function appendToLog(storage: DurableObjectStorage, sequence: number, decision: Decision): number {
  if (sequence === 1) storage.sql.exec(SCHEMA);
  const text = JSON.stringify(decision);
  // Text that short fits even if every character takes three bytes. One statement is atomic by itself.
  if (text.length * 3 <= RUN.rowBytes) return insert(storage.sql, sequence, 0, text);
  const bytes = new TextEncoder().encode(text);
  return storage.transactionSync(() => {
    let rows = 0;
    for (let part = 0; part * RUN.rowBytes < bytes.byteLength; part++) {
      const slice = bytes.slice(part * RUN.rowBytes, (part + 1) * RUN.rowBytes);
      rows += insert(storage.sql, sequence, part, slice.buffer);
    }
    return rows;
  });
}

/** All decisions in order; none when the object has never stored any. */
export function* readLog(sql: SqlStorage): Generator<Decision> {
  const tables = sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'log'").toArray();
  if (tables.length === 0) return;
  let sequence = 0;
  let parts: ArrayBuffer[] = [];
  const rows = sql.exec<{ sequence: number; body: string | ArrayBuffer }>(
    "SELECT sequence, body FROM log ORDER BY sequence, part",
  );
  for (const row of rows) {
    if (parts.length > 0 && row.sequence !== sequence) {
      yield join(parts);
      parts = [];
    }
    sequence = row.sequence;
    if (typeof row.body === "string") yield parse(row.body);
    else parts.push(row.body);
  }
  if (parts.length > 0) yield join(parts);
}

function insert(sql: SqlStorage, sequence: number, part: number, body: string | ArrayBuffer): number {
  return sql.exec("INSERT INTO log (sequence, part, body) VALUES (?, ?, ?)", sequence, part, body).rowsWritten;
}

function join(parts: readonly ArrayBuffer[]): Decision {
  const decoder = new TextDecoder();
  return parse(parts.map((part) => decoder.decode(part, { stream: true })).join("") + decoder.decode());
}

// Only this file writes the rows, so that what it reads is what it wrote.
function parse(text: string): Decision {
  return JSON.parse(text) as Decision;
}
