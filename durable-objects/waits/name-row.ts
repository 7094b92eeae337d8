/**
 * What a `Waits` object remembers of its event name. Owns the one row; what it says is decided in `src/decide/waits/name.ts`.
 */
import type { NameState } from "../../src/decide/waits/name.ts";
import type { CountedSql } from "../counted-sql.ts";

/** One row; times are ms since 1970. */
export const NAME_SCHEMA = `
CREATE TABLE name (
  id           INTEGER PRIMARY KEY CHECK (id = 1),
  announced_at INTEGER,
  look_from    INTEGER NOT NULL,
  looks        INTEGER NOT NULL,
  sweep_at     INTEGER NOT NULL,
  idle         INTEGER NOT NULL
);`;

type NameRecord = { announced_at: number | null; look_from: number; looks: number; sweep_at: number; idle: number };

export class NameRow {
  readonly #sql: CountedSql;
  #state: NameState | null | undefined;

  constructor(sql: CountedSql) {
    this.#sql = sql;
  }

  /** Null before the first wait: then the object has no tables either. */
  get state(): NameState | null {
    if (this.#state === undefined) this.#state = this.#sql.has("name") ? this.#read() : null;
    return this.#state;
  }

  /** Stores a state; the same one again is not written. */
  save(state: NameState): void {
    if (state === this.#state) return;
    this.#sql.write(
      `INSERT OR REPLACE INTO name (id, announced_at, look_from, looks, sweep_at, idle) VALUES (1, ?, ?, ?, ?, ?)`,
      state.announcedAt,
      state.lookFrom,
      state.looks,
      state.sweepAt,
      state.idle ? 1 : 0,
    );
    this.#state = state;
  }

  #read(): NameState | null {
    const [row] = this.#sql.read<NameRecord>("SELECT announced_at, look_from, looks, sweep_at, idle FROM name");
    if (row === undefined) return null;
    const { announced_at: announcedAt, look_from: lookFrom, looks, sweep_at: sweepAt, idle } = row;
    return { announcedAt, lookFrom, looks, sweepAt, idle: idle === 1 };
  }
}
