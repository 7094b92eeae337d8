/**
 * The debounce windows of one function and key: the open one, and those whose runs are to be started. Owns the tables. Who wins is decided
 * in `src/decide/window/debounce.ts`. Of the events only the winner is kept, and of the others the steps that wait for the run.
 */
import {
  type Debounce,
  type DebounceOptions,
  debounceClosesAt,
  joinDebounce,
} from "../../src/decide/window/debounce.ts";
import { covers, type Span } from "../../src/decide/window/repeats.ts";
import type { AcceptedEvent } from "../../src/events/event.ts";
import type { ClosedWindow, JoinCall, Parent } from "../../src/events/gathering.ts";
import { utf8Length, utf8Pieces } from "../../src/history/bulk.ts";
import { RUN } from "../../src/limits.ts";
import type { CountedSql } from "../counted-sql.ts";
import { REMEMBERED_SCHEMA } from "./remembered-table.ts";
import type { GatherStore, PlaceOf } from "./store.ts";

/** State and winner share a row, because both change with nearly every event; a winner larger than a row goes on in further parts. */
const SCHEMA = `${REMEMBERED_SCHEMA}
CREATE TABLE debounces (
  opener    TEXT    NOT NULL,             -- internal id of its first event
  part      INTEGER NOT NULL,
  closed_at INTEGER,                      -- ms since 1970; null while it takes events
  state     TEXT    NOT NULL,             -- JSON; empty in further parts
  body      TEXT    NOT NULL,             -- a piece of the winner's JSON
  PRIMARY KEY (opener, part)
) WITHOUT ROWID;
CREATE TABLE parents (
  opener  TEXT NOT NULL,
  run_id  TEXT NOT NULL,
  step_id TEXT NOT NULL,
  PRIMARY KEY (opener, run_id, step_id)
) WITHOUT ROWID;`;

/** A window in memory, and as JSON in its row. */
interface Kept {
  readonly window: Debounce;
  readonly key: string;
  readonly depth: number;
  /** Of the winner's payload as JSON. */
  readonly bytes: number;
  /** Rows of the winner. */
  readonly parts: number;
}

export class DebounceTable implements GatherStore<DebounceOptions> {
  readonly #sql: CountedSql;
  #exists: boolean;
  #open: Kept | null = null;
  /** Earliest first. */
  readonly #closed = new Map<string, Kept & { readonly closedAt: number }>();

  constructor(sql: CountedSql) {
    this.#sql = sql;
    this.#exists = sql.has("debounces");
    if (this.#exists) this.#read();
  }

  join(call: JoinCall<DebounceOptions>, remembered: PlaceOf, now: number): readonly string[] {
    if (!this.#exists) this.#sql.write(SCHEMA);
    this.#exists = true;
    const candidates = call.events.map(({ event }) => ({
      id: event.internalId,
      ts: event.payload.ts,
      receivedAt: event.receivedAt,
    }));
    const placeOf = (id: string) => this.#placeOf(id) ?? remembered(id);
    const before = this.#open?.window ?? null;
    const joined = joinDebounce(before, candidates, { options: call.options, placeOf, now });
    if (joined.closed !== null) this.close(now);
    if (joined.open === null || joined.open === before) return joined.places;
    const winner = joined.wins === null ? null : (call.events[joined.wins]?.event ?? null);
    this.#save(joined.open, call, winner);
    for (const [at, { parent }] of call.events.entries()) {
      if (parent !== null && joined.places[at] === joined.open.opener) this.#keepParent(joined.open.opener, parent);
    }
    return joined.places;
  }

  open() {
    if (this.#open === null) return null;
    const { window, key, bytes } = this.#open;
    const { opener, openedAt, count } = window;
    return { opener, key, events: count, openedAt, closesAt: debounceClosesAt(window), bytes };
  }

  close(now: number): void {
    if (this.#open === null) return;
    const { opener } = this.#open.window;
    this.#sql.write("UPDATE debounces SET closed_at = ? WHERE opener = ? AND part = 0", now, opener);
    this.#closed.set(opener, { ...this.#open, closedAt: now });
    this.#open = null;
  }

  closed(): readonly string[] {
    return [...this.#closed.keys()];
  }

  load(opener: string): ClosedWindow {
    const kept = this.#closed.get(opener);
    if (kept === undefined) throw new Error(`No debounce window of event ${opener} is closed.`);
    const parts = this.#sql.read<{ body: string }>("SELECT body FROM debounces WHERE opener = ? ORDER BY part", opener);
    // `#save` made the text from a value of this type.
    const winner = JSON.parse(parts.map(({ body }) => body).join("")) as AcceptedEvent;
    const query = "SELECT run_id, step_id FROM parents WHERE opener = ?";
    const parents = this.#sql.read<{ run_id: string; step_id: string }>(query, opener);
    return {
      opener,
      key: kept.key,
      closedAt: kept.closedAt,
      events: [winner],
      parents: parents.map(({ run_id: runId, step_id: stepId }) => ({ runId, stepId })),
      depth: kept.depth,
    };
  }

  remove(opener: string): readonly Span[] {
    const spans = this.#closed.get(opener)?.window.seen ?? [];
    this.#sql.write("DELETE FROM debounces WHERE opener = ?", opener);
    this.#sql.write("DELETE FROM parents WHERE opener = ?", opener);
    this.#closed.delete(opener);
    return spans;
  }

  #placeOf(id: string): string | null {
    for (const { window } of this.#closed.values()) if (covers(window.seen, id)) return window.opener;
    return null;
  }

  #save(window: Debounce, { key, depth }: JoinCall<DebounceOptions>, winner: AcceptedEvent | null): void {
    const before = this.#open;
    const text = winner === null ? null : JSON.stringify(winner);
    const pieces = text === null ? null : text.length * 3 <= RUN.rowBytes ? [text] : utf8Pieces(text, RUN.rowBytes);
    const kept: Kept = {
      window,
      key: before?.key ?? key,
      depth: Math.max(before?.depth ?? 0, depth),
      bytes: winner === null ? (before?.bytes ?? 0) : utf8Length(JSON.stringify(winner.payload)),
      parts: pieces?.length ?? before?.parts ?? 0,
    };
    this.#open = kept;
    const state = JSON.stringify(kept);
    if (pieces === null) {
      this.#sql.write("UPDATE debounces SET state = ? WHERE opener = ? AND part = 0", state, window.opener);
      return;
    }
    for (const [part, piece] of pieces.entries()) {
      this.#sql.write(
        "INSERT OR REPLACE INTO debounces (opener, part, closed_at, state, body) VALUES (?, ?, NULL, ?, ?)",
        window.opener,
        part,
        part === 0 ? state : "",
        piece,
      );
    }
    if ((before?.parts ?? 0) > pieces.length) {
      this.#sql.write("DELETE FROM debounces WHERE opener = ? AND part >= ?", window.opener, pieces.length);
    }
  }

  #keepParent(opener: string, { runId, stepId }: Parent): void {
    const insert = "INSERT OR IGNORE INTO parents (opener, run_id, step_id) VALUES (?, ?, ?)";
    this.#sql.write(insert, opener, runId, stepId);
  }

  #read(): void {
    const query = "SELECT closed_at, state FROM debounces WHERE part = 0 ORDER BY closed_at, opener";
    for (const row of this.#sql.read<{ closed_at: number | null; state: string }>(query)) {
      // `#save` made the text from a value of this type.
      const kept = JSON.parse(row.state) as Kept;
      if (row.closed_at === null) this.#open = kept;
      else this.#closed.set(kept.window.opener, { ...kept, closedAt: row.closed_at });
    }
  }
}
