/**
 * Rows held against an expression (OB-1, OB-2). Owns what becomes of a row for which the expression fails: it does not match, and the reply says
 * how many there were and why the first one failed, so that nobody takes a mistake for "no results".
 */
import { evaluateCondition, type Variables } from "../expressions/evaluate.ts";
import type { Expression } from "../expressions/expression.ts";

/** Rows for which the expression failed. */
export interface Faults {
  readonly count: number;
  /** Of the newest one. */
  readonly reason: string;
}

/** An expression and what happened to it. */
export class Judge {
  readonly #expression: Expression;
  readonly #now: number;
  #faults: Faults | null = null;

  /** `now` in ms: the time of the whole search. */
  constructor(expression: Expression, now: number) {
    this.#expression = expression;
    this.#now = now;
  }

  /** Null while there were none. */
  get faults(): Faults | null {
    return this.#faults;
  }

  /** Whether the expression is true of a row. */
  matches(variables: Variables): boolean {
    const result = evaluateCondition(this.#expression, variables, this.#now);
    if (result.ok) return result.matched;
    this.#faults = { count: (this.#faults?.count ?? 0) + 1, reason: this.#faults?.reason ?? result.error };
    return false;
  }
}
