/**
 * The spans of the app that a run keeps (API-34, OB-14): one row per export that brought something new. Owns the table and its limits.
 * Guarantees that a run never holds more than `USERLAND` allows, that what it refused is counted, and that an export that comes twice is kept
 * once. The count is written when it has doubled, so that an app which sends without end costs a few rows only.
 */
import { USERLAND } from "../src/limits.ts";
import type { StoredSpans, UserlandSpan } from "../src/traces/userland.ts";
import { CountedSql } from "./counted-sql.ts";

const SCHEMA = `CREATE TABLE IF NOT EXISTS userland_spans (batch INTEGER PRIMARY KEY, spans TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS userland_dropped (one INTEGER PRIMARY KEY, spans INTEGER NOT NULL)`;

export class UserlandSpans {
  readonly #sql: CountedSql;
  #kept: { spans: UserlandSpan[]; bytes: number; dropped: number; written: number } | null = null;

  constructor(storage: DurableObjectStorage) {
    this.#sql = new CountedSql(storage);
  }

  /** What is kept, and how many spans were not. */
  stored(): StoredSpans {
    const { spans, dropped } = this.#load();
    return { spans, dropped };
  }

  /** Keeps those that are new and for which there is room. */
  keep(spans: readonly UserlandSpan[]): void {
    const kept = this.#load();
    const known = new Set(kept.spans.map(({ id }) => id));
    const batch: UserlandSpan[] = [];
    let bytes = 0;
    let dropped = 0;
    for (const span of spans) {
      if (known.has(span.id)) continue;
      known.add(span.id);
      const size = new TextEncoder().encode(JSON.stringify(span)).byteLength;
      const full = kept.spans.length + batch.length >= USERLAND.spans || kept.bytes + bytes + size > USERLAND.bytes;
      if (full) dropped++;
      else {
        batch.push(span);
        bytes += size;
      }
    }
    this.#write(batch, kept.dropped + dropped);
    kept.spans.push(...batch);
    kept.bytes += bytes;
    kept.dropped += dropped;
  }

  #write(batch: readonly UserlandSpan[], dropped: number): void {
    const kept = this.#load();
    const counts = dropped > 0 && dropped >= 2 * kept.written;
    if (batch.length === 0 && !counts) return;
    this.#sql.transaction(() => {
      this.#sql.write(SCHEMA);
      if (batch.length > 0) this.#sql.write("INSERT INTO userland_spans (spans) VALUES (?)", JSON.stringify(batch));
      if (counts) this.#sql.write("INSERT OR REPLACE INTO userland_dropped (one, spans) VALUES (1, ?)", dropped);
    });
    if (counts) kept.written = dropped;
  }

  #load() {
    this.#kept ??= this.#read();
    return this.#kept;
  }

  #read() {
    const empty = { spans: [] as UserlandSpan[], bytes: 0, dropped: 0, written: 0 };
    if (!this.#sql.has("userland_spans")) return empty;
    for (const { spans } of this.#sql.each<{ spans: string }>("SELECT spans FROM userland_spans ORDER BY batch")) {
      // Written just above.
      empty.spans.push(...(JSON.parse(spans) as UserlandSpan[]));
      empty.bytes += new TextEncoder().encode(spans).byteLength;
    }
    const [counted] = this.#sql.read<{ spans: number }>("SELECT spans FROM userland_dropped");
    const dropped = counted?.spans ?? 0;
    return { ...empty, dropped, written: dropped };
  }
}
