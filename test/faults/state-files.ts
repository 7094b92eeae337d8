/**
 * The files of a stopped engine: which of them hold the database, one run, or one schedule, and putting earlier ones back. Owns what is known
 * of Miniflare's layout below a state directory.
 */
import { cp, readdir, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** The directory of history and catalog. */
export function databaseDir(stateDir: string): string {
  return join(stateDir, "d1");
}

/** The database itself. */
export async function databaseFile(stateDir: string): Promise<string> {
  const [file, ...others] = await sqliteFiles(join(databaseDir(stateDir), "miniflare-D1DatabaseObject"));
  if (file === undefined || others.length > 0) throw new Error("One database was expected");
  return file;
}

/** The file of the one object of a class whose `table` has a row that contains `text`. */
export async function objectFile(stateDir: string, className: string, table: string, text: string): Promise<string> {
  for (const file of await sqliteFiles(join(stateDir, "do", `millrace-${className}`))) {
    const found = inDatabase(file, (database) => {
      const tables = database.prepare("SELECT 1 FROM sqlite_master WHERE name = ?").all(table);
      const rows = tables.length === 0 ? [] : database.prepare(`SELECT * FROM ${table}`).all();
      return rows.some((row) => JSON.stringify(row).includes(text));
    });
    if (found) return file;
  }
  throw new Error(`No ${className} has ${text} in its ${table}`);
}

/** Works on a database of a stopped engine. */
export function inDatabase<T>(file: string, work: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(file);
  try {
    return work(database);
  } finally {
    database.close();
  }
}

/** Sets the alarm of the one object of its class, ms since 1970: in the object, and in the class's own list. */
export function setAlarm(file: string, at: number): void {
  const time = BigInt(Math.floor(at)) * 1_000_000n;
  inDatabase(file, (database) => database.prepare("UPDATE _cf_METADATA SET value = ? WHERE key = 1").run(time));
  const list = join(dirname(file), "metadata.sqlite");
  inDatabase(list, (database) => database.prepare("UPDATE _cf_ALARM SET scheduled_time = ?").run(time));
}

/** Puts a directory back as it was when it was copied. */
export async function restoreDir(from: string, to: string): Promise<void> {
  await rm(to, { recursive: true, force: true });
  await cp(from, to, { recursive: true });
}

/** Copies a database with what belongs to it into a directory, over what is there. */
export async function copyDatabase(file: string, toDir: string): Promise<void> {
  for (const suffix of ["", "-wal", "-shm"]) {
    const target = join(toDir, basename(file) + suffix);
    await rm(target, { force: true });
    await cp(file + suffix, target).catch((error: unknown) => {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    });
  }
}

/** The copy of a database that {@link copyDatabase} made in `fromDir`, put back. */
export function restoreDatabase(fromDir: string, file: string): Promise<void> {
  return copyDatabase(join(fromDir, basename(file)), dirname(file));
}

async function sqliteFiles(dir: string): Promise<string[]> {
  const files = await readdir(dir);
  return files.filter((file) => file.endsWith(".sqlite") && file !== "metadata.sqlite").map((file) => join(dir, file));
}
