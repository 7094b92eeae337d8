/**
 * The list macros `exists exists_one all map filter` (XP-7). On a map they go over its keys; on a missing field they are false (XP-12).
 * Every element is a step, so a long list ends as a fault (XP-17).
 */
import { attempt, type Evaluation, Fault, type Plan } from "./evaluation.ts";
import type { Position } from "./logic.ts";
import type { Locals } from "./plan.ts";
import type { Macro, Node } from "./syntax.ts";
import { ABSENT, contained, describe, isList, isMap, isTruthy, MISSING, type Value, type ValueMap } from "./value.ts";

/** Plans one macro. `plan` is the planner of its parts, handed in because the two need each other. */
export function planMacro(
  node: Macro,
  locals: Locals,
  plan: (node: Node, position: Position, locals: Locals) => Plan,
): Plan {
  const over = plan(node.over, "value", locals);
  const slot = locals.depth;
  const inner = { names: new Map(locals.names).set(node.variable, slot), depth: slot + 1 };
  const where = node.where === null ? null : plan(node.where, "value", inner);
  const body = node.body === null ? null : plan(node.body, "value", inner);
  const run = runner(node, where, body);
  return (evaluation) => {
    evaluation.step();
    const range = over(evaluation);
    if (range === MISSING || range === ABSENT) return ABSENT;
    if (!isList(range) && !isMap(range))
      throw new Fault(`"${node.name}" wants a list or a map, not ${describe(range)}`);
    return run(isList(range) ? range : keysOf(range, evaluation), evaluation, slot);
  };
}

/** Listing the keys touches every field, so it is paid for before the first one is looked at. */
function keysOf(map: ValueMap, evaluation: Evaluation): readonly string[] {
  const keys = Object.keys(map);
  evaluation.step(keys.length);
  return keys;
}

type Run = (elements: readonly Value[], evaluation: Evaluation, slot: number) => Value;

const KEEP: Plan = () => true;

function runner(node: Macro, where: Plan | null, body: Plan | null): Run {
  const test = where ?? KEEP;
  switch (node.name) {
    case "exists":
      return (elements, evaluation, slot) => quantify(elements, test, evaluation, slot, true);
    case "all":
      return (elements, evaluation, slot) => quantify(elements, test, evaluation, slot, false);
    case "exists_one":
      return (elements, evaluation, slot) => select(elements, test, null, evaluation, slot).length === 1;
    case "filter":
    case "map":
      return (elements, evaluation, slot) => select(elements, test, body, evaluation, slot);
  }
}

/** `exists` (until = true) and `all` (until = false): the first element that decides; faults count only when none does, as in CEL. */
function quantify(
  elements: readonly Value[],
  test: Plan,
  evaluation: Evaluation,
  slot: number,
  until: boolean,
): boolean {
  let fault: Fault | null = null;
  for (const element of elements) {
    evaluation.step();
    evaluation.locals[slot] = element;
    const truth = attempt(test, evaluation);
    if (truth instanceof Fault) fault ??= truth;
    else if (isTruthy(truth) === until) return until;
  }
  if (fault !== null) throw fault;
  return !until;
}

/** The elements that pass the test, or what `body` makes of them. */
function select(
  elements: readonly Value[],
  test: Plan,
  body: Plan | null,
  evaluation: Evaluation,
  slot: number,
): Value[] {
  const chosen: Value[] = [];
  for (const element of elements) {
    evaluation.step();
    evaluation.locals[slot] = element;
    if (!isTruthy(test(evaluation))) continue;
    chosen.push(body === null ? element : contained(body(evaluation)));
  }
  return chosen;
}
