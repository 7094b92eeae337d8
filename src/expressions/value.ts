/**
 * The values an expression works with: JSON, CEL's own scalars, and the two forms of absence that make the dialect (XP-12).
 * Owns the types and how values are told apart; what operators do with them is their files'.
 */

/** A field that is not there. Never an error by itself; operators treat it by the table of XP-12. */
export const MISSING: unique symbol = Symbol("missing");

/**
 * The `false` that an operation on a missing field gives (`lowercase(x)`, `!x`, `x * 2`). It is `false` in every respect, except
 * that a comparison or function that would refuse a boolean gives false again instead of an error: missing is never an error.
 */
export const ABSENT: unique symbol = Symbol("absent");

/** Base of the scalars JSON does not know, so that they are never taken for maps. */
abstract class Scalar {
  abstract readonly kind: "uint" | "timestamp" | "duration" | "type";
}

/** A CEL `uint`, 0 … 2^64 − 1. */
export class Uint extends Scalar {
  readonly kind = "uint";
  readonly value: bigint;
  constructor(value: bigint) {
    super();
    this.value = value;
  }
}

/** A moment, ns since 1970. */
export class Timestamp extends Scalar {
  readonly kind = "timestamp";
  readonly nanoseconds: bigint;
  constructor(nanoseconds: bigint) {
    super();
    this.nanoseconds = nanoseconds;
  }
}

/** A length of time, ns; may be negative. */
export class Duration extends Scalar {
  readonly kind = "duration";
  readonly nanoseconds: bigint;
  constructor(nanoseconds: bigint) {
    super();
    this.nanoseconds = nanoseconds;
  }
}

/** A type as a value: what `type(x)` gives, and the names `int`, `string` … on their own. */
export class TypeName extends Scalar {
  readonly kind = "type";
  readonly name: string;
  constructor(name: string) {
    super();
    this.name = name;
  }
}

/** A map: always with text keys, and only own properties count. */
export interface ValueMap {
  readonly [key: string]: Value;
}

/** Anything an expression can compute. JSON numbers are `number` (CEL double), integer literals `bigint` (CEL int). */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint
  | Timestamp
  | Duration
  | TypeName
  | readonly Value[]
  | ValueMap
  | typeof MISSING
  | typeof ABSENT;

/** What kind of value this is; `int`, `uint` and `double` are all numbers. */
export type Kind =
  | "missing"
  | "absent"
  | "null"
  | "bool"
  | "int"
  | "uint"
  | "double"
  | "string"
  | "list"
  | "map"
  | "timestamp"
  | "duration"
  | "type";

/** The kind of a value. */
export function kindOf(value: Value): Kind {
  switch (typeof value) {
    case "boolean":
      return "bool";
    case "number":
      return "double";
    case "bigint":
      return "int";
    case "string":
      return "string";
    case "symbol":
      return value === MISSING ? "missing" : "absent";
    case "object":
      if (value === null) return "null";
      if (value instanceof Scalar) return value.kind;
      return isList(value) ? "list" : "map";
  }
}

/** True for lists. */
export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

/** True for maps. */
export function isMap(value: Value): value is ValueMap {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Scalar);
}

/** True for the three kinds of number. */
export function isNumber(value: Value): value is number | bigint | Uint {
  return typeof value === "number" || typeof value === "bigint" || value instanceof Uint;
}

const DESCRIPTIONS: Readonly<Record<Kind, string>> = {
  missing: "missing",
  absent: "a boolean",
  null: "null",
  bool: "a boolean",
  int: "a number",
  uint: "a number",
  double: "a number",
  string: "text",
  list: "a list",
  map: "a map",
  timestamp: "a date",
  duration: "a duration",
  type: "a type",
};

/** How messages name a value. Says its kind and never its content, which may be confidential. */
export function describe(value: Value): string {
  return DESCRIPTIONS[kindOf(value)];
}

/** The field `key` of a map; missing when there is none, or when `value` is no map (XP-12: "also below a missing parent"). */
export function fieldOf(value: Value, key: string): Value {
  if (!isMap(value) || !Object.hasOwn(value, key)) return MISSING;
  return value[key] ?? (value[key] === null ? null : MISSING);
}

/** Truth as `&&`, `||` and `?:` judge it (XP-13): empty lists and maps are true. */
export function isTruthy(value: Value): boolean {
  switch (value) {
    case false:
    case 0:
    case 0n:
    case "":
    case null:
    case MISSING:
    case ABSENT:
      return false;
    default:
      return !(value instanceof Uint && value.value === 0n);
  }
}

/** What a value becomes inside a list or a map, where absence has no place. */
export function contained(value: Value): Value {
  return value === MISSING ? null : value === ABSENT ? false : value;
}
