/**
 * Values as text: the form `+` joins (XP-11), the form of keys (XP-14) and the canonical JSON inside it.
 * Guarantees one text per value: equal values print alike, whatever the order of their fields.
 */

import { EXPRESSION } from "../limits.ts";
import { formatDuration, formatMoment } from "./calendar.ts";
import { type Evaluation, Fault } from "./evaluation.ts";
import {
  ABSENT,
  Duration,
  isList,
  isMap,
  MISSING,
  Timestamp,
  TypeName,
  Uint,
  type Value,
  type ValueMap,
} from "./value.ts";

/**
 * The text `+` joins: lists as `[3 ok? true]`, maps as `map[a:1 b:2]` with sorted keys, a null inside them as `<nil>` (protocol 7.3).
 */
export function printed(value: Value, evaluation: Evaluation): string {
  return print(value, evaluation, 0);
}

function print(value: Value, evaluation: Evaluation, depth: number): string {
  const text = scalarText(value);
  if (text !== null) {
    if (depth > 0) evaluation.read(text.length);
    return text;
  }
  checkDepth(depth);
  evaluation.step();
  if (isList(value)) {
    const parts = value.map((element) => {
      evaluation.step();
      return print(element, evaluation, depth + 1);
    });
    return `[${parts.join(" ")}]`;
  }
  if (isMap(value)) {
    const parts = sortedEntries(value, evaluation).map(
      ([key, field]) => `${key}:${print(field, evaluation, depth + 1)}`,
    );
    return `map[${parts.join(" ")}]`;
  }
  return "<nil>";
}

/** The text of a key (XP-14). Missing and null must have been dealt with; inside lists and maps null is JSON's. */
export function keyText(value: Value, evaluation: Evaluation): string {
  return scalarText(value) ?? canonicalJson(value, evaluation, 0);
}

/** Text, number, boolean, date, duration and type as text; null for what has parts, and for null and missing. */
export function scalarText(value: Value): string | null {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
    case "bigint":
    case "boolean":
      return String(value);
    case "symbol":
      return value === ABSENT ? "false" : null;
    case "object":
      if (value instanceof Uint) return String(value.value);
      if (value instanceof Timestamp) return formatMoment(value.nanoseconds);
      if (value instanceof Duration) return formatDuration(value.nanoseconds);
      if (value instanceof TypeName) return value.name;
      return null;
  }
}

function canonicalJson(value: Value, evaluation: Evaluation, depth: number): string {
  if (value === null || value === MISSING) return "null";
  if (typeof value === "number" && !Number.isFinite(value)) return "null";
  checkDepth(depth);
  if (isList(value)) {
    const parts = value.map((element) => {
      evaluation.step();
      return canonicalJson(element, evaluation, depth + 1);
    });
    return `[${parts.join(",")}]`;
  }
  if (isMap(value)) {
    const parts = sortedEntries(value, evaluation).map(
      ([key, field]) => `${JSON.stringify(key)}:${canonicalJson(field, evaluation, depth + 1)}`,
    );
    return `{${parts.join(",")}}`;
  }
  const text = scalarText(value) ?? "null";
  evaluation.read(text.length);
  const isText =
    typeof value === "string" || value instanceof Timestamp || value instanceof Duration || value instanceof TypeName;
  return isText ? JSON.stringify(text) : text;
}

function sortedEntries(map: ValueMap, evaluation: Evaluation): [string, Value][] {
  const keys = Object.keys(map);
  evaluation.step(keys.length);
  for (const key of keys) evaluation.read(key.length);
  // Without a comparison sort() goes by UTF-16 units, as canonical JSON has it.
  return keys.sort().map((key) => [key, map[key] ?? null]);
}

function checkDepth(depth: number): void {
  if (depth >= EXPRESSION.valueDepth) {
    throw new Fault(`a value nested deeper than ${EXPRESSION.valueDepth} cannot be printed`);
  }
}
