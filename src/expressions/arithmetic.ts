/**
 * `+ - * / %` and unary minus. Integers stay integers and overflow is a fault; beside a double both are doubles, so that arithmetic
 * on JSON numbers works. `+` also joins (XP-11); on a missing field the others give absence (XP-12).
 */
import { type Evaluation, Fault } from "./evaluation.ts";
import { printed } from "./print.ts";
import { ABSENT, Duration, describe, isList, isNumber, kindOf, MISSING, Timestamp, Uint, type Value } from "./value.ts";

/** The arithmetic operators but `+`. */
export type ArithmeticOperator = "-" | "*" | "/" | "%";

const INT = { name: "integer", min: -(2n ** 63n), max: 2n ** 63n - 1n };
const UINT = { name: "unsigned integer", min: 0n, max: 2n ** 64n - 1n };
/** ns since 1970; the years 1 to 9999, which is what a timestamp can name. */
const MOMENTS = { name: "date", min: -62_135_596_800_000_000_000n, max: 253_402_300_799_999_999_999n };
/** ns; what a duration can hold, just as CEL's. */
const LENGTHS = { name: "duration", min: INT.min, max: INT.max };

function within(value: bigint, range: { name: string; min: bigint; max: bigint }): bigint {
  if (value < range.min || value > range.max) throw new Fault(`${range.name} overflow`);
  return value;
}

/** An integer that fits 64 bits; a fault otherwise. */
export function int(value: bigint): bigint {
  return within(value, INT);
}

/** An unsigned integer that fits 64 bits; a fault otherwise. */
export function uint(value: bigint): Uint {
  return new Uint(within(value, UINT));
}

/** A moment of the years 1 to 9999, from ns since 1970; a fault otherwise. */
export function timestamp(nanoseconds: bigint): Timestamp {
  return new Timestamp(within(nanoseconds, MOMENTS));
}

/** A duration from ns; a fault when it does not fit 64 bits. */
export function duration(nanoseconds: bigint): Duration {
  return new Duration(within(nanoseconds, LENGTHS));
}

/**
 * `a + b`. Numbers add up, lists and texts join, dates and durations add; any other two kinds join as printed text.
 * Beside a missing field or a null the other operand is the result; two missing ones are false. Absence joins text as `false`.
 */
export function add(a: Value, b: Value, evaluation: Evaluation): Value {
  if (a === MISSING) return b === MISSING ? ABSENT : b;
  if (b === MISSING || b === null) return a;
  if (a === null) return b;
  if ((a === ABSENT && typeof b !== "string") || (b === ABSENT && typeof a !== "string")) return ABSENT;
  if (isNumber(a) && isNumber(b)) return calculate("+", a, b);
  if (isList(a) && isList(b)) {
    evaluation.step(a.length + b.length);
    return [...a, ...b];
  }
  if (a instanceof Duration && b instanceof Duration) return duration(a.nanoseconds + b.nanoseconds);
  if (a instanceof Timestamp && b instanceof Duration) return timestamp(a.nanoseconds + b.nanoseconds);
  if (a instanceof Duration && b instanceof Timestamp) return timestamp(a.nanoseconds + b.nanoseconds);
  if (typeof a !== "string" && kindOf(a) === kindOf(b)) throw refusal("+", a, b);
  const left = printed(a, evaluation);
  const right = printed(b, evaluation);
  evaluation.read(left.length + right.length);
  return left + right;
}

/** `a - b`, `a * b`, `a / b`, `a % b`. */
export function arithmetic(operator: ArithmeticOperator, a: Value, b: Value): Value {
  if (a === MISSING || a === ABSENT || b === MISSING || b === ABSENT) return ABSENT;
  if (isNumber(a) && isNumber(b)) return calculate(operator, a, b);
  if (operator === "-") {
    if (a instanceof Timestamp && b instanceof Timestamp) return duration(a.nanoseconds - b.nanoseconds);
    if (a instanceof Timestamp && b instanceof Duration) return timestamp(a.nanoseconds - b.nanoseconds);
    if (a instanceof Duration && b instanceof Duration) return duration(a.nanoseconds - b.nanoseconds);
  }
  throw refusal(operator, a, b);
}

/** `-a`. */
export function negate(a: Value): Value {
  if (a === MISSING || a === ABSENT) return ABSENT;
  if (typeof a === "number") return -a;
  if (typeof a === "bigint") return int(-a);
  throw new Fault(`"-" wants a number, not ${a instanceof Uint ? "an unsigned one" : describe(a)}`);
}

function refusal(operator: string, a: Value, b: Value): Fault {
  return new Fault(`"${operator}" cannot combine ${describe(a)} and ${describe(b)}`);
}

function calculate(operator: "+" | ArithmeticOperator, a: number | bigint | Uint, b: number | bigint | Uint): Value {
  if (a instanceof Uint && b instanceof Uint) return uint(integerResult(operator, a.value, b.value));
  const left = a instanceof Uint ? a.value : a;
  const right = b instanceof Uint ? b.value : b;
  if (typeof left === "bigint" && typeof right === "bigint") return int(integerResult(operator, left, right));
  return doubleResult(operator, Number(left), Number(right));
}

function integerResult(operator: "+" | ArithmeticOperator, a: bigint, b: bigint): bigint {
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      if (b === 0n) throw new Fault("division by zero");
      return a / b;
    case "%":
      if (b === 0n) throw new Fault("remainder of a division by zero");
      return a % b;
  }
}

function doubleResult(operator: "+" | ArithmeticOperator, a: number, b: number): number {
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      if (b === 0) throw new Fault("division by zero");
      return a / b;
    case "%":
      if (b === 0) throw new Fault("remainder of a division by zero");
      return a % b;
  }
}
