import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { splitStatements } from "../../../src/history/statements.ts";

const migration = readFileSync(new URL("../../../migrations/0001_initial.sql", import.meta.url), "utf8");

function schemaAfter(apply: (db: DatabaseSync) => void): unknown[] {
  const db = new DatabaseSync(":memory:");
  apply(db);
  const names = db.prepare("SELECT type, name, tbl_name FROM sqlite_master ORDER BY name").all();
  const columns = db
    .prepare("SELECT m.name AS tbl, c.* FROM sqlite_master m, pragma_table_xinfo(m.name) c ORDER BY m.name, c.cid")
    .all();
  db.close();
  return [...names, ...columns];
}

describe("splitStatements", () => {
  test.each<[string, string, string[]]>([
    ["two statements", "SELECT 1; SELECT 2;", ["SELECT 1", "SELECT 2"]],
    ["a last one without a semicolon", "SELECT 1;\nSELECT 2\n", ["SELECT 1", "SELECT 2"]],
    ["empty ones", ";;  ;\n-- nothing;\n", []],
    ["a semicolon in a line comment", "SELECT 1 -- one; two\n, 2;", ["SELECT 1  \n, 2"]],
    ["a quote in a line comment", "SELECT 1; -- the sender's\nSELECT 2;", ["SELECT 1", "SELECT 2"]],
    ["a semicolon in a block comment", "SELECT /* a; b */ 1;", ["SELECT   1"]],
    ["an unclosed block comment", "SELECT 1; /* a; b", ["SELECT 1"]],
    ["a semicolon in a string", "SELECT 'a;''b;' ; SELECT 2", ["SELECT 'a;''b;'", "SELECT 2"]],
    ["a comment mark in a string", "SELECT '--a', '/*' ; SELECT 2", ["SELECT '--a', '/*'", "SELECT 2"]],
    ["quoted names", 'SELECT "a;b", `c;d`, [e;f]; SELECT 2', ['SELECT "a;b", `c;d`, [e;f]', "SELECT 2"]],
    ["lone marks", "SELECT 1 - 2 / 3;", ["SELECT 1 - 2 / 3"]],
  ])("splits %s", (_, script, statements) => {
    expect(splitStatements(script)).toEqual(statements);
  });

  test("refuses triggers, whose bodies hold semicolons", () => {
    expect(() => splitStatements("CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; END;")).toThrow(/triggers/);
  });

  test("the migration makes the same schema in pieces as in one go", () => {
    const pieces = splitStatements(migration);
    expect(pieces.length).toBeGreaterThan(5);
    expect(
      schemaAfter((db) => {
        for (const piece of pieces) db.exec(piece);
      }),
    ).toEqual(schemaAfter((db) => db.exec(migration)));
  });
});
