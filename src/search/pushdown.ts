/**
 * The part of an expression that SQL can decide beforehand: a condition that holds for every row of which the expression is true, and for others
 * perhaps as well. Pure: syntax tree in, SQL out, with every text and number as a parameter.
 * Sound by construction: what SQL judges differently in any case, or cannot be told to judge, is left out. Whoever uses the condition must still
 * evaluate the expression.
 */
import type { LiteralValue, Node } from "../expressions/syntax.ts";
import { fieldName } from "../expressions/syntax.ts";
import { SEARCH } from "../limits.ts";

/** Where the values of an expression are. All are constants of the caller. */
export interface SearchColumns {
  /** The column with the event's JSON, and the one with its name. */
  readonly event: string;
  readonly name: string;
  /** The column with the output's JSON; null where there is none. */
  readonly output: string | null;
}

/** Adds a parameter and gives its placeholder. */
export type Bind = (value: string | number) => string;

/** The condition in SQL; null when nothing can be decided beforehand. */
export function pushdown(tree: Node, columns: SearchColumns, bind: Bind): string | null {
  const part = conditionOf(tree, columns);
  if (part === null) return null;
  let comparisons = 0;
  // In conjunctions and alternatives alone, letting a row pass is always sound.
  return part(bind, () => ++comparisons <= SEARCH.comparisons);
}

/** The names that the event must have one of; null when the expression does not say so in a way that can be seen. */
export function requiredNames(tree: Node): readonly string[] | null {
  for (const node of operandsOf(tree, "&&")) {
    if (node.kind !== "binary" || (node.operator !== "==" && node.operator !== "in")) continue;
    const names = node.operator === "in" ? listed(node.right) : [node.right];
    const flipped = node.operator === "==" && isName(node.right);
    if (!flipped && !isName(node.left)) continue;
    const values = flipped ? [node.left] : names;
    const texts = values?.flatMap((value) =>
      value.kind === "literal" && typeof value.value === "string" ? [value.value] : [],
    );
    if (texts !== undefined && texts.length > 0 && texts.length === values?.length) return texts;
  }
  return null;
}

type Comparison = "==" | "!=" | "<" | "<=" | ">" | ">=";

const FLIPPED: Readonly<Record<Comparison, Comparison>> = {
  "==": "==",
  "!=": "!=",
  "<": ">",
  "<=": ">=",
  ">": "<",
  ">=": "<=",
};

/** A value in a row: a field of the event or of the output, by the names on the way to it. */
interface Path {
  readonly root: "event" | "output";
  readonly fields: readonly string[];
}

/** A part of the condition, written when it is known to be needed: `isFree` says whether one more comparison may be made. */
type Part = (bind: Bind, isFree: () => boolean) => string;

function conditionOf(node: Node, columns: SearchColumns): Part | null {
  if (node.kind === "logic") {
    const parts = operandsOf(node, node.operator).map((part) => conditionOf(part, columns));
    // Of alternatives one that nothing is known of makes nothing known of them all.
    return joined(parts, node.operator === "&&" ? "AND" : "OR");
  }
  if (node.kind !== "binary") return null;
  const { operator, left, right } = node;
  switch (operator) {
    case "in":
      return joined(listed(right)?.map((value) => comparison("==", left, value, columns)) ?? [], "OR");
    case "==":
    case "!=":
    case "<":
    case "<=":
    case ">":
    case ">=":
      return comparison(operator, left, right, columns) ?? comparison(FLIPPED[operator], right, left, columns);
    default:
      return null;
  }
}

function joined(parts: readonly (Part | null)[], operator: "AND" | "OR"): Part | null {
  const known = parts.filter((part) => part !== null);
  if (known.length === 0 || (operator === "OR" && known.length < parts.length)) return null;
  return (bind, isFree) =>
    balanced(
      known.map((part) => part(bind, isFree)),
      operator,
    );
}

function comparison(operator: Comparison, left: Node, right: Node, columns: SearchColumns): Part | null {
  const path = pathOf(left);
  if (path === null || path.fields.length === 0 || right.kind !== "literal") return null;
  if (isName(left)) return nameComparison(operator, right.value, columns);
  const column = path.root === "event" ? columns.event : columns.output;
  const test = testOf(operator, right.value);
  if (column === null || test === null) return null;
  return (bind, isFree) => {
    if (!isFree()) return "1";
    const value = `json_extract(${column}, ${bind(`$${path.fields.map((field) => `."${field}"`).join("")}`)})`;
    // What is not here, or deeper than the database reads, is for the evaluation to judge. A CASE is what SQL promises to go through in order.
    return `CASE WHEN json_valid(${column}) THEN ${test(value, bind)} ELSE 1 END`;
  };
}

