/**
 * How far an environment's removal of old rows has come (OB-24): one pass over runs and one over events that never end. Owns where each
 * stands; what may go is `src/sweep/expiry.ts`'.
 * Guarantees that a sweep removes a bounded number of rows, that the next one goes on where it stopped, and that rows which could not go are
 * looked at again.
 */
import type { Bindings } from "../../src/bindings.ts";
import { resumed, type Walk, walked } from "../../src/decide/sweep/walk.ts";
import { RETENTION } from "../../src/limits.ts";
import { expiredIds, expireRecords, idsAhead, type Pass, passEvents, passRuns } from "../../src/sweep/expiry.ts";
import { CountedSql } from "../counted-sql.ts";

const SCHEMA = `CREATE TABLE IF NOT EXISTS walks (
  name TEXT NOT NULL PRIMARY KEY,
  walk TEXT NOT NULL                       -- JSON
) WITHOUT ROWID;`;

/** A part of a table that is passed over. */
interface Round {
  readonly name: string;
  readonly pass: Pass;
  readonly stretch: typeof expiredIds;
  /** Pages of one sweep. */
  readonly pages: number;
}

// Runs first: an event may go when its runs are gone.
const ROUNDS: readonly Round[] = [
  { name: "runs", pass: passRuns, stretch: expiredIds, pages: RETENTION.pages.runs },
  { name: "runs ahead", pass: passRuns, stretch: idsAhead, pages: 1 },
  { name: "events", pass: passEvents, stretch: expiredIds, pages: RETENTION.pages.events },
  { name: "events ahead", pass: passEvents, stretch: idsAhead, pages: 1 },
];

export class Retention {
  readonly #sql: CountedSql;
  readonly #environmentId: string;
  #walks: Map<string, Walk> | null = null;

  constructor(storage: DurableObjectStorage, environmentId: string) {
    this.#sql = new CountedSql(storage);
    this.#environmentId = environmentId;
  }

  /** Removes what is past its retention, as much as one sweep may. Throws what D1 throws; what was removed until then stays so. */
  async prune(bindings: Bindings): Promise<void> {
    for (const round of ROUNDS) {
      const before = this.#load().get(round.name) ?? null;
      const walk = resumed(before, Date.now());
      await this.#walk(bindings, round, walk);
      if (round === ROUNDS[0] && walk !== before) await expireRecords(bindings, this.#environmentId, Date.now());
    }
  }

  async #walk(bindings: Bindings, { name, pass, stretch, pages }: Round, from: Walk): Promise<void> {
    let walk = from;
    for (let page = 0; page < pages; page++) {
      const now = Date.now();
      const ids = await pass(bindings, this.#environmentId, stretch(bindings, walk.cursor, now), now);
      walk = walked(walk, ids);
      this.#load().set(name, walk);
      // Where nothing was, nothing needs to be remembered: an environment at rest writes nothing.
      if (ids.length > 0) this.#save(name, walk);
      if (walk.atEnd) return;
    }
  }

  // load

  #load(): Map<string, Walk> {
    this.#walks ??= new Map(this.#read());
    return this.#walks;
  }

  #read(): [string, Walk][] {
    if (!this.#sql.has("walks")) return [];
    const rows = this.#sql.read<{ name: string; walk: string }>("SELECT name, walk FROM walks");
    // Only `#save` writes the texts, from values of this type.
    return rows.map(({ name, walk }) => [name, JSON.parse(walk) as Walk]);
  }

  // apply

  /** One row for a page of up to `RETENTION.rows`. */
  #save(name: string, walk: Walk): void {
    this.#sql.write(SCHEMA);
    this.#sql.write("INSERT OR REPLACE INTO walks (name, walk) VALUES (?, ?)", name, JSON.stringify(walk));
  }
}
