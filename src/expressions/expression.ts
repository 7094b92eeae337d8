/**
 * The expression language's front door (spec/07): source text to a compiled expression, or a compile error with its position.
 * Owns no rules of its own; parsing, checking and planning are its neighbours'. Guarantees that no text makes it throw.
 */

import { check, isConstant, warningsOf } from "./check.ts";
import type { Plan } from "./evaluation.ts";
import { parse, SyntaxFault } from "./parse.ts";
import { PLACES, type Place } from "./place.ts";
import { plan } from "./plan.ts";
import { type Node, reads } from "./syntax.ts";

/** A compiled expression. Immutable and free of state: any number of evaluations may share it. */
export interface Expression {
  readonly source: string;
  readonly place: Place;
  /** Shown at the sync, without refusing it (XP-3, AP-16). */
  readonly warnings: readonly string[];
  /** True when the result is the same for every event (XP-15). */
  readonly constant: boolean;
  /** True when a condition can never hold: a trigger that asks for `async` (XP-3). */
  readonly never: boolean;
  /** For this folder only. */
  readonly tree: Node;
  /** For this folder only. */
  readonly plan: Plan;
}

/** Why a source does not compile (XP-9). `line` and `column` start at 1; columns count UTF-16 units. */
export interface CompileError {
  readonly message: string;
  readonly line: number;
  readonly column: number;
}

/** What {@link compile} gives. */
export type CompileResult =
  | { readonly ok: true; readonly expression: Expression }
  | { readonly ok: false; readonly error: CompileError };

/** Compiles a source for a use (XP-1). Never throws on input; callers turn an error into `expression_invalid`. */
export function compile(source: string, place: Place): CompileResult {
  try {
    const tree = parse(source);
    check(tree, place);
    const position = PLACES[place].wants === "condition" ? "condition" : "value";
    const never = place === "trigger" && reads(tree, "async");
    const warnings = warningsOf(tree, place);
    const planned = plan(tree, position);
    return {
      ok: true,
      expression: { source, place, warnings, constant: isConstant(tree), never, tree, plan: planned },
    };
  } catch (thrown) {
    if (!(thrown instanceof SyntaxFault)) throw thrown;
    return { ok: false, error: { message: thrown.message, ...positionOf(source, thrown.at) } };
  }
}

function positionOf(source: string, at: number): { line: number; column: number } {
  const before = source.slice(0, at).split("\n");
  return { line: before.length, column: (before.at(-1) ?? "").length + 1 };
}
