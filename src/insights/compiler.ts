/**
 * What the SELECTs of one question share while they become SQL: parameters, names that are given out, and texts that regular expressions are
 * held against. Owns the budget of rows that are looked at.
 */
import { INSIGHTS } from "../limits.ts";
import type { Expression, Select } from "./syntax.ts";
import type { Table } from "./tables.ts";
import { Parameters, type Type } from "./typed.ts";

/** A regular expression that is held against all values of an expression, before the statement runs. */
export interface Matching {
  readonly pattern: string;
  /** The SELECT that gives the values, in one column. */
  readonly values: Select;
  /** Aliases that its expressions may use. */
  readonly aliases: ReadonlyMap<string, Expression>;
  /** Which parameter gets those that match, as a list in JSON. */
  readonly parameter: number;
  readonly at: number;
}

/** A column of an answer. */
export interface AnswerColumn {
  readonly name: string;
  readonly type: Type;
}

/** Newest rows of a table that a question looks at. */
export interface TableRead {
  readonly table: Table;
  readonly rows: number;
  /** Only events of this name; null: all rows. */
  readonly name: string | null;
}

/** A question as SQL. */
export interface Statement {
  readonly sql: string;
  readonly values: readonly (string | number)[];
  readonly columns: readonly AnswerColumn[];
  readonly reads: readonly TableRead[];
  readonly matchings: readonly Matching[];
}

/** The state that is shared. */
export class Compilation {
  readonly environmentId: string;
  /** ms; what `now()` is. */
  readonly now: number;
  readonly parameters = new Parameters();
  readonly matchings: Matching[] = [];
  readonly reads: TableRead[] = [];
  /** Calls of functions in the whole question. */
  readonly #calls: number;
  #names = 0;

  constructor(environmentId: string, now: number, calls: number) {
    this.environmentId = environmentId;
    this.now = now;
    this.#calls = calls;
  }

  /** A name that stands for nothing else in the statement. */
  name(): string {
    return `t${this.#names++}`;
  }

  /** Notes that a table is read. How many of its newest rows are looked at: fewer when each of them takes more work. */
  read(table: Table, name: string | null): number {
    const rows = Math.floor((INSIGHTS.scanned[table.name] * INSIGHTS.calls) / Math.max(INSIGHTS.calls, this.#calls));
    this.reads.push({ table, rows, name });
    return rows;
  }
}
