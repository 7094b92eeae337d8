/**
 * An expression of a question as SQL. Pure. Owns aliases, which may be used anywhere, and the rule that beside aggregates only what rows are
 * grouped by has one value.
 */
import { INSIGHTS } from "../limits.ts";
import type { Compilation } from "./compiler.ts";
import { AGGREGATES } from "./functions/aggregates.ts";
import { commonType } from "./functions/logic.ts";
import { FUNCTIONS } from "./functions.ts";
import { binary, comparable, like } from "./operators.ts";
import { Refusal } from "./refusal.ts";
import { type Call, type Expression, partsOf, type Select } from "./syntax.ts";
import { numberSql, type Typed, typed } from "./typed.ts";

/** What an expression may stand on: the SELECT it is part of. */
export interface Scope {
  readonly compilation: Compilation;
  /** Expressions by their alias. */
  readonly aliases: ReadonlyMap<string, Expression>;
  /** The SQL of what rows are grouped by; null when they are not, so that any column has a value. */
  readonly groups: ReadonlySet<string> | null;
  /** A column of what is asked of. Throws {@link Refusal}. */
  column(table: string | null, name: string, at: number): Typed;
  /** Whether it has such a column. */
  has(name: string): boolean;
  /** Adds a column to every row, computed over its group. */
  window(write: (partition: string) => string): string;
  /** A sub-query, with what its columns are. */
  select(select: Select): { readonly sql: string; readonly columns: readonly Typed[] };
  /** The placeholder of a list, in JSON, of those values of the expression that match the pattern. */
  matching(of: Expression, pattern: string, at: number): string;
}

/** Where an expression stands. */
interface Position {
  /** Inside an aggregate, where rows are seen one by one. */
  readonly inside: boolean;
  /** What rows are grouped by does not matter here: it is being found out whether this is it. */
  readonly free: boolean;
  /** Why there can be no aggregate; null where there can. */
  readonly refused: string | null;
  /** Aliases whose expressions are being written: inside them their names are columns. */
  readonly open: ReadonlySet<string>;
}

/** An expression where aggregates may stand, or where they may not, for the reason `refused`. */
export function compileExpression(node: Expression, scope: Scope, refused: string | null = null): Typed {
  return write(node, scope, { inside: refused !== null, free: false, refused, open: new Set() });
}

/** Whether an expression has an aggregate in it, behind aliases as well. */
export function isAggregated(
  node: Expression,
  aliases: ReadonlyMap<string, Expression>,
  open = new Set<string>(),
): boolean {
  if (node.kind === "call" && Object.hasOwn(AGGREGATES, node.name)) return true;
  if (node.kind === "column" && node.table === null && !open.has(node.name)) {
    const meant = aliases.get(node.name);
    if (meant !== undefined) return isAggregated(meant, aliases, new Set(open).add(node.name));
  }
  return partsOf(node).some((part) => isAggregated(part, aliases, open));
}

function write(node: Expression, scope: Scope, position: Position): Typed {
  const written = writeNode(node, scope, position);
  if (written.sql.length > INSIGHTS.statement) throw new Refusal("the question is too large for the database", node.at);
  return written;
}

function writeNode(node: Expression, scope: Scope, position: Position): Typed {
  const { groups, aliases } = scope;
  if (groups !== null && !position.inside && !position.free && !isAggregated(node, aliases, new Set(position.open))) {
    const plain = write(node, scope, { ...position, free: true });
    if (groups.has(plain.sql) || node.kind === "literal" || node.kind === "subquery") return plain;
  }
  const part = (child: Expression) => write(child, scope, position);
  const { parameters } = scope.compilation;
  switch (node.kind) {
    case "literal":
      return literal(node.value, scope, node.at);
    case "column":
      return column(node, scope, position);
    case "star":
      throw new Refusal('"*" stands alone, or in count(*)', node.at);
    case "call":
      return call(node, scope, position);
    case "not":
      return typed(`(NOT ${part(node.operand).sql})`, "number");
    case "negate":
      return typed(`(-${part(node.operand).sql})`, "number");
    case "binary":
      return binary(node.operator, part(node.left), part(node.right), parameters, node.at);
    case "null":
      return typed(`(${part(node.operand).sql} IS ${node.negated ? "NOT " : ""}NULL)`, "number");
    case "between": {
      const of = part(node.operand);
      const [a, low] = comparable(of, part(node.low), parameters, node.at);
      const [b, high] = comparable(of, part(node.high), parameters, node.at);
      return typed(`(${node.negated ? "NOT " : ""}(${a} >= ${low} AND ${b} <= ${high}))`, "number");
    }
    case "like": {
      const test = like(part(node.operand).sql, node.pattern, node.folded, parameters, node.at);
      return typed(node.negated ? `(NOT ${test})` : test, "number");
    }
    case "in":
      return membership(node, part(node.operand), scope, part);
    case "case": {
      const operand = node.operand === null ? null : part(node.operand);
      const branches = node.branches.map(({ when, result }) => {
        const test = part(when);
        const sql = operand === null ? test.sql : comparable(operand, test, parameters, when.at).join(" = ");
        return { sql, result: part(result) };
      });
      const results = branches.map(({ result }) => result);
      if (node.otherwise !== null) results.push(part(node.otherwise));
      const otherwise = node.otherwise === null ? "" : ` ELSE ${results.at(-1)?.sql}`;
      const types = results.filter(({ literal: value }) => value !== null).map(({ type }) => type);
      const whens = branches.map(({ sql, result }) => `WHEN ${sql} THEN ${result.sql}`);
      return typed(`CASE ${whens.join(" ")}${otherwise} END`, commonType(types));
    }
    case "subquery": {
      const { sql, columns } = scope.select(node.select);
      const [only] = columns;
      if (only === undefined || columns.length > 1) throw new Refusal("a sub-query as a value has one column", node.at);
      return typed(`(${sql})`, only.type);
    }
  }
}

