/**
 * Which of a run's topics are followed, on disk: a run that sleeps for days must still tell its followers when it wakes. One row, which
 * exists only while there are followers. Owns the table; read once by each instance.
 */
import { counters } from "../src/counters.ts";
import type { FollowedTopics } from "../src/runs/publications.ts";

const SCHEMA = "CREATE TABLE IF NOT EXISTS followed (id INTEGER PRIMARY KEY CHECK (id = 1), topics TEXT NOT NULL)";

export class Followed implements FollowedTopics {
  readonly #sql: SqlStorage;
  #topics: readonly string[] | null = null;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  read(): readonly string[] {
    this.#topics ??= this.#load();
    return this.#topics;
  }

  write(topics: readonly string[]): void {
    this.#topics = topics;
    this.#sql.exec(SCHEMA);
    const { rowsWritten } =
      topics.length === 0
        ? this.#sql.exec("DELETE FROM followed")
        : this.#sql.exec("INSERT OR REPLACE INTO followed (id, topics) VALUES (1, ?)", topics.join(" "));
    counters.rowsWritten += rowsWritten;
  }

  #load(): readonly string[] {
    const exists = this.#sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'followed'").toArray().length > 0;
    const rows = exists ? this.#sql.exec<{ topics: string }>("SELECT topics FROM followed").toArray() : [];
    return rows[0]?.topics.split(" ") ?? [];
  }
}
