/**
 * Expressions of a question, by recursive descent: one function for each level of binding, from OR down to a single value. Pure.
 */
import { INSIGHTS } from "../limits.ts";
import { Refusal } from "./refusal.ts";
import type { BinaryOperator, Expression, Select } from "./syntax.ts";
import type { Tokens } from "./tokens.ts";

/** Parses a sub-query, its brackets aside; handed in because queries and expressions need each other. */
export type ParseSelect = (tokens: Tokens) => Select;

/** Parses one expression. Throws {@link Refusal}. */
export function parseExpression(tokens: Tokens, select: ParseSelect): Expression {
  return tokens.nested(() => disjunction(tokens, select));
}

/** Operators that bind alike and associate to the left. */
function chain(
  tokens: Tokens,
  operators: Readonly<Record<string, BinaryOperator>>,
  operand: () => Expression,
): Expression {
  let left = operand();
  for (let length = 0; ; length++) {
    const { kind, text, at } = tokens.peek();
    const operator = kind === "word" || kind === "sign" ? operators[text.toLowerCase()] : undefined;
    if (operator === undefined) return left;
    if (length === INSIGHTS.chain) throw new Refusal(`at most ${INSIGHTS.chain} operators may stand in a row`, at);
    tokens.take();
    tokens.count();
    left = { kind: "binary", at, operator, left, right: operand() };
  }
}

function disjunction(tokens: Tokens, select: ParseSelect): Expression {
  return chain(tokens, { or: "or" }, () => conjunction(tokens, select));
}

function conjunction(tokens: Tokens, select: ParseSelect): Expression {
  return chain(tokens, { and: "and" }, () => negation(tokens, select));
}

function negation(tokens: Tokens, select: ParseSelect): Expression {
  const { at } = tokens.peek();
  if (!tokens.accept("not")) return comparison(tokens, select);
  tokens.count();
  return { kind: "not", at, operand: tokens.nested(() => negation(tokens, select)) };
}

const COMPARISONS = {
  "=": "=",
  "==": "=",
  "!=": "<>",
  "<>": "<>",
  "<": "<",
  "<=": "<=",
  ">": ">",
  ">=": ">=",
} as const;

const TESTS = ["in", "between", "like", "ilike"] as const;

function comparison(tokens: Tokens, select: ParseSelect): Expression {
  let left = chain(tokens, COMPARISONS, () => sum(tokens, select));
  for (;;) {
    const { at } = tokens.peek();
    if (tokens.accept("is")) {
      const negated = tokens.accept("not");
      tokens.expect("null");
      left = { kind: "null", at, operand: left, negated };
      continue;
    }
    const negated = tokens.accept("not");
    const word = TESTS.find((test) => tokens.accept(test));
    if (word === undefined) {
      if (negated) throw tokens.refusal("IN, BETWEEN or LIKE is wanted");
      return left;
    }
    tokens.count();
    switch (word) {
      case "in":
        left = { kind: "in", at, operand: left, among: among(tokens, select), negated };
        continue;
      case "between": {
        const low = sum(tokens, select);
        tokens.expect("and");
        left = { kind: "between", at, operand: left, low, high: sum(tokens, select), negated };
        continue;
      }
      case "like":
      case "ilike":
        left = { kind: "like", at, operand: left, pattern: pattern(tokens, word), folded: word === "ilike", negated };
        continue;
    }
  }
}

function pattern(tokens: Tokens, operator: string): string {
  const token = tokens.take();
  if (token.kind === "text") return token.text;
  throw new Refusal(`the pattern of ${operator.toUpperCase()} must be a text in quotes`, token.at);
}

function among(tokens: Tokens, select: ParseSelect): readonly Expression[] | Select {
  tokens.expect("(");
  const result = tokens.is("select") ? tokens.nested(() => select(tokens)) : list(tokens, select);
  tokens.expect(")");
  return result;
}

