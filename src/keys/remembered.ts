/**
 * What an isolate remembers of rows that nearly every request needs: who a key belongs to, which branch a name is. Owns how long that is
 * trusted. Guarantees that a change is seen within `KEY.age`, that an unknown key costs one read in that time, and that keys which are known
 * go on working for `KEY.ageWithout` while the database does not answer.
 */
import { messageOf } from "../errors.ts";
import { ensureSchema } from "../history/schema.ts";
import { KEY } from "../limits.ts";

interface Entry<Value> {
  readonly value: Value;
  /** When it was read, ms since 1970. */
  readonly at: number;
}

/** Rows by name, of a database whose schema is in place when `read` is called. */
export function rememberedRows<Value>(read: (db: D1Database, name: string) => Promise<Value>): Remembered<Value> {
  return new Remembered(async (db, name) => {
    await ensureSchema(db);
    return await read(db, name);
  });
}

/** Values by name, with what reads one. Values are kept, never promises: a promise belongs to the request that made it. */
export class Remembered<Value> {
  readonly #databases = new WeakMap<D1Database, Map<string, Entry<Value>>>();
  readonly #read: (db: D1Database, name: string) => Promise<Value>;

  constructor(read: (db: D1Database, name: string) => Promise<Value>) {
    this.#read = read;
  }

  /** The value as it was at most `KEY.age` before `now` (ms). Throws what reading throws, when nothing is known. */
  async get(db: D1Database, name: string, now: number): Promise<Value> {
    const entries = this.#entries(db);
    const known = entries.get(name);
    // A clock that has gone back says nothing about the age.
    const age = known === undefined ? null : Math.abs(now - known.at);
    if (known !== undefined && age !== null && age < KEY.age) return known.value;
    try {
      const value = await this.#read(db, name);
      entries.delete(name);
      entries.set(name, { value, at: now });
      const oldest = entries.keys().next();
      if (entries.size > KEY.remembered && oldest.done !== true) entries.delete(oldest.value);
      return value;
    } catch (error) {
      if (known === undefined || age === null || age > KEY.ageWithout) throw error;
      console.error("A key is judged by what was known of it:", messageOf(error));
      return known.value;
    }
  }

  /** Makes this isolate read everything anew: for whoever changed something. */
  forget(db: D1Database): void {
    this.#databases.delete(db);
  }

  #entries(db: D1Database): Map<string, Entry<Value>> {
    const entries = this.#databases.get(db) ?? new Map<string, Entry<Value>>();
    this.#databases.set(db, entries);
    return entries;
  }
}
