/**
 * What is left in a run's object when the run was deleted on request (OB-25): that it was, so that a start which is repeated does not begin it
 * anew. Owns the table; it holds no word of the run.
 */
import { DELETION } from "../src/limits.ts";
import { CountedSql } from "./counted-sql.ts";

const SCHEMA = "CREATE TABLE IF NOT EXISTS erased (one INTEGER NOT NULL PRIMARY KEY, at INTEGER NOT NULL)";

export class ErasedMark {
  readonly #sql: CountedSql;

  constructor(storage: DurableObjectStorage) {
    this.#sql = new CountedSql(storage);
  }

  /** When the mark may go, ms since 1970; null without one. */
  until(): number | null {
    if (!this.#sql.has("erased")) return null;
    const [row] = this.#sql.read<{ at: number }>("SELECT at FROM erased");
    return row === undefined ? null : row.at + DELETION.remembered;
  }

  /** Makes the mark at `now` (ms) and gives the time at which it may go. */
  set(now: number): number {
    this.#sql.write(SCHEMA);
    this.#sql.write("INSERT OR REPLACE INTO erased (one, at) VALUES (1, ?)", now);
    return now + DELETION.remembered;
  }
}
