/**
 * `&&`, `||` and `?:` by truthiness (XP-13). A fault on one side is absorbed when the other side decides, as in CEL, whatever their order;
 * a fault of a `?:` condition is the result.
 */
import { attempt, Fault, type Plan } from "./evaluation.ts";
import { isTruthy } from "./value.ts";

/**
 * Where a result goes: `condition` when it is what a condition finally asks, so that `&&` and `||` give booleans there; `value` anywhere
 * else, where they give the deciding operand.
 */
export type Position = "condition" | "value";

/** Plans `left && right` or `left || right`. The right side is not evaluated once the left one has decided. */
export function planLogic(operator: "&&" | "||", left: Plan, right: Plan, position: Position): Plan {
  const deciding = operator === "||";
  const operand: Plan = (evaluation) => {
    evaluation.step();
    const first = attempt(left, evaluation);
    if (!(first instanceof Fault)) return isTruthy(first) === deciding ? first : right(evaluation);
    const second = right(evaluation);
    if (isTruthy(second) === deciding) return second;
    throw first;
  };
  return position === "value" ? operand : (evaluation) => isTruthy(operand(evaluation));
}

/** Plans `condition ? yes : no`; only the chosen side is evaluated. */
export function planChoice(condition: Plan, yes: Plan, no: Plan): Plan {
  return (evaluation) => {
    evaluation.step();
    return isTruthy(condition(evaluation)) ? yes(evaluation) : no(evaluation);
  };
}