function nameComparison(operator: Comparison, literal: LiteralValue, columns: SearchColumns): Part | null {
  if (typeof literal !== "string" || !isExact(literal)) return null;
  if (operator !== "==" && operator !== "!=") return null;
  return (bind, isFree) => (isFree() ? `${columns.name} ${operator === "==" ? "=" : "<>"} ${bind(literal)}` : "1");
}

type Test = (value: string, bind: Bind) => string;

/** The test that every value passes for which the comparison holds; null when there is none. A missing value and JSON's null are NULL in SQL. */
function testOf(operator: Comparison, literal: LiteralValue): Test | null {
  if (literal === null) {
    if (operator === "==") return (value) => `${value} IS NULL`;
    return operator === "!=" ? (value) => `${value} IS NOT NULL` : null;
  }
  if (typeof literal === "boolean") {
    // JSON's true is 1 here.
    return operator === "==" ? (value) => `${value} = ${literal ? 1 : 0}` : null;
  }
  if (typeof literal === "string") return textTest(operator, literal);
  if (typeof literal === "bigint" || typeof literal === "number") return numberTest(operator, Number(literal));
  return null;
}

function textTest(operator: Comparison, literal: string): Test | null {
  if (!isExact(literal)) return null;
  switch (operator) {
    case "==":
      return (value, bind) => `${value} = ${bind(literal)}`;
    case "<":
    case "<=":
      return isAscii(literal) ? (value, bind) => `(${value} IS NULL OR ${value} <= ${bind(literal)})` : null;
    case ">":
    case ">=":
      // Null counts as the empty text, which is not less than itself.
      return isAscii(literal) && literal !== "" ? (value, bind) => `${value} >= ${bind(literal)}` : null;
    case "!=":
      return null;
  }
}

function numberTest(operator: Comparison, literal: number): Test | null {
  if (!Number.isFinite(literal)) return null;
  // Whole numbers up to 2^53 are the same everywhere; of others the database may read the last digits differently.
  const slack = Number.isSafeInteger(literal) ? 0 : Math.abs(literal) * SLACK;
  const [low, high] = [literal - slack, literal + slack];
  switch (operator) {
    case "==":
      if (slack === 0) return (value, bind) => `${value} = ${bind(literal)}`;
      return (value, bind) => `${value} BETWEEN ${bind(low)} AND ${bind(high)}`;
    case "<":
    case "<=":
      return (value, bind) => `(${value} IS NULL OR ${value} <= ${bind(high)})`;
    case ">":
    case ">=":
      // Null counts as 0.
      if (literal > 0) return (value, bind) => `${value} >= ${bind(low)}`;
      return (value, bind) => `(${value} IS NULL OR ${value} >= ${bind(low)})`;
    case "!=":
      return null;
  }
}

/** By how much, in proportion, a number may differ from its own text as the database reads it. */
const SLACK = 1e-9;

/** Half of a character: a surrogate without its other one. */
const HALF = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** The database gets such a text as it is: no halves of characters, and no end in the middle. */
function isExact(text: string): boolean {
  return !HALF.test(text) && !text.includes("\0");
}

/** Such a text has the same place among others here and there. */
function isAscii(text: string): boolean {
  return /^[ -~]*$/.test(text);
}

/** Names that a path in the database spells as they are. */
const FIELD = /^[A-Za-z_][A-Za-z0-9_]{0,99}$/;

function pathOf(node: Node): Path | null {
  if (node.kind === "name") {
    return node.name === "event" || node.name === "output" ? { root: node.name, fields: [] } : null;
  }
  if (node.kind !== "member" && node.kind !== "index") return null;
  const field = fieldName(node);
  const target = field === null || !FIELD.test(field) ? null : pathOf(node.target);
  return target === null || field === null ? null : { root: target.root, fields: [...target.fields, field] };
}

function isName(node: Node): boolean {
  const path = pathOf(node);
  return path?.root === "event" && path.fields.length === 1 && path.fields[0] === "name";
}

function listed(node: Node): readonly Node[] | null {
  return node.kind === "list" ? node.items : null;
}

/** The operands of a chain of one operator, in order. */
function operandsOf(node: Node, operator: "&&" | "||"): readonly Node[] {
  if (node.kind !== "logic" || node.operator !== operator) return [node];
  return [...operandsOf(node.left, operator), ...operandsOf(node.right, operator)];
}

/** Joins conditions in a tree that is as flat as can be: the database bounds its depth. */
function balanced(conditions: readonly string[], operator: "AND" | "OR"): string {
  const [only = "1"] = conditions;
  if (conditions.length <= 1) return only;
  const middle = Math.ceil(conditions.length / 2);
  const [left, right] = [conditions.slice(0, middle), conditions.slice(middle)];
  return `(${balanced(left, operator)} ${operator} ${balanced(right, operator)})`;
}
