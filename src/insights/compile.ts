/**
 * A question as one statement for D1, whose rows and bytes are bounded. Pure: text, environment and time in, SQL and parameters out.
 */
import { INSIGHTS } from "../limits.ts";
import { compileSelect } from "./compile-select.ts";
import { Compilation, type Matching, type Statement } from "./compiler.ts";
import { parseQuestion } from "./parser.ts";
import { Refusal } from "./refusal.ts";
import { type Expression, partsOf, type Select } from "./syntax.ts";

/**
 * Compiles a question; `now` in ms. Throws {@link Refusal}.
 * Its rows say how many are `available`: one more than is shown, if there are more; less come when they are large.
 */
export function compileQuestion(source: string, environmentId: string, now: number): Statement {
  const select = parseQuestion(source);
  const compilation = new Compilation(environmentId, now, callsOf(select));
  const statement = statementOf(select, compilation, INSIGHTS.rows, INSIGHTS.bytes);
  if (statement.sql.length > INSIGHTS.statement) throw new Refusal("the question is too large for the database", 0);
  return statement;
}

/** The statement that gives the different values a regular expression is held against. */
export function compileValues({ values, aliases }: Matching, environmentId: string, now: number): Statement {
  const compilation = new Compilation(environmentId, now, callsOf(values));
  return statementOf(values, compilation, INSIGHTS.matched.values, INSIGHTS.matched.characters, aliases);
}

function statementOf(
  select: Select,
  compilation: Compilation,
  rows: number,
  bytes: number,
  aliases?: ReadonlyMap<string, Expression>,
): Statement {
  if (select.items.length > INSIGHTS.columns) {
    throw new Refusal(`an answer may have at most ${INSIGHTS.columns} columns`, select.at);
  }
  // One row more than is shown tells whether there are more.
  const { sql, columns } = compileSelect(select, compilation, rows + 1, aliases);
  const names = columns.map((_, i) => `c${i}`).join(", ");
  const size = columns.map((_, i) => `COALESCE(octet_length(c${i}), 0)`).join(" + ");
  const statement = `SELECT ${names}, available FROM (
      SELECT ${names}, COUNT(*) OVER () AS available, row_number() OVER () AS place,
        SUM(${size}) OVER (ROWS UNBOUNDED PRECEDING) AS total
      FROM (${sql})
    ) WHERE place = 1 OR total <= ${bytes} ORDER BY place`;
  const { parameters, reads, matchings } = compilation;
  return { sql: statement, values: parameters.values, columns, reads, matchings };
}

/** Calls of functions in a SELECT and everything in it. */
function callsOf(select: Select): number {
  const { items, where, groupBy, having, orderBy, from } = select;
  const own = [
    ...items.map(({ expression }) => expression),
    ...(where === null ? [] : [where]),
    ...groupBy,
    ...(having === null ? [] : [having]),
    ...orderBy.map(({ by }) => by),
  ];
  const inner = from?.kind === "select" ? callsOf(from.select) : 0;
  return own.reduce((sum, node) => sum + callsIn(node), inner);
}

function callsIn(node: Expression): number {
  const here = node.kind === "call" ? 1 : 0;
  const inner = node.kind === "subquery" ? callsOf(node.select) : 0;
  const among = node.kind === "in" && "items" in node.among ? callsOf(node.among) : 0;
  return partsOf(node).reduce((sum, part) => sum + callsIn(part), here + inner + among);
}
