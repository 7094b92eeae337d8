/**
 * The two databases of the platform over a real SQLite in memory: the storage of an object, and D1. Owns only what their interfaces add.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";

type Row = Record<string, unknown>;

/** Statements without parameters that change the schema; there may be several in one text. */
const DEFINITION = /^\s*(?:CREATE|DROP|ALTER)\b/i;

/** One database and its prepared statements. */
export class Database {
  #database = new DatabaseSync(":memory:");
  #statements = new Map<string, StatementSync>();

  /** Runs one statement; rows as objects, blobs as ArrayBuffers. */
  run(text: string, values: readonly unknown[]): { readonly rows: Row[]; readonly changes: number } {
    if (values.length === 0 && DEFINITION.test(text)) {
      this.#database.exec(text);
      return { rows: [], changes: 0 };
    }
    const statement = this.#prepare(text);
    const bound = values.map(toSqlite);
    if (statement.columns().length === 0) return { rows: [], changes: Number(statement.run(...bound).changes) };
    const rows = statement.all(...bound).map(fromSqlite);
    return { rows, changes: /^\s*(?:INSERT|UPDATE|DELETE|REPLACE|WITH)/i.test(text) ? rows.length : 0 };
  }

  /** All of it or none. */
  transaction<T>(work: () => T): T {
    this.#database.exec("SAVEPOINT simulated");
    try {
      const result = work();
      this.#database.exec("RELEASE simulated");
      return result;
    } catch (error) {
      this.#database.exec("ROLLBACK TO simulated; RELEASE simulated");
      throw error;
    }
  }

  /** Empties it. */
  clear(): void {
    this.#statements.clear();
    this.#database.close();
    this.#database = new DatabaseSync(":memory:");
  }

  #prepare(text: string): StatementSync {
    const known = this.#statements.get(text);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(text);
    this.#statements.set(text, statement);
    return statement;
  }
}

function toSqlite(value: unknown): SQLInputValue {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (typeof value === "boolean") return value ? 1 : 0;
  if (value === null || typeof value === "string" || typeof value === "number" || value instanceof Uint8Array)
    return value;
  throw new TypeError(`A ${typeof value} cannot be bound to a statement.`);
}

function fromSqlite(row: Row): Row {
  const entries = Object.entries(row).map(([name, value]) => {
    return [name, value instanceof Uint8Array ? value.slice().buffer : value] as const;
  });
  return Object.fromEntries(entries);
}

/** `ctx.storage.sql`. */
export class SimulatedSql {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  exec(text: string, ...values: unknown[]) {
    const { rows, changes } = this.#database.run(text, values);
    return {
      rowsWritten: changes,
      rowsRead: rows.length,
      toArray: () => rows,
      one: () => {
        const [row, ...others] = rows;
        if (row === undefined || others.length > 0) throw new Error(`Expected exactly one row, found ${rows.length}.`);
        return row;
      },
      [Symbol.iterator]: () => rows[Symbol.iterator](),
    };
  }
}

/** D1: the same database behind promises. `gate` is what every query waits for first; it may reject (faults.md #25). */
export class SimulatedD1 {
  readonly #database = new Database();
  readonly #gate: () => Promise<void>;

  constructor(gate: () => Promise<void>) {
    this.#gate = gate;
  }

  prepare(text: string): SimulatedStatement {
    return new SimulatedStatement(text, [], (values = []) => this.#query(text, values));
  }

  async batch(statements: readonly SimulatedStatement[]) {
    await this.#gate();
    return this.#database.transaction(() => statements.map(({ text, values }) => this.#now(text, values)));
  }

  async #query(text: string, values: readonly unknown[]) {
    await this.#gate();
    return this.#now(text, values);
  }

  #now(text: string, values: readonly unknown[]) {
    const { rows, changes } = this.#database.run(text, values);
    return { success: true, results: rows, meta: { changes, rows_written: changes, rows_read: rows.length } };
  }
}

class SimulatedStatement {
  readonly text: string;
  readonly values: readonly unknown[];
  readonly #query: (values: readonly unknown[]) => Promise<{ results: Row[] }>;

  constructor(text: string, values: readonly unknown[], query: SimulatedStatement["run"]) {
    this.text = text;
    this.values = values;
    this.#query = query;
  }

  bind(...values: unknown[]): SimulatedStatement {
    return new SimulatedStatement(this.text, values, this.#query);
  }

  run(values: readonly unknown[] = this.values): Promise<{ results: Row[] }> {
    return this.#query(values);
  }

  all(): Promise<{ results: Row[] }> {
    return this.#query(this.values);
  }

  async first(column?: string): Promise<unknown> {
    const [row] = (await this.#query(this.values)).results;
    if (row === undefined) return null;
    return column === undefined ? row : row[column];
  }
}
