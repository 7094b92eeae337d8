/**
 * Everything that is stored, as text to be searched for canaries: all tables of the database and of every object's own storage.
 */
import { listDurableObjectIds, runInDurableObject } from "cloudflare:test";
import { bindings } from "../records.ts";

/** One row of a table, and whose it is. */
export interface Kept {
  /** `D1`, or the class of an object with its name, or with its id where it has forgotten that. */
  readonly where: string;
  readonly table: string;
  /** The row as JSON; bytes are read as UTF-8. */
  readonly row: string;
}

const { RUN, WINDOW, CAPACITY, DIRECTORY, WAITS, SCHEDULE, OPERATION, PAUSE, CHANNEL, ENVIRONMENT } = bindings;
const CLASSES = { RUN, WINDOW, CAPACITY, DIRECTORY, WAITS, SCHEDULE, OPERATION, PAUSE, CHANNEL, ENVIRONMENT };
const TABLES = `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*' AND name NOT GLOB '_cf_*'`;

/** All rows of the database. */
export async function inDatabase(): Promise<Kept[]> {
  const { results: tables } = await bindings.DB.prepare(TABLES).all<{ name: string }>();
  const rows = await Promise.all(
    tables.map(async ({ name }) => {
      // What belongs to a full-text index is its own to read, and says nothing that the table does not.
      const { results } = await bindings.DB.prepare(`SELECT * FROM "${name}"`)
        .all()
        .catch(() => ({ results: [] }));
      return results.map((row): Kept => ({ where: "D1", table: name, row: textOf(row) }));
    }),
  );
  return rows.flat();
}

/** All rows of all objects that the test can reach. One that left memory has forgotten its name, and some classes cannot do without. */
export async function inObjects(): Promise<Kept[]> {
  const kept: Kept[] = [];
  for (const [name, namespace] of Object.entries(CLASSES)) {
    // Listing and reading work for every class; the plugin's types take one at a time.
    const objects = namespace as unknown as DurableObjectNamespace;
    for (const id of await listDurableObjectIds(objects)) {
      const rows = await runInDurableObject(objects.get(id), (_, ctx) =>
        rowsIn(`${name} ${ctx.id.name ?? id}`, ctx.storage.sql),
      ).catch(() => []);
      kept.push(...rows);
    }
  }
  return kept;
}

function rowsIn(where: string, sql: SqlStorage): Kept[] {
  const tables = sql.exec<{ name: string }>(TABLES).toArray();
  return tables.flatMap(({ name }) =>
    sql
      .exec(`SELECT * FROM "${name}"`)
      .toArray()
      .map((row): Kept => ({ where, table: name, row: textOf(row) })),
  );
}

function textOf(row: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(row, (_, value: unknown) => {
    const bytes = value instanceof ArrayBuffer || ArrayBuffer.isView(value) ? value : null;
    return bytes === null ? value : new TextDecoder().decode(bytes);
  });
}