function literal(value: string | number | null, { compilation }: Scope, at: number): Typed {
  if (value === null) return { sql: "NULL", type: "any", literal: null };
  if (typeof value === "number" && !Number.isFinite(value)) throw new Refusal("the number is too large", at);
  if (typeof value === "string") return { sql: compilation.parameters.bind(value, at), type: "text", literal: value };
  return { sql: numberSql(value, compilation.parameters, at), type: "number", literal: value };
}

function column(node: Extract<Expression, { kind: "column" }>, scope: Scope, position: Position): Typed {
  const { table, name, at } = node;
  const meant = table === null && !position.open.has(name) ? scope.aliases.get(name) : undefined;
  if (meant !== undefined) {
    // Inside an aggregate, or where none may be, an alias of one cannot be meant if a column has its name.
    const hidden = position.inside && scope.has(name) && isAggregated(meant, scope.aliases);
    if (!hidden) return write(meant, scope, { ...position, open: new Set(position.open).add(name) });
  }
  const found = scope.column(table, name, at);
  if (scope.groups === null || position.inside || position.free || scope.groups.has(found.sql)) return found;
  throw new Refusal(`"${name}" is neither in GROUP BY nor inside an aggregate`, at);
}

function membership(
  node: Extract<Expression, { kind: "in" }>,
  operand: Typed,
  scope: Scope,
  part: (child: Expression) => Typed,
): Typed {
  const not = node.negated ? "NOT " : "";
  if ("items" in node.among) {
    const { sql, columns } = scope.select(node.among);
    const [only] = columns;
    if (only === undefined || columns.length > 1) throw new Refusal("a sub-query after IN has one column", node.at);
    comparable(operand, typed("", only.type), scope.compilation.parameters, node.at);
    return typed(`(${operand.sql} ${not}IN (${sql}))`, "number");
  }
  const pairs = node.among.map((item) => comparable(operand, part(item), scope.compilation.parameters, node.at));
  const own = pairs.every(([of]) => of === operand.sql);
  if (own) return typed(`(${operand.sql} ${not}IN (${pairs.map(([, item]) => item).join(", ")}))`, "number");
  return typed(`(${not}(${pairs.map(([of, item]) => `${of} = ${item}`).join(" OR ")}))`, "number");
}

function call(node: Call, scope: Scope, position: Position): Typed {
  if (node.name === "match") return match(node, scope, position);
  const aggregate = Object.hasOwn(AGGREGATES, node.name) ? AGGREGATES[node.name] : undefined;
  if (aggregate !== undefined) {
    if (position.refused !== null) throw new Refusal(`${node.spelled} cannot stand ${position.refused}`, node.at);
    if (position.inside) throw new Refusal(`${node.spelled} cannot stand inside another aggregate`, node.at);
    const given = node.name === "count" && node.given[0]?.kind === "star" ? [] : node.given;
    checkCount(node, given.length, aggregate.count);
    if (node.distinct && !aggregate.distinct)
      throw new Refusal(`DISTINCT is not supported in ${node.spelled}`, node.at);
    if (node.parameters.length !== aggregate.parameters) throw parametersRefusal(node, aggregate.parameters);
    const parameters = node.parameters.map((one) => {
      if (one.kind === "literal" && typeof one.value === "number") return one.value;
      throw parametersRefusal(node, aggregate.parameters);
    });
    const inner = given.map((child) => write(child, scope, { ...position, inside: true }));
    return aggregate.write(inner, { call: node, parameters, window: (column) => scope.window(column) });
  }
  const found = FUNCTIONS.get(node.name);
  if (found === undefined) throw new Refusal(`the function ${node.spelled} is not supported`, node.at);
  if (node.distinct) throw new Refusal(`DISTINCT is not supported in ${node.spelled}`, node.at);
  if (node.parameters.length > 0) throw parametersRefusal(node, 0);
  checkCount(node, node.given.length, found.count);
  const { parameters, now } = scope.compilation;
  const given = node.given.map((child) => write(child, scope, position));
  return found.write(given, { parameters, now, at: node.at, spelled: node.spelled });
}

/** The database has no regular expressions: what matches is found out beforehand, and told to it as a list. */
function match(node: Call, scope: Scope, position: Position): Typed {
  checkCount(node, node.given.length, [2, 2]);
  const [of, pattern] = node.given;
  if (of === undefined || pattern?.kind !== "literal" || typeof pattern.value !== "string") {
    throw new Refusal(`argument 2 of ${node.spelled} must be a text in quotes`, node.at);
  }
  if (isAggregated(of, scope.aliases)) throw new Refusal(`${node.spelled} cannot look at an aggregate`, node.at);
  const list = scope.matching(of, pattern.value, node.at);
  return typed(`(${write(of, scope, position).sql} IN (SELECT value FROM json_each(${list})))`, "number");
}

function parametersRefusal({ spelled, at }: Call, count: number): Refusal {
  if (count === 0) return new Refusal(`${spelled} takes its arguments in one pair of brackets`, at);
  return new Refusal(`${spelled} wants a number in a first pair of brackets, as in ${spelled}(0.9)(x)`, at);
}

function checkCount({ spelled, at }: Call, given: number, [fewest, most]: readonly [number, number]): void {
  if (given >= fewest && given <= most) return;
  const counts = fewest === most ? `${fewest}` : `${fewest} to ${most}`;
  throw new Refusal(`${spelled} takes ${counts} argument${counts === "1" ? "" : "s"}, got ${given}`, at);
}
