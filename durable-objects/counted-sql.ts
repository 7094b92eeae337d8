/**
 * An object's SQL, with the rows it reads and writes added to the counters of the bill. Owns nothing else; statements are its users'.
 */
import { counters } from "../src/counters.ts";

type Value = string | number | null;

export class CountedSql {
  readonly #storage: DurableObjectStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /** Every row of a query, read as it is consumed: nothing may be written meanwhile. */
  *each<Row extends Record<string, SqlStorageValue>>(query: string, ...values: Value[]): Generator<Row> {
    const cursor = this.#storage.sql.exec<Row>(query, ...values);
    try {
      yield* cursor;
    } finally {
      counters.rowsRead += cursor.rowsRead;
    }
  }

  /** All rows of a query. */
  read<Row extends Record<string, SqlStorageValue>>(query: string, ...values: Value[]): Row[] {
    return [...this.each<Row>(query, ...values)];
  }

  /** Runs statements that write; values are for the last of them. Gives the rows written, index entries included. */
  write(statements: string, ...values: Value[]): number {
    const { rowsWritten } = this.#storage.sql.exec(statements, ...values);
    counters.rowsWritten += rowsWritten;
    return rowsWritten;
  }

  /** All or nothing of what `work` writes. */
  transaction<T>(work: () => T): T {
    return this.#storage.transactionSync(work);
  }

  /** Whether a table was ever made: asking an object that holds nothing must not make one. */
  has(table: string): boolean {
    return this.read("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", table).length > 0;
  }

  /** Whether any table was ever made, the platform's own aside. */
  hasAny(): boolean {
    const query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf_*' LIMIT 1";
    return this.read(query).length > 0;
  }
}
