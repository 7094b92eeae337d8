import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { splitStatements } from "../../../src/history/statements.ts";
import { compileQuestion } from "../../../src/insights/compile.ts";
import type { Statement } from "../../../src/insights/compiler.ts";
import { placeOf, Refusal } from "../../../src/insights/refusal.ts";
import { INSIGHTS } from "../../../src/limits.ts";

const NOW = Date.UTC(2025, 0, 15);

/** A database as it is deployed, with an event and a run in each of two environments. */
const database = new DatabaseSync(":memory:");
const FOLDER = resolve(import.meta.dirname, "../../../migrations");
for (const file of readdirSync(FOLDER).sort()) {
  for (const statement of splitStatements(readFileSync(resolve(FOLDER, file), "utf8"))) database.exec(statement);
}
for (const environment of ["mine", "theirs"]) {
  database
    .prepare(
      `INSERT INTO events (environment_id, internal_id, name, received_at, source, payload, outcomes, routed, internal)
       VALUES (?, ?, ?, 1, 's', ?, '[]', 1, 0)`,
    )
    .run(environment, `id-${environment}`, "shop/paid", JSON.stringify({ data: { secret: environment }, ts: 1 }));
  database
    .prepare(
      `INSERT INTO runs (environment_id, run_id, app_id, function_id, function_slug, function_version, status, queued_at, event_ids, event_name, output, sequence)
       VALUES (?, ?, 'a', 'f', ?, 1, 'completed', 1, '[]', 'shop/paid', ?, 1)`,
    )
    .run(environment, `run-${environment}`, `fn-${environment}`, JSON.stringify({ secret: environment }));
}

