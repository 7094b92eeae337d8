/**
 * The storage of simulated objects and of D1: a real SQLite in memory. Owns what it takes to have thousands of databases after each other:
 * each is opened when it is first used, and used again when the world it belonged to is over.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";

export type Row = Record<string, unknown>;

/** What a statement came to. */
export interface Ran {
  readonly rows: Row[];
  readonly changes: number;
}

/** Statements without parameters that change the schema; there may be several in one text. */
const DEFINITION = /^\s*(?:CREATE|DROP|ALTER)\b/i;
const CHANGE = /^\s*(?:INSERT|UPDATE|DELETE|REPLACE|WITH)/i;

interface Prepared {
  readonly statement: StatementSync;
  readonly isQuery: boolean;
  readonly changes: boolean;
}

/** One database and its prepared statements. */
export class Database {
  #database: DatabaseSync | null = null;
  readonly #statements = new Map<string, Prepared>();

  /** Runs one statement; rows as objects, blobs as ArrayBuffers. */
  run(text: string, values: readonly unknown[]): Ran {
    if (values.length === 0 && DEFINITION.test(text)) {
      this.#open().exec(text);
      return { rows: [], changes: 1 };
    }
    const { statement, isQuery, changes } = this.#prepare(text);
    const bound = values.map(toSqlite);
    if (!isQuery) return { rows: [], changes: Number(statement.run(...bound).changes) };
    const rows = statement.all(...bound).map(fromSqlite);
    return { rows, changes: changes ? rows.length : 0 };
  }

  /** All of it or none. */
  transaction<T>(work: () => T): T {
    this.#prepare("SAVEPOINT simulated").statement.run();
    try {
      const result = work();
      this.#prepare("RELEASE simulated").statement.run();
      return result;
    } catch (error) {
      this.#open().exec("ROLLBACK TO simulated; RELEASE simulated");
      throw error;
    }
  }

  /** Empties it. */
  clear(): void {
    this.#statements.clear();
    this.#database?.close();
    this.#database = null;
  }

  /** Removes all rows and keeps the tables named by `isKept` as they are. */
  empty(isKept: (table: string) => boolean): void {
    const tables = this.run(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
      [],
    ).rows;
    for (const { name } of tables) if (!isKept(String(name))) this.#open().exec(`DELETE FROM "${String(name)}"`);
  }

  #open(): DatabaseSync {
    this.#database ??= new DatabaseSync(":memory:");
    return this.#database;
  }

  #prepare(text: string): Prepared {
    const known = this.#statements.get(text);
    if (known !== undefined) return known;
    const statement = this.#open().prepare(text);
    const prepared = { statement, isQuery: statement.columns().length > 0, changes: CHANGE.test(text) };
    this.#statements.set(text, prepared);
    return prepared;
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
  for (const name in row) {
    const value = row[name];
    if (value instanceof Uint8Array) row[name] = value.slice().buffer;
  }
  return row;
}

/** `ctx.storage.sql`. `wrote` is called before a statement that may change something. */
export class SimulatedSql {
  readonly #database: Database;
  readonly #wrote: () => void;

  constructor(database: Database, wrote: () => void) {
    this.#database = database;
    this.#wrote = wrote;
  }

  exec(text: string, ...values: unknown[]) {
    const { rows, changes } = this.#database.run(text, values);
    if (changes > 0) this.#wrote();
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
