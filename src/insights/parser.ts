/**
 * A question's text as a syntax tree: one SELECT, and nothing else (OB-20). Pure. Guarantees that everything that is not part of the language is
 * refused by its name and place.
 */
import { parseExpression } from "./parse-expression.ts";
import { Refusal } from "./refusal.ts";
import type { Expression, From, Item, Select } from "./syntax.ts";
import { Tokens } from "./tokens.ts";

/** Parses a question. Throws {@link Refusal}. */
export function parseQuestion(source: string): Select {
  const tokens = new Tokens(source);
  const first = tokens.peek();
  if (first.kind === "end") throw new Refusal("the question is empty", 0);
  if (!tokens.is("select")) {
    const what = first.kind === "word" ? first.text.toUpperCase() : JSON.stringify(first.text);
    throw new Refusal(`${what} is not supported: a question is one SELECT`, first.at);
  }
  const select = parseSelect(tokens, source);
  if (tokens.accept(";") && tokens.peek().kind !== "end") {
    throw new Refusal("a question is one SELECT, and ends with it", tokens.peek().at);
  }
  if (tokens.peek().kind !== "end") throw tokens.refusal("the question should end");
  return select;
}

function parseSelect(tokens: Tokens, source: string): Select {
  const expression = () => parseExpression(tokens, (inner) => parseSelect(inner, source));
  const { at } = tokens.expect("select");
  const distinct = tokens.accept("distinct");
  const items = listOf(tokens, () => item(tokens, expression, source));
  const from = tokens.accept("from") ? origin(tokens, source) : null;
  const where = tokens.accept("where") ? expression() : null;
  const groupBy = tokens.accept("group", "by") ? listOf(tokens, expression) : [];
  const having = tokens.accept("having") ? expression() : null;
  const orderBy = tokens.accept("order", "by") ? listOf(tokens, () => order(tokens, expression)) : [];
  const limit = tokens.accept("limit") ? whole(tokens) : null;
  const offset = tokens.accept("offset") ? whole(tokens) : 0;
  return { at, distinct, items, from, where, groupBy, having, orderBy, limit, offset };
}

function listOf<Part>(tokens: Tokens, parse: () => Part): Part[] {
  const parts = [parse()];
  while (tokens.accept(",")) parts.push(parse());
  return parts;
}

function item(tokens: Tokens, expression: () => Expression, source: string): Item {
  const { at } = tokens.peek();
  if (tokens.accept("*")) return { expression: { kind: "star", at }, alias: null, label: "*" };
  const value = expression();
  const end = tokens.peek().at;
  const alias = aliasOf(tokens);
  return { expression: value, alias, label: alias ?? source.slice(at, end).trim() };
}

function aliasOf(tokens: Tokens): string | null {
  if (tokens.accept("as")) return tokens.name("a name").text;
  return tokens.isName() ? tokens.take().text : null;
}

function origin(tokens: Tokens, source: string): From {
  const { at } = tokens.peek();
  if (tokens.accept("(")) {
    const select = tokens.nested(() => parseSelect(tokens, source));
    tokens.expect(")");
    return { kind: "select", at, select, alias: aliasOf(tokens) };
  }
  const { text } = tokens.name("the name of a table");
  if (tokens.is("(")) throw new Refusal(`"${text}" is called like a function, which is not supported in FROM`, at);
  if (tokens.is(".")) throw new Refusal("tables of other databases are not supported", at);
  return { kind: "table", at, name: text, alias: aliasOf(tokens) };
}

function order(tokens: Tokens, expression: () => Expression) {
  const by = expression();
  const descending = tokens.accept("desc");
  if (!descending) tokens.accept("asc");
  return { by, descending };
}

function whole(tokens: Tokens): number {
  const token = tokens.peek();
  const number = Number(token.text);
  if (token.kind !== "number" || !Number.isSafeInteger(number)) throw tokens.refusal("a whole number is wanted");
  tokens.take();
  return number;
}
