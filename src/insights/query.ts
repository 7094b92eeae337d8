/**
 * Asks a question of D1 (OB-20). Owns its time and what of the answer is shown. Guarantees that nothing is written, and that an answer which is
 * not whole says so: of too many rows, of too many bytes, or because only the newest rows of a table were looked at.
 */
import { MillraceError, messageOf } from "../errors.ts";
import { Pattern } from "../expressions/pattern.ts";
import { ulidTime } from "../ids.ts";
import type { Json } from "../json.ts";
import { INSIGHTS } from "../limits.ts";
import { compileQuestion, compileValues } from "./compile.ts";
import type { AnswerColumn, Matching, Statement, TableRead } from "./compiler.ts";
import { type Place, placeOf, Refusal } from "./refusal.ts";
import type { Table } from "./tables.ts";
import type { Type } from "./typed.ts";

/** An answer. */
export interface Answer {
  readonly columns: readonly AnswerColumn[];
  readonly rows: readonly (readonly Json[])[];
  /** There is more than is shown. */
  readonly truncated: boolean;
  /** Tables of which only the newest rows were looked at: how many, and when the oldest of them came, ms since 1970. */
  readonly partial: readonly { readonly table: Table["name"]; readonly rows: number; readonly since: number }[];
  /** ms it took. */
  readonly duration: number;
}

/** A question that is refused, with its place. */
export class QuestionRefused extends MillraceError {
  readonly place: Place | null;
  constructor(message: string, place: Place | null) {
    super("query_invalid", place === null ? message : `${message} (line ${place.line}, column ${place.column})`);
    this.place = place;
  }
}

type Record = { readonly [column: `c${number}`]: string | number | null; readonly available: number };

/** Asks; `now` in ms. Throws {@link QuestionRefused} for what is not allowed, takes too long, or is too large for the database. */
export async function ask(db: D1Database, environmentId: string, source: string, now: number): Promise<Answer> {
  const statement = compiled(source, () => compileQuestion(source, environmentId, now));
  const began = Date.now();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<never>((_, reject) => {
    const late = () => reject(new QuestionRefused(`The question took more than ${INSIGHTS.time / 1000} s.`, null));
    timer = setTimeout(late, INSIGHTS.time);
  });
  const work = answer(db, environmentId, source, statement, now);
  // What comes after its time is heard by nobody, failures included.
  work.catch(() => undefined);
  const found = await Promise.race([work, deadline])
    .catch((error: unknown) => {
      throw error instanceof MillraceError ? error : refusedByDatabase(error);
    })
    .finally(() => clearTimeout(timer ?? null));
  return { ...found, columns: statement.columns, duration: Date.now() - began };
}

async function answer(db: D1Database, environmentId: string, source: string, statement: Statement, now: number) {
  const values = [...statement.values];
  for (const matching of statement.matchings) {
    values[matching.parameter] = await matchingValues(db, environmentId, source, matching, now);
  }
  const [rows, ...edges] = await db.batch<Record & { readonly edge: string }>([
    db.prepare(statement.sql).bind(...values),
    ...statement.reads.map((read) => edgeStatement(db, environmentId, read)),
  ]);
  const found = rows?.results ?? [];
  const shown = found.slice(0, INSIGHTS.rows);
  const partial = statement.reads.flatMap(({ table, rows: limit }, i) => {
    const edge = edges[i]?.results[0]?.edge;
    return edge === undefined ? [] : [{ table: table.name, rows: limit, since: ulidTime(edge) }];
  });
  return {
    rows: shown.map((row) => statement.columns.map(({ type }, i) => shownValue(row[`c${i}`] ?? null, type))),
    truncated: found.length > shown.length || (found[0]?.available ?? 0) > found.length,
    partial,
  };
}

/** The newest row that is not looked at, if there is one. */
function edgeStatement(db: D1Database, environmentId: string, { table, rows, name }: TableRead): D1PreparedStatement {
  const { stored, id } = table;
  const newest = `ORDER BY ${id} DESC LIMIT 1 OFFSET ?2`;
  if (name === null) {
    const query = `SELECT ${id} AS edge FROM ${stored} WHERE environment_id = ?1 ${newest}`;
    return db.prepare(query).bind(environmentId, rows);
  }
  const query = `SELECT ${id} AS edge FROM ${stored} INDEXED BY events_by_name
    WHERE environment_id = ?1 AND internal = 0 AND name = ?3 ${newest}`;
  return db.prepare(query).bind(environmentId, rows, name);
}

/** The values that match a regular expression, as a list in JSON. */
async function matchingValues(
  db: D1Database,
  environmentId: string,
  source: string,
  matching: Matching,
  now: number,
): Promise<string> {
  const pattern = compiled(source, () => {
    try {
      return new Pattern(matching.pattern);
    } catch (error) {
      throw new Refusal(messageOf(error).replace('"matches"', "match"), matching.at);
    }
  });
  const statement = compiled(source, () => compileValues(matching, environmentId, now));
  if (statement.matchings.length > 0) throw new QuestionRefused("match cannot stand inside match.", null);
  const { results } = await db
    .prepare(statement.sql)
    .bind(...statement.values)
    .all<Record>();
  const available = results[0]?.available ?? 0;
  if (available > Math.min(results.length, INSIGHTS.matched.values)) {
    const message = `match would look at more than ${INSIGHTS.matched.values} different values: narrow them with WHERE, or use LIKE`;
    throw new QuestionRefused(message, placeOf(source, matching.at));
  }
  const texts = results.map((row) => row["c0"]).filter((value) => typeof value === "string");
  return JSON.stringify(texts.filter((text) => pattern.testFreely(text)));
}

/** JSON comes as text, and is shown as what it is. */
function shownValue(value: string | number | null, type: Type): Json {
  if (typeof value !== "string" || (type !== "json" && type !== "array")) return value;
  try {
    // Only the database's own functions and columns of JSON have these types.
    return JSON.parse(value) as Json;
  } catch {
    return value;
  }
}

function compiled<Result>(source: string, compile: () => Result): Result {
  try {
    return compile();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new QuestionRefused(error.message, placeOf(source, error.at));
  }
}

/** The database has limits of its own, which only it can tell: on the size of values, on the depth of statements. */
function refusedByDatabase(error: unknown): unknown {
  const known = /too big|too large|too many|too complex|depth|overflow|malformed JSON|timed? ?out/i.exec(
    messageOf(error),
  );
  return known === null
    ? error
    : new QuestionRefused(`The database cannot answer this: a value or statement is ${known[0]}.`, null);
}
