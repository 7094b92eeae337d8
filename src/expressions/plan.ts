/**
 * Syntax tree to closures: everything that can be decided once is decided here, so that an evaluation only runs. Operators charge a step
 * each; literals and names are free (XP-17).
 */
import { add, arithmetic, negate } from "./arithmetic.ts";
import { compare, contains, differs, equals } from "./comparison.ts";
import { typeNamed } from "./conversions.ts";
import { type Evaluation, Fault, type Plan } from "./evaluation.ts";
import { functionNamed } from "./functions.ts";
import { type Position, planChoice, planLogic } from "./logic.ts";
import { planMacro } from "./macros.ts";
import { SyntaxFault } from "./parse.ts";
import { Pattern } from "./pattern.ts";
import { type Access, type BinaryOperator, fieldName, type Node } from "./syntax.ts";
import { textArgument } from "./texts.ts";
import { ABSENT, contained, describe, fieldOf, isList, MISSING, Uint, type Value, type ValueMap } from "./value.ts";

/** The macro variables in sight: where in {@link Evaluation.locals} each one lives, and how many macros are around. */
export interface Locals {
  readonly names: ReadonlyMap<string, number>;
  readonly depth: number;
}

const NO_LOCALS: Locals = { names: new Map(), depth: 0 };

/** Plans a checked tree. Throws SyntaxFault for a literal pattern that RE2 refuses. */
export function plan(node: Node, position: Position, locals: Locals = NO_LOCALS): Plan {
  const part = (child: Node): Plan => plan(child, "value", locals);
  switch (node.kind) {
    case "literal": {
      const value = node.value;
      return () => value;
    }
    case "name":
      return planName(node.name, locals);
    case "member":
    case "index":
      return planAccess(node, part);
    case "list":
      return planList(node.items.map(part));
    case "map":
      return planMap(node.entries.map(([key, value]) => [part(key), part(value)]));
    case "not":
      return planNot(part(node.operand));
    case "negate": {
      const operand = part(node.operand);
      return (evaluation) => {
        evaluation.step();
        return negate(operand(evaluation));
      };
    }
    case "binary":
      return planBinary(node.operator, part(node.left), part(node.right));
    case "logic":
      return planLogic(node.operator, plan(node.left, position, locals), plan(node.right, position, locals), position);
    case "choice":
      return planChoice(part(node.condition), plan(node.yes, position, locals), plan(node.no, position, locals));
    case "has": {
      const access = planAccess(node.access, part);
      return (evaluation) => access(evaluation) !== MISSING;
    }
    case "call":
      return planCall(node, part);
    case "macro":
      return planMacro(node, locals, plan);
  }
}

function planName(name: string, locals: Locals): Plan {
  const slot = locals.names.get(name);
  if (slot !== undefined) return (evaluation) => evaluation.locals[slot] ?? null;
  switch (name) {
    case "event":
      return (evaluation) => evaluation.scope.event;
    case "async":
      return (evaluation) => evaluation.scope.async;
    case "output":
      return (evaluation) => evaluation.scope.output;
    default: {
      // A type, or `vars`, which is always empty.
      const value: Value = typeNamed(name) ?? {};
      return () => value;
    }
  }
}

function planAccess(node: Access, part: (child: Node) => Plan): Plan {
  const target = part(node.target);
  const index: Plan = node.kind === "index" ? part(node.index) : () => node.name;
  const name = fieldName(node);
  if (name !== null) {
    return (evaluation) => {
      evaluation.step();
      return fieldOf(target(evaluation), name);
    };
  }
  return (evaluation) => {
    evaluation.step();
    return elementOf(target(evaluation), index(evaluation));
  };
}

/** `target[index]`: a list's element or a map's field; missing when there is none, whatever the types. */
function elementOf(target: Value, index: Value): Value {
  if (typeof index === "string") return fieldOf(target, index);
  if (!isList(target)) return MISSING;
  const position = index instanceof Uint ? index.value : index;
  if (typeof position !== "bigint" && typeof position !== "number") return MISSING;
  return target[Number(position)] ?? (target[Number(position)] === null ? null : MISSING);
}

function planList(items: readonly Plan[]): Plan {
  return (evaluation) => {
    evaluation.step();
    return items.map((item) => contained(item(evaluation)));
  };
}

function planMap(entries: readonly (readonly [Plan, Plan])[]): Plan {
  return (evaluation) => {
    evaluation.step();
    // Without a prototype, so that a field called __proto__ is one like any other.
    const map: { [key: string]: Value } = Object.create(null);
    for (const [keyPlan, valuePlan] of entries) {
      const key = keyPlan(evaluation);
      const value = valuePlan(evaluation);
      if (key === MISSING || value === MISSING) continue;
      if (typeof key !== "string") throw new Fault(`the keys of a map are texts, not ${describe(key)}`);
      if (Object.hasOwn(map, key)) throw new Fault("a map has the same key twice");
      map[key] = contained(value);
    }
    const result: ValueMap = map;
    return result;
  };
}

function planNot(operand: Plan): Plan {
  return (evaluation) => {
    evaluation.step();
    const value = operand(evaluation);
    if (value === MISSING) return ABSENT;
    if (value === ABSENT) return true;
    if (typeof value !== "boolean") throw new Fault(`"!" wants true or false, not ${describe(value)}`);
    return !value;
  };
}

type Operation = (a: Value, b: Value, evaluation: Evaluation) => Value;

function operation(operator: BinaryOperator): Operation {
  switch (operator) {
    case "==":
      return equals;
    case "!=":
      return differs;
    case "in":
      return contains;
    case "+":
      return add;
    case "<":
    case "<=":
    case ">":
    case ">=":
      return (a, b, evaluation) => compare(operator, a, b, evaluation);
    case "-":
    case "*":
    case "/":
    case "%":
      return (a, b) => arithmetic(operator, a, b);
  }
}

function planBinary(operator: BinaryOperator, left: Plan, right: Plan): Plan {
  const apply = operation(operator);
  return (evaluation) => {
    evaluation.step();
    return apply(left(evaluation), right(evaluation), evaluation);
  };
}

function planCall(node: Extract<Node, { kind: "call" }>, part: (child: Node) => Plan): Plan {
  const entry = functionNamed(node.name);
  if (entry === undefined) throw new SyntaxFault(`"${node.name}" is not a known function`, node.at);
  const nodes = node.receiver === null ? node.given : [node.receiver, ...node.given];
  const given = nodes.map(part);
  const apply = (node.name === "matches" ? literalPattern(nodes[1]) : null) ?? entry.apply;
  const whenMissing = entry.whenMissing ?? ABSENT;
  return (evaluation) => {
    evaluation.step();
    const values: Value[] = [];
    for (const argument of given) {
      const value = argument(evaluation);
      if (value === MISSING) return whenMissing;
      if (value === ABSENT) return ABSENT;
      values.push(value);
    }
    return apply(values, evaluation);
  };
}

/** `matches` with a literal pattern: compiled once, and refused at compile time when RE2 does not know its syntax. */
function literalPattern(node: Node | undefined): ((given: readonly Value[], evaluation: Evaluation) => Value) | null {
  if (node?.kind !== "literal" || typeof node.value !== "string") return null;
  try {
    const pattern = new Pattern(node.value);
    return ([text], evaluation) => pattern.test(textArgument("matches", text, evaluation), evaluation);
  } catch (thrown) {
    if (thrown instanceof Fault) throw new SyntaxFault(thrown.message, node.at);
    throw thrown;
  }
}
