/**
 * Functions on text, and `size`. Every one charges what it reads, so that long texts end as a fault and not as a pause (XP-17).
 */
import { EXPRESSION } from "../limits.ts";
import { type Evaluation, Fault } from "./evaluation.ts";
import type { ExpressionFunction } from "./functions.ts";
import { matches } from "./pattern.ts";
import { describe, isList, isMap, type Value } from "./value.ts";

/** The argument as text, charged at `cost` characters for each of its own; a fault that names the function otherwise. */
export function textArgument(name: string, value: Value | undefined, evaluation: Evaluation, cost = 1): string {
  if (typeof value !== "string") throw new Fault(`"${name}" wants text, not ${describe(value ?? null)}`);
  evaluation.read(value.length * cost);
  return value;
}

function predicate(name: string, test: (text: string, part: string) => boolean): ExpressionFunction {
  return {
    group: "text",
    form: "method",
    arguments: [2, 2],
    apply: ([text, part], evaluation) =>
      test(textArgument(name, text, evaluation), textArgument(name, part, evaluation)),
  };
}

function conversion(name: string, convert: (text: string) => Value, cost = 1): ExpressionFunction {
  return {
    group: "text",
    form: "both",
    arguments: [1, 1],
    apply: ([text], evaluation) => convert(textArgument(name, text, evaluation, cost)),
  };
}

/** `size`: code points of a text, elements of a list, fields of a map; 0 for a missing field (XP-12). */
function size([value]: readonly Value[], evaluation: Evaluation): Value {
  if (value === undefined) return 0n;
  if (isList(value)) return BigInt(value.length);
  if (isMap(value)) {
    const count = Object.keys(value).length;
    evaluation.step(count);
    return BigInt(count);
  }
  const text = textArgument("size", value, evaluation, EXPRESSION.countedCharacters);
  let length = text.length;
  for (let index = 0; index < text.length; index++) {
    // The second half of a pair belongs to the code point before it.
    if (isHighSurrogate(text.charCodeAt(index)) && isLowSurrogate(text.charCodeAt(index + 1))) length--;
  }
  return BigInt(length);
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}

function decodeBase64(text: string): string {
  try {
    const binary = atob(text);
    const bytes = new Uint8Array(binary.length);
    for (let index = 0; index < binary.length; index++) bytes[index] = binary.charCodeAt(index);
    return new TextDecoder("utf-8", { fatal: false, ignoreBOM: true }).decode(bytes);
  } catch {
    // atob's own message differs from one JavaScript engine to the next.
    throw new Fault("b64decode wants base64");
  }
}

function parseJson(text: string): Value {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the text, which may be confidential.
    throw new Fault("json_parse wants JSON");
  }
}

/** The functions of the group. */
export const texts = {
  contains: predicate("contains", (text, part) => text.includes(part)),
  startsWith: predicate("startsWith", (text, part) => text.startsWith(part)),
  endsWith: predicate("endsWith", (text, part) => text.endsWith(part)),
  matches: {
    group: "text",
    form: "both",
    arguments: [2, 2],
    apply: ([text, pattern], evaluation) =>
      matches(textArgument("matches", text, evaluation), textArgument("matches", pattern, evaluation), evaluation),
  },
  size: { group: "text", form: "both", arguments: [1, 1], whenMissing: 0n, apply: size },
  lowercase: conversion("lowercase", (text) => text.toLowerCase()),
  uppercase: conversion("uppercase", (text) => text.toUpperCase()),
  b64decode: conversion("b64decode", decodeBase64, EXPRESSION.decodedCharacters),
  json_parse: conversion("json_parse", parseJson, EXPRESSION.decodedCharacters),
} as const satisfies Record<string, ExpressionFunction>;
