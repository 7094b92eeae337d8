/**
 * Source text to syntax tree. The grammar is the library's; the tree, the limits of XP-17 and the wording of errors are ours.
 * Guarantees a tree of at most 200 nodes nested at most 32 deep, so that whatever walks it may recurse.
 */
import { type ASTNode, Environment, ParseError } from "@marcbachmann/cel-js";
import { EXPRESSION } from "../limits.ts";
import { typeNamed } from "./conversions.ts";
import type { LiteralValue, MacroName, Node } from "./syntax.ts";
import { Uint } from "./value.ts";

/** A compile error at an offset of the source. */
export class SyntaxFault extends Error {
  override readonly name = "SyntaxFault";
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

/** Parses the source. Throws {@link SyntaxFault} and nothing else, whatever the text. */
export function parse(source: string): Node {
  if (source.length > EXPRESSION.sourceBytes || new TextEncoder().encode(source).length > EXPRESSION.sourceBytes) {
    throw new SyntaxFault(`an expression may have at most ${EXPRESSION.sourceBytes} bytes`, 0);
  }
  if (source.trim() === "") throw new SyntaxFault("the expression is empty", 0);
  checkBrackets(source);
  // Whatever our limits allow is below this one, which counts a field access as a level; it only keeps the library's recursion short.
  const limits = { maxDepth: EXPRESSION.nodes + 2 * EXPRESSION.depth };
  // A new environment for every parse: it remembers each function name it meets for as long as it lives.
  let tree: ASTNode;
  try {
    tree = new Environment({ unlistedVariablesAreDyn: true, limits }).parse(source).ast;
  } catch (thrown) {
    throw grammarFault(thrown, source);
  }
  return new Conversion(source).convert(tree, 1);
}

/** Strings and comments, which may hold any bracket, and the brackets. */
const BRACKETS =
  /"""(?:[^\\]|\\.)*?"""|'''(?:[^\\]|\\.)*?'''|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\/\/[^\n]*|[([{]|[)\]}]/gs;

/** Brackets that only group leave no trace in the tree, so their nesting is counted in the text. */
function checkBrackets(source: string): void {
  let depth = 0;
  for (const { 0: token, index } of source.matchAll(BRACKETS)) {
    if (token === "(" || token === "[" || token === "{") depth++;
    else if (token === ")" || token === "]" || token === "}") depth--;
    if (depth > EXPRESSION.depth) {
      throw new SyntaxFault(`an expression may be nested at most ${EXPRESSION.depth} deep`, index);
    }
  }
}

/** The library's error in our words, with what stands at the position. */
function grammarFault(thrown: unknown, source: string): SyntaxFault {
  if (!(thrown instanceof ParseError)) return new SyntaxFault("the expression cannot be parsed", 0);
  const { start, end } = thrown.range ?? { start: 0, end: 0 };
  switch (thrown.code) {
    case "limit_exceeded":
      return new SyntaxFault(
        `an expression may have at most ${EXPRESSION.nodes} nodes, ${EXPRESSION.depth} deep`,
        start,
      );
    case "unexpected_token":
    case "unexpected_character":
    case "expected_token":
      if (start >= source.length)
        return new SyntaxFault("the expression ends where a value or a bracket is missing", start);
      return new SyntaxFault(`unexpected ${JSON.stringify(source.slice(start, Math.max(end, start + 1)))}`, start);
    case "invalid_macro_argument":
      return new SyntaxFault("the first argument of a list macro is a name for the element", start);
    default:
      return new SyntaxFault(lowerFirst(thrown.summary), start);
  }
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** Arguments each macro takes, its variable included. */
const MACROS: ReadonlyMap<string, { readonly name: MacroName; readonly counts: readonly number[] }> = new Map(
  [
    { name: "exists" as const, counts: [2] },
    { name: "exists_one" as const, counts: [2] },
    { name: "all" as const, counts: [2] },
    { name: "filter" as const, counts: [2] },
    { name: "map" as const, counts: [2, 3] },
  ].map((macro) => [macro.name, macro]),
);

/** Operators of one row associate to the left and make a chain, which is one level however long it is. */
const ROWS: Readonly<Partial<Record<ASTNode["op"], number>>> = {
  "||": 1,
  "&&": 2,
  "==": 3,
  "!=": 3,
  "<": 4,
  "<=": 4,
  ">": 4,
  ">=": 4,
  in: 4,
  "+": 5,
  "-": 5,
  "*": 6,
  "/": 6,
  "%": 6,
};

const INT = { min: -(2n ** 63n), max: 2n ** 63n - 1n };

class Conversion {
  private readonly source: string;
  private nodes = 0;

  constructor(source: string) {
    this.source = source;
  }

  convert(node: ASTNode, depth: number): Node {
    const at = node.start;
    this.nodes += 1;
    if (this.nodes > EXPRESSION.nodes)
      throw new SyntaxFault(`an expression may have at most ${EXPRESSION.nodes} nodes`, at);
    if (depth > EXPRESSION.depth)
      throw new SyntaxFault(`an expression may be nested at most ${EXPRESSION.depth} deep`, at);
    const part = (child: ASTNode): Node => this.convert(child, depth + 1);
    switch (node.op) {
      case "value":
        return { kind: "literal", at, value: literal(node.args, at) };
      case "id":
        return { kind: "name", at, name: node.args };
      case ".":
        return this.member(node.args[0], node.args[1], node.pos, depth);
      case "[]":
        return { kind: "index", at, target: part(node.args[0]), index: part(node.args[1]) };
      case "list":
        return { kind: "list", at, items: node.args.map(part) };
      case "map":
        return { kind: "map", at, entries: node.args.map(([key, value]) => [part(key), part(value)]) };
      case "!_":
        return { kind: "not", at, operand: part(node.args) };
      case "-_":
        return this.minus(node.args, at, depth);
      case "||":
      case "&&":
        return { kind: "logic", at, operator: node.op, ...this.operands(node, depth) };
      case "?:":
        return { kind: "choice", at, condition: part(node.args[0]), yes: part(node.args[1]), no: part(node.args[2]) };
      case "call":
        return this.call(node.args[0], null, node.args[1], at, depth);
      case "rcall":
        return this.call(node.args[0], node.args[1], node.args[2], at, depth);
      case "==":
      case "!=":
      case "<":
      case "<=":
      case ">":
      case ">=":
      case "in":
      case "+":
      case "-":
      case "*":
      case "/":
      case "%":
        return { kind: "binary", at, operator: node.op, ...this.operands(node, depth) };
      case ".?":
      case "[?]":
        throw new SyntaxFault("optional access is not part of the language", at);
    }
  }

  private operands(node: { op: ASTNode["op"]; args: [ASTNode, ASTNode] }, depth: number): { left: Node; right: Node } {
    const chained = ROWS[node.op] === ROWS[node.args[0].op];
    const left = this.convert(node.args[0], chained ? depth : depth + 1);
    return { left, right: this.convert(node.args[1], depth + 1) };
  }

  private member(target: ASTNode, name: string, at: number, depth: number): Node {
    const qualified =
      target.op === "." && target.args[0].op === "id" ? `${target.args[0].args}.${target.args[1]}.${name}` : "";
    const type = qualified === "" ? null : typeNamed(qualified);
    if (type !== null) return { kind: "literal", at: target.start, value: type };
    return { kind: "member", at, target: this.convert(target, depth + 1), name };
  }

  /** `-5` is a literal, so that the smallest integer can be written. */
  private minus(operand: ASTNode, at: number, depth: number): Node {
    if (operand.op === "value" && typeof operand.args === "bigint") {
      return { kind: "literal", at, value: literal(-operand.args, at) };
    }
    if (operand.op === "value" && typeof operand.args === "number")
      return { kind: "literal", at, value: -operand.args };
    return { kind: "negate", at, operand: this.convert(operand, depth + 1) };
  }

  private call(name: string, receiver: ASTNode | null, given: readonly ASTNode[], start: number, depth: number): Node {
    // Of a method the library knows where its receiver starts, but not where its name stands.
    const at = receiver === null ? start : this.source.indexOf(name, receiver.end);
    const part = (child: ASTNode): Node => this.convert(child, depth + 1);
    if (receiver === null && name === "has") {
      const [access] = given.map(part);
      if (given.length === 1 && (access?.kind === "member" || access?.kind === "index"))
        return { kind: "has", at, access };
      throw new SyntaxFault('"has" takes one field, such as event.data.email', at);
    }
    const macro = receiver === null ? undefined : MACROS.get(name);
    if (receiver === null || macro === undefined) {
      return { kind: "call", at, name, receiver: receiver === null ? null : part(receiver), given: given.map(part) };
    }
    const [variable, ...rest] = given;
    if (variable === undefined || !macro.counts.includes(given.length)) {
      throw new SyntaxFault(`"${name}" takes ${macro.counts.join(" or ")} arguments, got ${given.length}`, at);
    }
    if (variable.op !== "id")
      throw new SyntaxFault(`the first argument of "${name}" is a name for the element`, variable.start);
    const over = part(receiver);
    const parts = rest.map(part);
    const body = macro.name === "map" ? (parts.at(-1) ?? null) : null;
    const where = macro.name === "map" && parts.length === 1 ? null : (parts[0] ?? null);
    return { kind: "macro", at, name: macro.name, over, variable: variable.args, where, body };
  }
}

/** A literal of the library as ours. */
function literal(value: Extract<ASTNode, { op: "value" }>["args"], at: number): LiteralValue {
  if (value instanceof Uint8Array) throw new SyntaxFault("bytes are not part of the language", at);
  if (typeof value === "bigint" && (value < INT.min || value > INT.max)) {
    throw new SyntaxFault("an integer must fit 64 bits", at);
  }
  return typeof value === "object" && value !== null ? new Uint(value.value) : value;
}
