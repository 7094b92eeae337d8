import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { splitStatements } from "../../../src/history/statements.ts";

const FOLDER = resolve(import.meta.dirname, "../../../migrations");
const FILES = readdirSync(FOLDER).sort();

/** Applies the migrations from one file up to, but not including, another. */
function migrate(database: DatabaseSync, from: string, until: string): void {
  for (const file of FILES.filter((name) => name >= from && name < until)) {
    for (const statement of splitStatements(readFileSync(resolve(FOLDER, file), "utf8"))) database.exec(statement);
  }
}

describe("0006_due_runs.sql", () => {
  it("I4: runs that are unfinished when it is applied are looked at soon, those that have ended never", () => {
    const database = new DatabaseSync(":memory:");
    migrate(database, "", "0006");
    const insert =
      database.prepare(`INSERT INTO runs (environment_id, run_id, app_id, function_id, function_slug, function_version, status,
      queued_at, event_ids, event_name, sequence) VALUES ('e', ?, 'a', 'f', 's', 1, ?, 7, '[]', 'n', 1)`);
    const statuses = ["queued", "running", "completed", "failed", "cancelled", "skipped"];
    for (const status of statuses) insert.run(status, status);
    migrate(database, "0006", "0007");
    const rows = database.prepare("SELECT status, due_at FROM runs ORDER BY run_id").all();
    expect(Object.fromEntries(rows.map((row) => [row["status"], row["due_at"]]))).toEqual({
      queued: 7,
      running: 7,
      completed: null,
      failed: null,
      cancelled: null,
      skipped: null,
    });
  });
});
