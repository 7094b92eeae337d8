/**
 * D1: a database behind messages, whose queries may never arrive, or never answer (row 25). A batch is atomic. Owns the one database
 * that all worlds of a process use after each other: the engine's migrations take longer than most schedules.
 */
import type { Agenda } from "./agenda.ts";
import type { DatabaseFaults } from "./faults.ts";
import type { Mishaps } from "./mishaps.ts";
import { Database, type Row } from "./sqlite.ts";

/** What queries pass on their way. */
export interface Network {
  readonly agenda: Agenda;
  readonly mishaps: Mishaps;
  readonly faults: () => DatabaseFaults | undefined;
  /** One message's way, ms. */
  readonly latency: () => number;
}

/** ms that a slow query takes at most. */
const SLOW = 30_000;
/** Where the engine keeps which migrations were applied. */
const BOOKS = "d1_migrations";

const shared = new Database();
let isShared = false;

export class SimulatedD1 {
  readonly #network: Network;
  #database: Database | null = null;

  constructor(network: Network) {
    this.#network = network;
  }

  prepare(text: string): SimulatedStatement {
    return new SimulatedStatement(text, [], async (values) => {
      const [result] = await this.#send(text, () => [this.#now(text, values)]);
      return result ?? { success: true, results: [], meta: { changes: 0, rows_written: 0, rows_read: 0 } };
    });
  }

  async batch(statements: readonly SimulatedStatement[]) {
    const { mishaps, faults } = this.#network;
    return await this.#send(`batch of ${statements.length}`, () =>
      this.#open().transaction(() => {
        const half = mishaps.happens(faults()?.torn, "batch torn", () => `of ${statements.length}`);
        const done = (half ? statements.slice(0, statements.length >> 1) : statements).map(({ text, values }) => {
          return this.#now(text, values);
        });
        if (half) throw new Error("D1_ERROR: the batch was interrupted.");
        return done;
      }),
    );
  }

  /** The database, for those who check what is in it. */
  query(text: string, ...values: unknown[]): Row[] {
    return this.#open().run(text, values).rows;
  }

  /** There and back. A query on its way is not stopped by the end of whoever sent it. */
  #send<T>(what: string, work: () => T): Promise<T> {
    const { agenda, mishaps, faults, latency } = this.#network;
    const caller = agenda.owner;
    const { refused, unanswered, slow } = faults() ?? {};
    const name = what.trimStart().slice(0, 40).replaceAll(/\s+/g, " ");
    const delay = mishaps.happens(slow, "query slow", () => name) ? mishaps.between(latency(), SLOW) : latency();
    const lost = mishaps.happens(refused, "query lost", () => name);
    const silent = mishaps.happens(unanswered, "query unanswered", () => name);
    return new Promise((resolve, reject) => {
      const broken = () => reject(new Error("D1_ERROR: Network connection lost."));
      agenda.after(
        delay / 2,
        () => {
          if (lost) return void agenda.after(delay / 2, broken, caller);
          let answer = broken;
          try {
            const result = work();
            if (!silent) answer = () => resolve(result);
          } catch (error) {
            answer = () => reject(error);
          }
          agenda.after(delay / 2, answer, caller);
        },
        null,
      );
    });
  }

  #now(text: string, values: readonly unknown[]) {
    const { rows, changes } = this.#open().run(text, values);
    return { success: true, results: rows, meta: { changes, rows_written: changes, rows_read: rows.length } };
  }

  #open(): Database {
    if (this.#database !== null) return this.#database;
    if (isShared) shared.empty((table) => table === BOOKS);
    isShared = true;
    this.#database = shared;
    return shared;
  }
}

class SimulatedStatement {
  readonly text: string;
  readonly values: readonly unknown[];
  readonly #query: (values: readonly unknown[]) => Promise<{ results: Row[] }>;

  constructor(
    text: string,
    values: readonly unknown[],
    query: (values: readonly unknown[]) => Promise<{ results: Row[] }>,
  ) {
    this.text = text;
    this.values = values;
    this.#query = query;
  }

  bind(...values: unknown[]): SimulatedStatement {
    return new SimulatedStatement(this.text, values, this.#query);
  }

  run(): Promise<{ results: Row[] }> {
    return this.#query(this.values);
  }

  all(): Promise<{ results: Row[] }> {
    return this.#query(this.values);
  }

  async first(column?: string): Promise<unknown> {
    const [row] = (await this.all()).results;
    if (row === undefined) return null;
    return column === undefined ? row : row[column];
  }
}
