/**
 * The events that were found to concern runs, until those runs have heard of them. Owns the table.
 * Guarantees that an event is offered once: repeated within `WAITS.remembered` it is known, and finds no waits that came after it.
 */
import type { AcceptedEvent } from "../../src/events/event.ts";
import { utf8Pieces } from "../../src/history/bulk.ts";
import { RUN, WAITS } from "../../src/limits.ts";
import type { CountedSql } from "../counted-sql.ts";
import type { Target } from "./wait-table.ts";

/** One row per event, not per run, because rows written are the bill. Large events and long lists of runs are spread over parts. */
export const OFFER_SCHEMA = `
CREATE TABLE offers (
  event_id TEXT    NOT NULL,              -- internal id
  part     INTEGER NOT NULL,
  at       INTEGER NOT NULL,              -- when it was offered, ms since 1970
  body     TEXT    NOT NULL,              -- a piece of the event's JSON; empty once it is delivered
  targets  TEXT    NOT NULL,              -- JSON array: runs that have not answered
  PRIMARY KEY (event_id, part)
) WITHOUT ROWID;`;

const NONE = "[]";

/** An event with the runs that have not heard of it, in the portions they are stored in. */
export interface Offer {
  readonly event: AcceptedEvent;
  readonly parts: readonly { readonly part: number; readonly targets: readonly Target[] }[];
}

type OfferRow = { part: number; body: string; targets: string };

export class OfferTable {
  readonly #sql: CountedSql;
  /** Ids of events that are still to be delivered, earliest first; null while not read. */
  #pending: Set<string> | null = null;

  constructor(sql: CountedSql) {
    this.#sql = sql;
  }

  /** Whether the event was offered before and is remembered. */
  knows(eventId: string): boolean {
    return this.#sql.read("SELECT 1 FROM offers WHERE event_id = ? LIMIT 1", eventId).length > 0;
  }

  /** Stores what is to be delivered. The caller has the transaction. */
  add(event: AcceptedEvent, targets: readonly Target[], now: number): Offer {
    const pending = this.#load();
    const bodies = piecesOf(JSON.stringify(event));
    const count = Math.max(bodies.length, Math.ceil(targets.length / WAITS.targets));
    const parts = Array.from({ length: count }, (_, part) => {
      const some = targets.slice(part * WAITS.targets, (part + 1) * WAITS.targets);
      this.#sql.write(
        "INSERT INTO offers (event_id, part, at, body, targets) VALUES (?, ?, ?, ?, ?)",
        event.internalId,
        part,
        now,
        bodies[part] ?? "",
        JSON.stringify(some),
      );
      return { part, targets: some };
    });
    pending.add(event.internalId);
    return { event, parts: parts.filter((stored) => stored.targets.length > 0) };
  }

  /** Ids of the events that are still to be delivered, earliest first. */
  pending(): readonly string[] {
    return [...this.#load()];
  }

  /** A pending event with what is left of it. */
  load(eventId: string): Offer {
    const query = "SELECT part, body, targets FROM offers WHERE event_id = ? ORDER BY part";
    const rows = this.#sql.read<OfferRow>(query, eventId);
    // Both texts were made by `add` from values of these types.
    const event = JSON.parse(rows.map(({ body }) => body).join("")) as AcceptedEvent;
    const parts = rows.map(({ part, targets }) => ({ part, targets: JSON.parse(targets) as Target[] }));
    return { event, parts: parts.filter(({ targets }) => targets.length > 0) };
  }

  /** Notes which runs of a part have not answered. Of an event that all have heard of only the id is kept. The caller has the transaction. */
  settle(eventId: string, part: number, remaining: readonly Target[]): void {
    const others = "SELECT 1 FROM offers WHERE event_id = ? AND part <> ? AND targets <> ? LIMIT 1";
    if (remaining.length > 0 || this.#sql.read(others, eventId, part, NONE).length > 0) {
      const text = JSON.stringify(remaining);
      this.#sql.write("UPDATE offers SET targets = ? WHERE event_id = ? AND part = ?", text, eventId, part);
      return;
    }
    this.#sql.write("DELETE FROM offers WHERE event_id = ? AND part > 0", eventId);
    this.#sql.write("UPDATE offers SET targets = ?, body = '' WHERE event_id = ?", NONE, eventId);
    this.#load().delete(eventId);
  }

  /** When the next event may be forgotten, ms; null without any. Reads them all. */
  nextExpiry(): number | null {
    const [row] = this.#sql.read<{ at: number | null }>("SELECT MIN(at) AS at FROM offers");
    return row === undefined || row.at === null ? null : row.at + WAITS.remembered;
  }

  /** Forgets up to `WAITS.sweep.rows` delivered events whose time is over at `now` (ms); true when there may be more. */
  sweep(now: number): boolean {
    const forgotten = this.#sql.write(
      `DELETE FROM offers WHERE (event_id, part) IN
         (SELECT event_id, part FROM offers WHERE at <= ? AND targets = ? AND body = '' LIMIT ?)`,
      now - WAITS.remembered,
      NONE,
      WAITS.sweep.rows,
    );
    return forgotten >= WAITS.sweep.rows;
  }

  #load(): Set<string> {
    if (this.#pending === null) {
      const query = "SELECT event_id FROM offers WHERE targets <> ? GROUP BY event_id ORDER BY MIN(at), event_id";
      this.#pending = new Set(this.#sql.read<{ event_id: string }>(query, NONE).map(({ event_id }) => event_id));
    }
    return this.#pending;
  }
}

function piecesOf(text: string): string[] {
  // A text that short fits even if every character takes three bytes.
  return text.length * 3 <= RUN.rowBytes ? [text] : utf8Pieces(text, RUN.rowBytes);
}
