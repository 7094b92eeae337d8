/**
 * The table of functions and methods (XP-7). Owns names, forms, argument counts and which group each belongs to;
 * the groups' files own what they do. List macros are not functions and live in `macros.ts`.
 */
import { conversions } from "./conversions.ts";
import type { Evaluation } from "./evaluation.ts";
import { moments } from "./moments.ts";
import { texts } from "./texts.ts";
import type { Value } from "./value.ts";

/** What a function is for; `cancel` allows only some groups (XP-8). */
type FunctionGroup = "text" | "conversion" | "time" | "clock";

/** One function. A method's receiver is its first argument and counts as one. */
export interface ExpressionFunction {
  readonly group: FunctionGroup;
  /** How it may be written: `f(x)`, `x.f()`, or both. */
  readonly form: "function" | "method" | "both";
  /** Fewest and most arguments. */
  readonly arguments: readonly [number, number];
  /** What a missing argument gives instead of a call; absence, unless the entry says otherwise (XP-12). */
  readonly whenMissing?: Value;
  /** Arguments are present values. Throws Fault. */
  readonly apply: (given: readonly Value[], evaluation: Evaluation) => Value;
}

const FUNCTIONS: ReadonlyMap<string, ExpressionFunction> = new Map(
  Object.entries({ ...texts, ...conversions, ...moments }),
);

/** The function of that name, in whatever form; undefined when there is none. */
export function functionNamed(name: string): ExpressionFunction | undefined {
  return FUNCTIONS.get(name);
}