function compiled(source: string): Statement | Refusal {
  try {
    return compileQuestion(source, "mine", NOW);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

function answered(statement: Statement): Record<string, unknown>[] {
  return database.prepare(statement.sql).all(...statement.values);
}

const word = fc.constantFrom(
  ..."SELECT,FROM,WHERE,GROUP,BY,ORDER,HAVING,LIMIT,OFFSET,AND,OR,NOT,IN,BETWEEN,LIKE,ILIKE,IS,NULL,CASE,WHEN,THEN,ELSE,END,AS,DISTINCT,events,runs,id,name,data,ts,v,output,status,count,sum,quantile,median,simpleJSONExtractString,JSONLength,lower,now,match,x,WITH,JOIN,UNION,OVER,sqlite_master,payload,environment_id,(,),(,),*,+,-,/,=,<>,<,.,;,||,::,?,'theirs',\"theirs\",`x`,0,1,2,0.5,--,/*,*/".split(
    ",",
  ),
  ",",
  "'%a_'",
  "\n",
);

const field = fc.constantFrom(
  "id",
  "name",
  "v",
  "lower(name)",
  "simpleJSONExtractString(data, 'secret')",
  "toString(ts)",
  "x y",
);
const number = fc.constantFrom(
  "ts",
  "received_at",
  "1",
  "length(name)",
  "JSONLength(data)",
  "-2.5",
  "toUnixTimestamp(now())",
);
const condition = fc.oneof(
  fc.tuple(number, fc.constantFrom("<", ">=", "=", "!="), number).map((parts) => parts.join(" ")),
  fc
    .tuple(field, fc.constantFrom("= 'a'", "LIKE '%theirs%'", "IS NOT NULL", "IN ('theirs', 'mine')", "> ''"))
    .map((parts) => parts.join(" ")),
  fc.constant("1 = 1 OR 1 = 1"),
);
const aggregate = fc.constantFrom(
  "count(*)",
  "sum(ts)",
  "median(ts)",
  "uniq(name)",
  "max(id)",
  "VAR_SAMP(ts)",
  "ARRAY_AGG(id)",
  "quantile(0.9)(length(name))",
);
const question = fc
  .record({
    plain: fc.array(fc.oneof(field, number), { minLength: 1, maxLength: 3 }),
    aggregates: fc.array(aggregate, { maxLength: 2 }),
    where: fc.option(condition),
    inner: fc.boolean(),
  })
  .map(({ plain, aggregates, where, inner }) => {
    const items = [...plain, ...aggregates].map((item, i) => `${item === "x y" ? "name" : item} AS \`c ${i}\``);
    const from = inner ? "(SELECT * FROM events WHERE 1 OR 1) AS e" : "events";
    const group = aggregates.length === 0 ? "" : ` GROUP BY ${plain.map((_, i) => `\`c ${i}\``).join(", ")}`;
    const condition = where === null ? "" : ` WHERE ${where.replaceAll("x y", "name")}`;
    return `SELECT ${items.join(", ")} FROM ${from}${condition}${group} ORDER BY 1`;
  });

describe("OB-20: a question as a statement", () => {
  it("is one, or is refused with a place in its text, whatever the text", () => {
    let refusals = 0;
    fc.assert(
      fc.property(fc.array(word, { maxLength: 30 }), fc.boolean(), (words, select) => {
        const source = `${select ? "SELECT " : ""}${words.join(" ")}`;
        const result = compiled(source);
        if (!(result instanceof Refusal)) return void answered(result);
        refusals++;
        expect(result.at).toBeGreaterThanOrEqual(0);
        expect(result.at).toBeLessThanOrEqual(source.length);
      }),
      { numRuns: 3000 },
    );
    expect(refusals).toBeGreaterThan(0);
  });

  it("is understood by the database, and sees one environment only", () => {
    let rows = 0;
    fc.assert(
      fc.property(question, (source) => {
        const result = compiled(source);
        if (result instanceof Refusal) throw new Error(`${source}: ${result.message}`);
        const found = answered(result);
        rows += found.length;
        const ids = found.flatMap((row) => Object.values(row)).filter((value) => typeof value === "string");
        for (const value of ids) expect(value).not.toMatch(/^(id-|run-|fn-)?theirs$/);
      }),
      { numRuns: 1500 },
    );
    expect(rows).toBeGreaterThan(500);
  });

  it("never has text of the question in it: names are looked up, values are parameters", () => {
    const text = fc.string({ minLength: 3, maxLength: 20 }).map((part) => `zq${part}`);
    const quoted = (value: string, quote: string) =>
      `${quote}${value.replaceAll("\\", "\\\\").replaceAll(quote, `\\${quote}`)}${quote}`;
    fc.assert(
      fc.property(text, text, (value, alias) => {
        const source = `SELECT ${quoted(value, "'")} AS ${quoted(alias, "`")}, name FROM events AS ${quoted(alias, '"')}
          WHERE name = ${quoted(value, "'")} OR name LIKE ${quoted(value, "'")} OR startsWith(name, ${quoted(value, "'")})`;
        const result = compiled(source);
        if (result instanceof Refusal) return expect(result.message).toMatch(/pattern|not understood/);
        expect(result.sql).not.toContain("zq");
        expect(result.values).toContain(value);
        expect(result.columns[0]?.name).toBe(alias);
        expect(answered(result)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it("reads fewer rows the more work each takes, and less of a table when one event name is wanted", () => {
    const reads = (source: string) => {
      const result = compiled(source);
      if (result instanceof Refusal) throw result;
      return result.reads.map(({ table, rows, name }) => [table.name, rows, name]);
    };
    expect(reads("SELECT count(*) FROM events WHERE name = 'a' AND ts > 1")).toEqual([
      ["events", INSIGHTS.scanned.events, "a"],
    ]);
    expect(reads("SELECT 1 FROM events WHERE name = 'a' OR ts > 1")).toEqual([
      ["events", INSIGHTS.scanned.events, null],
    ]);
    expect(reads("SELECT 1 FROM events WHERE name = 'inngest/function.failed'")).toEqual([
      ["events", INSIGHTS.scanned.events, null],
    ]);
    const many = Array.from({ length: INSIGHTS.calls * 2 }, () => "lower(status)").join(", ");
    expect(reads(`SELECT ${many} FROM runs`)).toEqual([["runs", INSIGHTS.scanned.runs / 2, null]]);
    expect(compiled("SELECT name FROM runs")).toBeInstanceOf(Refusal);
  });

  it("OB-22: tells the place of a fault as an editor counts", () => {
    const source = "SELECT id\nFROM events\n  JOIN runs";
    const result = compiled(source);
    expect(result instanceof Refusal && placeOf(source, result.at)).toEqual({ line: 3, column: 3 });
  });
});
