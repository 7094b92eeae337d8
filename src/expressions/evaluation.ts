/**
 * One evaluation under way: its variables, its clock and what it may still spend (XP-17).
 * Guarantees a bound on work that depends on nothing but the input: costs are counted and never timed, so every process ends alike.
 */
import { EXPRESSION } from "../limits.ts";
import type { Value } from "./value.ts";

/** A runtime error of an expression. Messages name kinds and limits, never values. */
export class Fault extends Error {
  override readonly name: string = "Fault";
}

/** The budget is used up. Unlike other faults nothing absorbs it: the evaluation is over. */
class CostExceeded extends Fault {
  override readonly name = "CostExceeded";
}

/** The variables at hand; a variable the place does not have is missing and, being refused at compile time, never read. */
export interface Scope {
  readonly event: Value;
  readonly async: Value;
  readonly output: Value;
}

/** The state of one evaluation. */
export class Evaluation {
  readonly scope: Scope;
  /** ms since 1970: what `now()` is. */
  readonly now: number;
  /** Variables of list macros, by nesting. */
  readonly locals: Value[] = [];
  private steps: number = EXPRESSION.steps;
  private characters: number = EXPRESSION.characters;

  constructor(scope: Scope, now: number) {
    this.scope = scope;
    this.now = now;
  }

  /** Charges operators, calls, accesses or elements. */
  step(count = 1): void {
    this.steps -= count;
    if (this.steps < 0) {
      throw new CostExceeded(`the evaluation takes more than ${EXPRESSION.steps} steps`);
    }
  }

  /** Charges text that is read or built. */
  read(characters: number): void {
    this.characters -= characters;
    if (this.characters < 0) {
      throw new CostExceeded(`the evaluation reads or builds more than ${EXPRESSION.characters} characters of text`);
    }
  }

  /** What has been charged so far, the charge that ended the evaluation included. */
  spent(): { readonly steps: number; readonly characters: number } {
    return { steps: EXPRESSION.steps - this.steps, characters: EXPRESSION.characters - this.characters };
  }
}

/** A part of an expression, ready to be evaluated. Throws {@link Fault}. */
export type Plan = (evaluation: Evaluation) => Value;

/** Evaluates a part whose fault the caller may absorb; the fault is then its result. */
export function attempt(plan: Plan, evaluation: Evaluation): Value | Fault {
  try {
    return plan(evaluation);
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown instanceof CostExceeded) throw thrown;
    evaluation.step(EXPRESSION.faultSteps);
    return thrown;
  }
}
