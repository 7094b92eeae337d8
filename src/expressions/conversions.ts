/**
 * Conversions between scalars: `string int uint double bool type dyn`. What CEL refuses is a fault here too.
 */
import { EXPRESSION } from "../limits.ts";
import { int, uint } from "./arithmetic.ts";
import { Fault } from "./evaluation.ts";
import type { ExpressionFunction } from "./functions.ts";
import { scalarText } from "./print.ts";
import { describe, kindOf, Timestamp, TypeName, Uint, type Value } from "./value.ts";

function refusal(name: string, value: Value): Fault {
  return new Fault(`"${name}" cannot convert ${describe(value)}`);
}

/** The whole part of a number; a fault when there is none. */
function truncated(name: string, value: number): bigint {
  if (!Number.isFinite(value)) throw new Fault(`"${name}" cannot convert a number without a whole part`);
  return BigInt(Math.trunc(value));
}

function digits(name: string, text: string): bigint {
  if (text.length > EXPRESSION.numberCharacters || !/^[+-]?\d+$/.test(text)) throw refusal(name, text);
  return text.startsWith("-") ? -BigInt(text.slice(1)) : BigInt(text.replace("+", ""));
}

function whole(name: string, value: Value): bigint {
  if (typeof value === "bigint") return value;
  if (value instanceof Uint) return value.value;
  if (typeof value === "number") return truncated(name, value);
  if (typeof value === "string") return digits(name, value);
  throw refusal(name, value);
}

function toInt(value: Value): Value {
  if (value instanceof Timestamp) return value.nanoseconds / 1_000_000_000n;
  return int(whole("int", value));
}

function toDouble(value: Value): Value {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Uint) return Number(value.value);
  if (typeof value === "string" && value.length <= EXPRESSION.numberCharacters) {
    if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(value)) return Number(value);
    const special = /^([+-]?)(?:inf|infinity|(nan))$/i.exec(value);
    if (special !== null) return special[2] !== undefined ? Number.NaN : special[1] === "-" ? -Infinity : Infinity;
  }
  throw refusal("double", value);
}

const TRUTHS: ReadonlyMap<string, boolean> = new Map([
  ...["1", "t", "T", "true", "TRUE", "True"].map((text): [string, boolean] => [text, true]),
  ...["0", "f", "F", "false", "FALSE", "False"].map((text): [string, boolean] => [text, false]),
]);

function toBool(value: Value): Value {
  const truth = typeof value === "boolean" ? value : typeof value === "string" ? TRUTHS.get(value) : undefined;
  if (truth === undefined) throw refusal("bool", value);
  return truth;
}

function toText(value: Value): Value {
  const text = scalarText(value);
  if (text === null) throw refusal("string", value);
  return text;
}

/** CEL's names of the types, as `type(x)` and the bare names give them. */
const TYPE_NAMES = {
  missing: "bool",
  absent: "bool",
  null: "null_type",
  bool: "bool",
  int: "int",
  uint: "uint",
  double: "double",
  string: "string",
  list: "list",
  map: "map",
  timestamp: "google.protobuf.Timestamp",
  duration: "google.protobuf.Duration",
  type: "type",
} as const;

const KNOWN_TYPES: ReadonlySet<string> = new Set(Object.values(TYPE_NAMES));

/** The type a bare name such as `int` stands for; null when it names none. */
export function typeNamed(name: string): TypeName | null {
  return KNOWN_TYPES.has(name) ? new TypeName(name) : null;
}

function conversion(convert: (value: Value) => Value): ExpressionFunction {
  return { group: "conversion", form: "function", arguments: [1, 1], apply: ([value]) => convert(value ?? null) };
}

/** The functions of the group. */
export const conversions = {
  string: conversion(toText),
  int: conversion(toInt),
  uint: conversion((value) => uint(whole("uint", value))),
  double: conversion(toDouble),
  bool: conversion(toBool),
  type: conversion((value) => new TypeName(TYPE_NAMES[kindOf(value)])),
  dyn: conversion((value) => value),
} as const satisfies Record<string, ExpressionFunction>;
