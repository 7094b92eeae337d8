/**
 * Dates and durations as values: `timestamp`, `duration`, `date`, the three functions of the clock, and CEL's accessors.
 * The clock is an argument of the evaluation; everything else depends on its arguments alone (XP-18).
 */
import { duration, timestamp } from "./arithmetic.ts";
import { floorDivide, parseDate, parseLength, parseMoment, zoneOffset } from "./calendar.ts";
import { type Evaluation, Fault } from "./evaluation.ts";
import type { ExpressionFunction } from "./functions.ts";
import { textArgument } from "./texts.ts";
import { Duration, describe, Timestamp, type Value } from "./value.ts";

const MILLISECOND = 1_000_000n;
const SECOND = 1_000_000_000n;
const MINUTE = 60n * SECOND;
const HOUR = 60n * MINUTE;

/** The value as a whole number; null when it is none. */
function wholeNumber(value: Value): bigint | null {
  if (typeof value === "bigint") return value;
  return typeof value === "number" && Number.isInteger(value) ? BigInt(value) : null;
}

function toTimestamp([value = null]: readonly Value[]): Value {
  if (value instanceof Timestamp) return value;
  const seconds = wholeNumber(value);
  if (seconds !== null) return timestamp(seconds * SECOND);
  if (typeof value !== "string") throw new Fault(`"timestamp" cannot convert ${describe(value)}`);
  const moment = parseMoment(value);
  if (moment === null) throw new Fault('"timestamp" wants RFC 3339 text such as 2024-01-01T00:00:00Z');
  return timestamp(moment);
}

/** Whole numbers are seconds, ms or ns by their size (protocol 7.2). */
function toDate([value = null]: readonly Value[]): Value {
  if (value instanceof Timestamp) return value;
  const number = wholeNumber(value);
  if (number !== null) {
    const unit = number < 9_999_999_999n ? SECOND : number < 9_999_999_999_999n ? MILLISECOND : 1n;
    return timestamp(number * unit);
  }
  if (typeof value !== "string") throw new Fault(`"date" cannot convert ${describe(value)}`);
  const moment = parseDate(value);
  if (moment === null) throw new Fault('"date" does not know this form of date');
  return timestamp(moment);
}

function toDuration([value = null]: readonly Value[]): Value {
  if (value instanceof Duration) return value;
  if (typeof value !== "string") throw new Fault(`"duration" cannot convert ${describe(value)}`);
  return duration(lengthArgument("duration", value));
}

function lengthArgument(name: string, text: string): bigint {
  const length = parseLength(text);
  if (length === null) throw new Fault(`"${name}" wants a duration such as 1h30m`);
  return length;
}

function clock(count: 0 | 1, apply: ExpressionFunction["apply"]): ExpressionFunction {
  return { group: "clock", form: "function", arguments: [count, count], apply };
}

function moved(name: string, direction: 1n | -1n): ExpressionFunction {
  return clock(1, ([text], evaluation) => {
    const length = lengthArgument(name, textArgument(name, text, evaluation));
    return timestamp(BigInt(evaluation.now) * MILLISECOND + direction * length);
  });
}

function conversion(apply: ExpressionFunction["apply"]): ExpressionFunction {
  return { group: "time", form: "function", arguments: [1, 1], apply };
}

/** The moment as a Date whose UTC parts are those of the zone; zones are UTC or an offset, never names, whose rules change (XP-18). */
function inZone(name: string, moment: Timestamp, zone: Value | undefined, evaluation: Evaluation): Date {
  const offset = zone === undefined ? 0 : zoneOffset(textArgument(name, zone, evaluation));
  if (offset === null) throw new Fault(`"${name}" wants UTC or an offset such as +02:00 as its zone`);
  return new Date(Number(floorDivide(moment.nanoseconds, MILLISECOND)) + offset * 60_000);
}

/** An accessor such as `getHours`. Of a duration it is the whole length in a unit, if there is one. */
function accessor(
  name: string,
  read: (date: Date) => number,
  lengthIn?: (nanoseconds: bigint) => bigint,
): ExpressionFunction {
  return {
    group: "time",
    form: "method",
    arguments: [1, 2],
    apply: ([value = null, zone], evaluation) => {
      if (value instanceof Timestamp) return BigInt(read(inZone(name, value, zone, evaluation)));
      if (value instanceof Duration && lengthIn !== undefined && zone === undefined) return lengthIn(value.nanoseconds);
      throw new Fault(`"${name}" cannot read ${describe(value)}`);
    },
  };
}

const DAY = 86_400_000;

/** The functions of the group. */
export const moments = {
  timestamp: conversion(toTimestamp),
  date: conversion(toDate),
  duration: conversion(toDuration),
  now: clock(0, (_, evaluation) => timestamp(BigInt(evaluation.now) * MILLISECOND)),
  now_plus: moved("now_plus", 1n),
  now_minus: moved("now_minus", -1n),
  getFullYear: accessor("getFullYear", (date) => date.getUTCFullYear()),
  getMonth: accessor("getMonth", (date) => date.getUTCMonth()),
  getDate: accessor("getDate", (date) => date.getUTCDate()),
  getDayOfMonth: accessor("getDayOfMonth", (date) => date.getUTCDate() - 1),
  getDayOfWeek: accessor("getDayOfWeek", (date) => date.getUTCDay()),
  getDayOfYear: accessor("getDayOfYear", (date) => {
    const start = new Date(date);
    start.setUTCMonth(0, 1);
    return Math.round((date.getTime() - start.getTime()) / DAY);
  }),
  getHours: accessor(
    "getHours",
    (date) => date.getUTCHours(),
    (length) => length / HOUR,
  ),
  getMinutes: accessor(
    "getMinutes",
    (date) => date.getUTCMinutes(),
    (length) => length / MINUTE,
  ),
  getSeconds: accessor(
    "getSeconds",
    (date) => date.getUTCSeconds(),
    (length) => length / SECOND,
  ),
  // Of a duration just the part below a second, unlike the units above.
  getMilliseconds: accessor(
    "getMilliseconds",
    (date) => date.getUTCMilliseconds(),
    (length) => (length % SECOND) / MILLISECOND,
  ),
} as const satisfies Record<string, ExpressionFunction>;