function list(tokens: Tokens, select: ParseSelect): Expression[] {
  const items = [parseExpression(tokens, select)];
  while (tokens.accept(",")) items.push(parseExpression(tokens, select));
  return items;
}

function sum(tokens: Tokens, select: ParseSelect): Expression {
  return chain(tokens, { "+": "+", "-": "-", "||": "||" }, () => product(tokens, select));
}

function product(tokens: Tokens, select: ParseSelect): Expression {
  return chain(tokens, { "*": "*", "/": "/", "%": "%" }, () => signed(tokens, select));
}

function signed(tokens: Tokens, select: ParseSelect): Expression {
  const { at } = tokens.peek();
  if (!tokens.accept("-")) return single(tokens, select);
  tokens.count();
  const operand = tokens.nested(() => signed(tokens, select));
  if (operand.kind === "literal" && typeof operand.value === "number") return { ...operand, at, value: -operand.value };
  return { kind: "negate", at, operand };
}

function single(tokens: Tokens, select: ParseSelect): Expression {
  tokens.count();
  const { kind, text, at } = tokens.peek();
  if (kind === "number") {
    tokens.take();
    return { kind: "literal", at, value: Number(text) };
  }
  if (kind === "text") {
    tokens.take();
    return { kind: "literal", at, value: text };
  }
  if (tokens.accept("null")) return { kind: "literal", at, value: null };
  if (tokens.accept("true")) return { kind: "literal", at, value: 1 };
  if (tokens.accept("false")) return { kind: "literal", at, value: 0 };
  if (tokens.is("case")) return choice(tokens, select);
  if (tokens.accept("(")) {
    const inner: Expression = tokens.is("select")
      ? { kind: "subquery", at, select: tokens.nested(() => select(tokens)) }
      : parseExpression(tokens, select);
    tokens.expect(")");
    return inner;
  }
  // Words that begin something else may also be the names of functions.
  if (kind === "word" && matchesCall(tokens)) return call(tokens, select);
  const first = tokens.name("a value");
  if (!tokens.accept(".")) return { kind: "column", at, table: null, name: first.text };
  return { kind: "column", at, table: first.text, name: tokens.name("the name of a column").text };
}

function matchesCall(tokens: Tokens): boolean {
  const after = tokens.peek(1);
  // `and` and `or` may be written as functions too.
  const named = tokens.isName() || tokens.is("and") || tokens.is("or");
  return named && after.kind === "sign" && after.text === "(";
}

function call(tokens: Tokens, select: ParseSelect): Expression {
  const { text: spelled, at } = tokens.take();
  let given = callArguments(tokens, select);
  let parameters: readonly Expression[] = [];
  if (tokens.is("(")) {
    parameters = given.given;
    given = callArguments(tokens, select);
  }
  return { kind: "call", at, name: spelled.toLowerCase(), spelled, parameters, ...given };
}

function callArguments(tokens: Tokens, select: ParseSelect): { given: readonly Expression[]; distinct: boolean } {
  tokens.expect("(");
  const distinct = tokens.accept("distinct");
  const { at } = tokens.peek();
  if (tokens.accept(")")) return { given: [], distinct };
  const given: Expression[] = tokens.accept("*") ? [{ kind: "star", at }] : list(tokens, select);
  tokens.expect(")");
  return { given, distinct };
}

function choice(tokens: Tokens, select: ParseSelect): Expression {
  const { at } = tokens.expect("case");
  const operand = tokens.is("when") ? null : parseExpression(tokens, select);
  const branches: { when: Expression; result: Expression }[] = [];
  while (tokens.accept("when")) {
    const when = parseExpression(tokens, select);
    tokens.expect("then");
    branches.push({ when, result: parseExpression(tokens, select) });
  }
  if (branches.length === 0) throw tokens.refusal("WHEN is wanted");
  const otherwise = tokens.accept("else") ? parseExpression(tokens, select) : null;
  tokens.expect("end");
  return { kind: "case", at, operand, branches, otherwise };
}
