/**
 * What a compiled expression says about an event. Owns the reading of results by use (XP-14, XP-16); costs nothing but CPU and never throws.
 */
import type { EventPayload } from "../events/event.ts";
import type { Json } from "../json.ts";
import { Evaluation, Fault, type Scope } from "./evaluation.ts";
import type { Expression } from "./expression.ts";
import { keyText } from "./print.ts";
import { ABSENT, describe, isNumber, MISSING, Uint, type Value } from "./value.ts";

/** The variables of an evaluation (XP-1); those a place does not have may be left out. */
export interface Variables {
  /** The trigger event, or the event under search; for a batch its first event (XP-2). */
  readonly event: EventPayload | Json;
  /** The incoming event of a wait or cancel listener (XP-3). */
  readonly async?: EventPayload | Json;
  /** The output of the run under search. */
  readonly output?: Json;
}

/** A condition's answer. `error` is what the event, run or trace shows (XP-16); it is never a match. */
export type ConditionResult =
  | { readonly ok: true; readonly matched: boolean }
  | { readonly ok: false; readonly error: string };

/** A key's text. Keys have no errors: what goes wrong is the empty key with a warning (FC-41). */
export interface KeyResult {
  readonly ok: true;
  readonly key: string;
  /** The value was `false`: rate limit and singleton are not applied (FC-41). */
  readonly disabled: boolean;
  /** The key is the empty text. */
  readonly empty: boolean;
  /** Why the empty key is used; null when it was computed. */
  readonly warning: string | null;
}

/** A number's value, finite; or why there is none. */
export type NumberResult =
  | { readonly ok: true; readonly value: number }
  | { readonly ok: false; readonly error: string };

/** The raw result of an evaluation. */
export type ValueResult = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly error: string };

/** Judges a condition at `now` (ms since 1970). Only `true` matches; missing does not, and any other value is an error (XP-16). */
export function evaluateCondition(expression: Expression, variables: Variables, now: number): ConditionResult {
  if (expression.never) return { ok: true, matched: false };
  const result = evaluateValue(expression, variables, now);
  if (!result.ok) return result;
  const { value } = result;
  if (typeof value === "boolean") return { ok: true, matched: value };
  if (value === MISSING || value === ABSENT) return { ok: true, matched: false };
  return { ok: false, error: `the result was ${describe(value)}, not true or false` };
}

/** Computes a key at `now` (ms since 1970). */
export function evaluateKey(expression: Expression, variables: Variables, now: number): KeyResult {
  const evaluation = evaluationOf(variables, now);
  const result = outcome(() => {
    const value = expression.plan(evaluation);
    return value === null || value === MISSING ? value : { text: keyText(value, evaluation), value };
  });
  if (!result.ok) return emptyKey(result.error);
  if (result.value === null) return emptyKey("the result was null");
  if (result.value === MISSING) return emptyKey("the result was missing");
  const { text, value } = result.value;
  return { ok: true, key: text, disabled: value === false || value === ABSENT, empty: text === "", warning: null };
}

function emptyKey(warning: string): KeyResult {
  return { ok: true, key: "", disabled: false, empty: true, warning };
}

/** Computes a number at `now` (ms since 1970). Ranges and rounding are the caller's (FC-30). */
export function evaluateNumber(expression: Expression, variables: Variables, now: number): NumberResult {
  const result = evaluateValue(expression, variables, now);
  if (!result.ok) return result;
  const { value } = result;
  const number = isNumber(value) ? Number(value instanceof Uint ? value.value : value) : Number.NaN;
  if (Number.isFinite(number)) return { ok: true, value: number };
  return { ok: false, error: `the result was ${describe(value)}, not a ${isNumber(value) ? "finite " : ""}number` };
}

/** Evaluates without reading the result: the same for every use, so that a tester shows what a run sees (XP-20). */
export function evaluateValue(expression: Expression, variables: Variables, now: number): ValueResult {
  return outcome(() => expression.plan(evaluationOf(variables, now)));
}

/** A new evaluation of the variables at `now`, with its whole budget. */
export function evaluationOf(variables: Variables, now: number): Evaluation {
  return new Evaluation(scopeOf(variables), now);
}

// Payloads and outputs are JSON, which Value contains; `EventPayload` only lacks the index signature that would say so, and a field
// that is undefined counts as missing.
function scopeOf(variables: Variables): Scope {
  return {
    event: variables.event as Value,
    async: (variables.async ?? (variables.async === null ? null : MISSING)) as Value,
    output: (variables.output ?? (variables.output === null ? null : MISSING)) as Value,
  };
}

/** Runs what may end in a fault. */
export function outcome<T>(run: () => T): { ok: true; value: T } | { ok: false; error: string } {
  try {
    return { ok: true, value: run() };
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    return { ok: false, error: thrown.message };
  }
}
