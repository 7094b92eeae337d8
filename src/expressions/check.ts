/**
 * What a well-formed tree must also satisfy (XP-9): known variables and functions, argument counts, and the rules of its place (XP-8, XP-18).
 * Finds the warnings that do not refuse an expression.
 */
import { typeNamed } from "./conversions.ts";
import { type ExpressionFunction, functionNamed } from "./functions.ts";
import { SyntaxFault } from "./parse.ts";
import { PLACES, type Place, type PlaceRules } from "./place.ts";
import { contains, type Node, partsOf, reads } from "./syntax.ts";

const ARITHMETIC: ReadonlySet<string> = new Set(["+", "-", "*", "/", "%"]);

/** Throws the first {@link SyntaxFault} of the tree in reading order, for a use at `place`. */
export function check(tree: Node, place: Place): void {
  checkNode(tree, PLACES[place], place, new Set());
}

/** What is allowed but surely not meant (XP-3, AP-16). */
export function warningsOf(tree: Node, place: Place): readonly string[] {
  if (place === "trigger" && reads(tree, "async")) {
    return ['a trigger\'s expression has no "async" event, so this one is never true'];
  }
  if (place === "key" && isBoolean(tree)) return ["this key can only be true or false"];
  return [];
}

/** True when the result is the same for every event, at every time (XP-15). */
export function isConstant(tree: Node): boolean {
  const variables = ["event", "async", "output"];
  return !variables.some((variable) => reads(tree, variable)) && !readsClock(tree);
}

/** True when the node's result depends on the time. */
export function readsClock(tree: Node): boolean {
  return contains(tree, (node) => node.kind === "call" && functionNamed(node.name)?.group === "clock");
}

function checkNode(node: Node, rules: PlaceRules, place: Place, locals: ReadonlySet<string>): void {
  switch (node.kind) {
    case "name":
      checkName(node.name, node.at, place, locals);
      break;
    case "call":
      checkCall(node, rules, place);
      break;
    case "macro": {
      if (rules.restricted) throw refusal(`"${node.name}"`, place, node.at);
      checkNode(node.over, rules, place, locals);
      const inner = new Set(locals).add(node.variable);
      for (const part of [node.where, node.body]) if (part !== null) checkNode(part, rules, place, inner);
      return;
    }
    case "map":
      for (const [key] of node.entries) {
        if (key.kind === "literal" && typeof key.value !== "string") {
          throw new SyntaxFault("the keys of a map are texts", key.at);
        }
      }
      break;
    case "binary":
      if (rules.restricted && ARITHMETIC.has(node.operator)) throw refusal(`"${node.operator}"`, place, node.right.at);
      break;
    case "negate":
      if (rules.restricted) throw refusal('"-"', place, node.at);
      break;
    default:
      break;
  }
  for (const part of partsOf(node)) checkNode(part, rules, place, locals);
}

function refusal(what: string, place: Place, at: number): SyntaxFault {
  return new SyntaxFault(`${what} is not allowed in a ${place} expression`, at);
}

function checkName(name: string, at: number, place: Place, locals: ReadonlySet<string>): void {
  const known: readonly string[] = PLACES[place].variables;
  if (locals.has(name) || known.includes(name) || typeNamed(name) !== null) return;
  // Nobody is sent to `vars`, which is always empty, nor in a trigger to `async`, which is never there.
  const useful = known.filter((variable) => variable !== "vars" && !(place === "trigger" && variable === "async"));
  throw new SyntaxFault(
    `"${name}" is not a known variable; there is ${useful.join(" and ")}, and text needs quotes`,
    at,
  );
}

function checkCall(node: Extract<Node, { kind: "call" }>, rules: PlaceRules, place: Place): void {
  const entry = functionNamed(node.name);
  const form = node.receiver === null ? "function" : "method";
  if (entry === undefined || (entry.form !== form && entry.form !== "both")) {
    const hint = entry === undefined ? "" : `; it is a ${entry.form}`;
    throw new SyntaxFault(`"${node.name}" is not a known ${form}${hint}`, node.at);
  }
  checkCount(node, entry);
  if (!rules.clock && entry.group === "clock") throw refusal(`"${node.name}"`, place, node.at);
  if (rules.restricted && (entry.group === "clock" || entry.group === "time")) {
    throw refusal(`"${node.name}"`, place, node.at);
  }
}

function checkCount(node: Extract<Node, { kind: "call" }>, entry: ExpressionFunction): void {
  const receivers = node.receiver === null ? 0 : 1;
  const [fewest, most] = [entry.arguments[0] - receivers, entry.arguments[1] - receivers];
  if (node.given.length >= fewest && node.given.length <= most) return;
  const counts = fewest === most ? `${fewest}` : `${fewest} to ${most}`;
  throw new SyntaxFault(
    `"${node.name}" takes ${counts} argument${counts === "1" ? "" : "s"}, got ${node.given.length}`,
    node.at,
  );
}

const TRUTH_FUNCTIONS: ReadonlySet<string> = new Set(["contains", "startsWith", "endsWith", "matches", "bool"]);

/** True when the node can have no other value than true and false. */
function isBoolean(node: Node): boolean {
  switch (node.kind) {
    case "literal":
      return typeof node.value === "boolean";
    case "not":
    case "has":
      return true;
    case "binary":
      return !ARITHMETIC.has(node.operator);
    case "logic":
      return isBoolean(node.left) && isBoolean(node.right);
    case "choice":
      return isBoolean(node.yes) && isBoolean(node.no);
    case "call":
      return TRUTH_FUNCTIONS.has(node.name);
    case "macro":
      return node.name !== "map" && node.name !== "filter";
    case "name":
    case "member":
    case "index":
    case "list":
    case "map":
    case "negate":
      return false;
  }
}
