/**
 * The batches of one function and key: the open one, and those whose runs are to be started. Owns the table of batches; members are in
 * pages of their own. What joins what is decided in `src/decide/window/batch.ts`.
 */
import {
  type Batch,
  type BatchOptions,
  batchClosesAt,
  type ChangedBatch,
  inOrderOfReceipt,
  joinBatch,
} from "../../src/decide/window/batch.ts";
import type { Span } from "../../src/decide/window/repeats.ts";
import type { ClosedWindow, JoinCall, Parent } from "../../src/events/gathering.ts";
import { utf8Length } from "../../src/history/bulk.ts";
import type { CountedSql } from "../counted-sql.ts";
import { MEMBER_SCHEMA, MemberPages } from "./member-pages.ts";
import { REMEMBERED_SCHEMA } from "./remembered-table.ts";
import type { GatherStore, PlaceOf } from "./store.ts";

const SCHEMA = `${REMEMBERED_SCHEMA}${MEMBER_SCHEMA}
CREATE TABLE batches (
  opener    TEXT    NOT NULL PRIMARY KEY, -- internal id of its first event
  key       TEXT    NOT NULL,
  opened_at INTEGER NOT NULL,             -- ms since 1970
  options   TEXT    NOT NULL,             -- JSON
  closed_at INTEGER                       -- null while it takes events
) WITHOUT ROWID;`;

type BatchRow = { opener: string; key: string; opened_at: number; options: string; closed_at: number | null };

/** A batch in memory. */
interface Kept {
  batch: Batch;
  readonly key: string;
  readonly ids: Set<string>;
}

export class BatchTable implements GatherStore<BatchOptions> {
  readonly #sql: CountedSql;
  readonly #pages: MemberPages;
  #exists: boolean;
  #open: Kept | null = null;
  /** Earliest first. */
  readonly #closed = new Map<string, Kept & { readonly closedAt: number }>();

  constructor(sql: CountedSql) {
    this.#sql = sql;
    this.#pages = new MemberPages(sql);
    this.#exists = sql.has("batches");
    if (this.#exists) this.#read();
  }

  join(call: JoinCall<BatchOptions>, remembered: PlaceOf, now: number): readonly string[] {
    if (!this.#exists) this.#sql.write(SCHEMA);
    this.#exists = true;
    const members = call.events.map((gathering) => ({
      gathering: { ...gathering, depth: call.depth },
      bytes: utf8Length(JSON.stringify(gathering.event.payload)),
    }));
    const candidates = members.map(({ gathering: { event }, bytes }) => ({
      id: event.internalId,
      receivedAt: event.receivedAt,
      bytes,
    }));
    const placeOf = (id: string) => this.#placeOf(id) ?? remembered(id);
    const joined = joinBatch(this.#open?.batch ?? null, candidates, { options: call.options, placeOf, now });
    for (const changed of joined.changed) {
      const added = changed.added.flatMap((at) => members[at] ?? []);
      this.#pages.append(changed.batch.opener, added);
      const kept = this.#save(changed, call.key, now);
      for (const { gathering } of added) kept.ids.add(gathering.event.internalId);
    }
    return joined.places;
  }

  open() {
    if (this.#open === null) return null;
    const { batch, key } = this.#open;
    const { opener, openedAt, count, bytes } = batch;
    return { opener, key, events: count, openedAt, closesAt: batchClosesAt(batch), bytes };
  }

  close(now: number): void {
    if (this.#open === null) return;
    this.#write(this.#open.batch, this.#open.key, now);
    this.#closed.set(this.#open.batch.opener, { ...this.#open, closedAt: now });
    this.#open = null;
  }

  closed(): readonly string[] {
    return [...this.#closed.keys()];
  }

  load(opener: string): ClosedWindow {
    const kept = this.#closed.get(opener);
    if (kept === undefined) throw new Error(`No batch of event ${opener} is closed.`);
    const members = this.#pages.load(opener);
    const [first, ...others] = inOrderOfReceipt(members.map(({ event }) => event));
    if (first === undefined) throw new Error(`The batch of event ${opener} has no members.`);
    const parents: Parent[] = members.flatMap(({ parent }) => parent ?? []);
    const depth = Math.max(...members.map((member) => member.depth));
    return { opener, key: kept.key, closedAt: kept.closedAt, events: [first, ...others], parents, depth };
  }

  remove(opener: string): readonly Span[] {
    const ids = this.#closed.get(opener)?.ids ?? [];
    this.#sql.write("DELETE FROM batches WHERE opener = ?", opener);
    this.#pages.remove(opener);
    this.#closed.delete(opener);
    return [...ids].map((id) => [id, id]);
  }

  #placeOf(id: string): string | null {
    for (const { batch, ids } of [this.#open, ...this.#closed.values()].filter((kept) => kept !== null)) {
      if (ids.has(id)) return batch.opener;
    }
    return null;
  }

  #save({ batch, opened, closed }: ChangedBatch, key: string, now: number): Kept {
    const kept = this.#open?.batch.opener === batch.opener ? this.#open : { batch, key, ids: new Set<string>() };
    // The members tell count and size: a batch that only grows is not written.
    if (opened || closed || kept.batch.options !== batch.options) this.#write(batch, kept.key, closed ? now : null);
    kept.batch = batch;
    this.#open = closed ? null : kept;
    if (closed) this.#closed.set(batch.opener, { ...kept, closedAt: now });
    return kept;
  }

  #write({ opener, openedAt, options }: Batch, key: string, closedAt: number | null): void {
    this.#sql.write(
      "INSERT OR REPLACE INTO batches (opener, key, opened_at, options, closed_at) VALUES (?, ?, ?, ?, ?)",
      opener,
      key,
      openedAt,
      JSON.stringify(options),
      closedAt,
    );
  }

  #read(): void {
    for (const row of this.#sql.read<BatchRow>("SELECT * FROM batches ORDER BY closed_at, opener")) {
      const { ids, bytes } = this.#pages.summary(row.opener);
      // `#write` made the text.
      const options = JSON.parse(row.options) as BatchOptions;
      const batch = { opener: row.opener, openedAt: row.opened_at, options, count: ids.length, bytes };
      const kept = { batch, key: row.key, ids: new Set(ids) };
      if (row.closed_at === null) this.#open = kept;
      else this.#closed.set(row.opener, { ...kept, closedAt: row.closed_at });
    }
  }
}
