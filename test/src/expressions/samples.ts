/**
 * Short ways to compile and evaluate in tests. Sources that must compile fail the test with their error.
 */
import {
  type ConditionResult,
  evaluateCondition,
  evaluateKey,
  evaluateNumber,
  evaluateValue,
  type KeyResult,
  type NumberResult,
  type Variables,
} from "../../../src/expressions/evaluate.ts";
import { type CompileError, compile, type Expression } from "../../../src/expressions/expression.ts";
import type { Place } from "../../../src/expressions/place.ts";
import type { Value } from "../../../src/expressions/value.ts";
import type { Json } from "../../../src/json.ts";

/** 2025-01-01T00:00:00Z, the clock of these tests, ms. */
export const NOW = 1_735_689_600_000;

/** An event around `data`. */
export function eventOf(data: Json): Variables["event"] {
  return { id: "e1", name: "xp/x", ts: NOW, data, user: {} };
}

/** The compiled source. */
export function compiled(source: string, place: Place = "priority"): Expression {
  const result = compile(source, place);
  if (!result.ok) throw new Error(`${source}: ${result.error.message}`);
  return result.expression;
}

/** The compile error of a source that must have one. */
export function compileErrorOf(source: string, place: Place = "trigger"): CompileError {
  const result = compile(source, place);
  if (result.ok) throw new Error(`${source} compiles`);
  return result.error;
}

/** The value of a source over `data`, in a place where `&&` and `||` give operands. */
export function resultOf(source: string, data: Json = {}): Value {
  const result = evaluateValue(compiled(source), { event: eventOf(data) }, NOW);
  if (!result.ok) throw new Error(`${source}: ${result.error}`);
  return result.value;
}

/** The runtime error of a source that must have one. */
export function faultOf(source: string, data: Json = {}): string {
  const result = evaluateValue(compiled(source), { event: eventOf(data) }, NOW);
  if (result.ok) throw new Error(`${source} evaluates to ${String(result.value)}`);
  return result.error;
}

/** A condition's whole answer. */
export function condition(source: string, data: Json = {}, place: Place = "trigger"): ConditionResult {
  return evaluateCondition(compiled(source, place), { event: eventOf(data) }, NOW);
}

/** A wait's whole answer for a trigger and an incoming event. */
export function waits(source: string, event: Json, async: Json, place: Place = "wait"): ConditionResult {
  return evaluateCondition(compiled(source, place), { event: eventOf(event), async: eventOf(async) }, NOW);
}

/** A key's whole result. */
export function keyOf(source: string, data: Json = {}): KeyResult {
  return evaluateKey(compiled(source, "key"), { event: eventOf(data) }, NOW);
}

/** A priority's whole result. */
export function numberOf(source: string, data: Json = {}): NumberResult {
  return evaluateNumber(compiled(source, "priority"), { event: eventOf(data) }, NOW);
}

export const MATCHED: ConditionResult = { ok: true, matched: true };
export const UNMATCHED: ConditionResult = { ok: true, matched: false };
