/**
 * `==`, `!=`, the four orderings and `in`, under the loose rules of XP-10 to XP-12.
 * Equality is never an error; ordering is one only between present values that have no order.
 */
import { EXPRESSION } from "../limits.ts";
import { type Evaluation, Fault } from "./evaluation.ts";
import {
  ABSENT,
  Duration,
  describe,
  isList,
  isMap,
  isNumber,
  MISSING,
  Timestamp,
  TypeName,
  Uint,
  type Value,
} from "./value.ts";

/** The ordering operators. */
export type OrderOperator = "<" | "<=" | ">" | ">=";

/** `a == b`. A missing side equals only a present `null`; different types are unequal (XP-11). */
export function equals(a: Value, b: Value, evaluation: Evaluation): boolean {
  if (a === MISSING) return b === null;
  if (b === MISSING) return a === null;
  return same(a === ABSENT ? false : a, b === ABSENT ? false : b, evaluation, 0);
}

/** `a != b`. The opposite of {@link equals}, except that two missing sides are neither equal nor unequal. */
export function differs(a: Value, b: Value, evaluation: Evaluation): boolean {
  if (a === MISSING) return b !== null && b !== MISSING;
  return !equals(a, b, evaluation);
}

function same(a: Value, b: Value, evaluation: Evaluation, depth: number): boolean {
  if (a === b) return true;
  if (typeof a === "string" || typeof b === "string") {
    // Texts of one length are compared to their end; others cost nothing.
    if (typeof a === "string" && typeof b === "string" && a.length === b.length) evaluation.read(a.length);
    return false;
  }
  if (isNumber(a) && isNumber(b)) return orderNumbers(a, b) === 0;
  if (a instanceof Timestamp) return b instanceof Timestamp && a.nanoseconds === b.nanoseconds;
  if (a instanceof Duration) return b instanceof Duration && a.nanoseconds === b.nanoseconds;
  if (a instanceof TypeName) return b instanceof TypeName && a.name === b.name;
  if (depth >= EXPRESSION.valueDepth)
    throw new Fault(`values nested deeper than ${EXPRESSION.valueDepth} cannot be compared`);
  if (isList(a)) return isList(b) && sameLists(a, b, evaluation, depth + 1);
  if (isMap(a) && isMap(b)) {
    const keys = Object.keys(a);
    evaluation.step(keys.length);
    if (keys.length !== Object.keys(b).length) return false;
    return keys.every((key) => Object.hasOwn(b, key) && same(a[key] ?? null, b[key] ?? null, evaluation, depth + 1));
  }
  return false;
}

function sameLists(a: readonly Value[], b: readonly Value[], evaluation: Evaluation, depth: number): boolean {
  if (a.length !== b.length) return false;
  for (const [index, element] of a.entries()) {
    evaluation.step();
    if (!same(element, b[index] ?? null, evaluation, depth)) return false;
  }
  return true;
}

/** `a < b` and its like, with missing below everything and null as the zero of the other side (XP-12). */
export function compare(operator: OrderOperator, a: Value, b: Value, evaluation: Evaluation): boolean {
  if (a === MISSING) return b !== MISSING && (operator === "<" || operator === "<=");
  if (b === MISSING) return operator === ">" || operator === ">=";
  if (a === ABSENT || b === ABSENT) {
    const other = a === ABSENT ? b : a;
    if (other !== ABSENT && other !== null && typeof other !== "boolean") return false;
  }
  const order = orderOf(a === ABSENT ? false : a, b === ABSENT ? false : b, evaluation);
  switch (operator) {
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    case ">=":
      return order >= 0;
  }
}

/** Negative, zero or positive; NaN when a NaN is involved, which makes every comparison false. */
function orderOf(a: Value, b: Value, evaluation: Evaluation): number {
  const left = a === null ? zeroFor(b) : a;
  const right = b === null ? zeroFor(a) : b;
  if (isNumber(left) && isNumber(right)) return orderNumbers(left, right);
  if (typeof left === "string" && typeof right === "string") {
    evaluation.read(Math.min(left.length, right.length) * EXPRESSION.countedCharacters);
    return orderTexts(left, right);
  }
  if (typeof left === "boolean" && typeof right === "boolean") return Number(left) - Number(right);
  if (left instanceof Timestamp && right instanceof Timestamp) return orderNumbers(left.nanoseconds, right.nanoseconds);
  if (left instanceof Duration && right instanceof Duration) return orderNumbers(left.nanoseconds, right.nanoseconds);
  if (left === null && right === null) return 0;
  throw new Fault(`${describe(a)} and ${describe(b)} have no order`);
}

/** What a null counts as beside `other`; null again where the other side's kind has no zero with an order. */
function zeroFor(other: Value): Value {
  if (isNumber(other)) return 0;
  if (typeof other === "string") return "";
  if (typeof other === "boolean") return false;
  if (other instanceof Timestamp) return new Timestamp(EARLIEST);
  if (other instanceof Duration) return new Duration(0n);
  return null;
}

/** ns; the first moment a timestamp can name, the start of year 1. */
const EARLIEST = -62_135_596_800_000_000_000n;

/** Integers among themselves are compared exactly; beside a double both are 64-bit floats (XP-10). */
function orderNumbers(a: number | bigint | Uint, b: number | bigint | Uint): number {
  const left = a instanceof Uint ? a.value : a;
  const right = b instanceof Uint ? b.value : b;
  if (typeof left === "bigint" && typeof right === "bigint") return left < right ? -1 : left > right ? 1 : 0;
  const x = Number(left);
  const y = Number(right);
  return x < y ? -1 : x > y ? 1 : x === y ? 0 : Number.NaN;
}

/** Order by code points, as CEL has it; UTF-16 units alone would sort the planes above the first one too early. */
function orderTexts(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const x = a.charCodeAt(index);
    const y = b.charCodeAt(index);
    if (x !== y) return planeOrder(x) - planeOrder(y);
  }
  return a.length - b.length;
}

/** Moves surrogates above the rest of the first plane. */
function planeOrder(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** `a in b`: an equal element of a list, or a key of a map. False when either side is missing. */
export function contains(needle: Value, container: Value, evaluation: Evaluation): Value {
  if (needle === MISSING || needle === ABSENT || container === MISSING || container === ABSENT) return ABSENT;
  if (isMap(container)) return typeof needle === "string" && Object.hasOwn(container, needle);
  if (!isList(container)) throw new Fault(`"in" wants a list or a map on its right, not ${describe(container)}`);
  for (const element of container) {
    evaluation.step();
    if (same(needle, element, evaluation, 0)) return true;
  }
  return false;
}
