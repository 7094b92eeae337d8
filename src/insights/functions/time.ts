/**
 * Functions on time, in UTC. A number is never taken for a time by itself: ms and seconds look alike, and would give nonsense in silence.
 */
import { Refusal } from "../refusal.ts";
import { type Typed, typed } from "../typed.ts";
import { argument, type CallContext, literalText, type ScalarFunction, scalar } from "./function.ts";

/** The SQL of an argument that must be a time, a date, or a text with one. */
function moment(given: readonly Typed[], index: number, { spelled, at }: CallContext): string {
  const of = given[index];
  if (of === undefined) throw new RangeError("The number of arguments was checked.");
  if (of.type !== "number" && of.type !== "json" && of.type !== "array") return of.sql;
  throw new Refusal(`${spelled} wants a time: make one with fromUnixTimestamp64Milli(…) of ms`, at);
}

function isDate(given: readonly Typed[]): boolean {
  return given[0]?.type === "date";
}

/** A time from seconds or text. */
function conversion(name: "datetime" | "date", type: "time" | "date"): ScalarFunction {
  return {
    count: [1, 1],
    write: ([of]) => {
      if (of === undefined) throw new RangeError("The number of arguments was checked.");
      if (of.type === "number") return typed(`${name}(${of.sql}, 'unixepoch')`, type);
      if (of.type === "time" || of.type === "date" || of.type === "text") return typed(`${name}(${of.sql})`, type);
      const { sql } = of;
      return typed(`CASE typeof(${sql}) WHEN 'text' THEN ${name}(${sql}) ELSE ${name}(${sql}, 'unixepoch') END`, type);
    },
  };
}

/** The beginning of the part of time that a moment lies in. */
function start(type: "time" | "date", write: (of: string) => string): ScalarFunction {
  return { count: [1, 1], write: (given, context) => typed(write(moment(given, 0, context)), type) };
}

/** A moment moved by so many units: a date stays one when it is moved by days or more. */
function moved(unit: "minutes" | "hours" | "days" | "months", factor: number): ScalarFunction {
  return {
    count: [2, 2],
    write: (given, context) => {
      const of = moment(given, 0, context);
      const by = `(CAST(${argument(
        given.map(({ sql }) => sql),
        1,
      )} AS INTEGER) * ${factor})`;
      // A month that is too short ends the day, as it does in ClickHouse.
      const modifiers = `${by} || ' ${unit}'${unit === "months" ? ", 'floor'" : ""}`;
      const whole = isDate(given) && (unit === "days" || unit === "months");
      return whole ? typed(`date(${of}, ${modifiers})`, "date") : typed(`datetime(${of}, ${modifiers})`, "time");
    },
  };
}

const MONTHS = (of: string) => `(strftime('%Y', ${of}) * 12 + strftime('%m', ${of}))`;

/** Boundaries of a unit between two moments. Weeks begin on Monday, as 5 January 1970 was. */
const UNITS: Readonly<Record<string, (of: string) => string>> = {
  second: (of) => `unixepoch(${of})`,
  minute: (of) => `(unixepoch(${of}) / 60)`,
  hour: (of) => `(unixepoch(${of}) / 3600)`,
  day: (of) => `(unixepoch(${of}) / 86400)`,
  week: (of) => `((unixepoch(${of}) / 86400 + 3) / 7)`,
  month: MONTHS,
  year: (of) => `CAST(strftime('%Y', ${of}) AS INTEGER)`,
};

const difference: ScalarFunction = {
  count: [3, 3],
  write: (given, context) => {
    const name = literalText(given, 0, context).toLowerCase().replace(/s$/, "");
    const unit = Object.hasOwn(UNITS, name) ? UNITS[name] : undefined;
    if (unit === undefined) {
      throw new Refusal(`${context.spelled} knows the units ${Object.keys(UNITS).join(", ")}`, context.at);
    }
    return typed(`(${unit(moment(given, 2, context))} - ${unit(moment(given, 1, context))})`, "number");
  },
};

/** Parts of a format, as SQL over a moment. */
const FORMATS: Readonly<Record<string, (of: string) => string>> = {
  Y: (of) => `strftime('%Y', ${of})`,
  y: (of) => `substr(strftime('%Y', ${of}), 3)`,
  m: (of) => `strftime('%m', ${of})`,
  d: (of) => `strftime('%d', ${of})`,
  H: (of) => `strftime('%H', ${of})`,
  i: (of) => `strftime('%M', ${of})`,
  M: (of) => `strftime('%M', ${of})`,
  S: (of) => `strftime('%S', ${of})`,
  s: (of) => `strftime('%S', ${of})`,
  j: (of) => `strftime('%j', ${of})`,
  w: (of) => `strftime('%w', ${of})`,
  F: (of) => `strftime('%Y-%m-%d', ${of})`,
  T: (of) => `strftime('%H:%M:%S', ${of})`,
  R: (of) => `strftime('%H:%M', ${of})`,
};

const format: ScalarFunction = {
  count: [2, 2],
  write: (given, context) => {
    const of = moment(given, 0, context);
    const parts = literalText(given, 1, context).match(/%[\s\S]?|[^%]+/g) ?? [""];
    const sql = parts.map((part) => {
      if (!part.startsWith("%")) return context.parameters.bind(part, context.at);
      if (part === "%%") return "'%'";
      const name = part.slice(1);
      const write = Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined;
      if (write !== undefined) return write(of);
      const known = Object.keys(FORMATS).map((letter) => `%${letter}`);
      throw new Refusal(`${context.spelled} does not know ${part}; it knows ${known.join(" ")} and %%`, context.at);
    });
    return typed(`(${sql.join(" || ")})`, "text");
  },
};

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const ULID_TIME = 10;

/** The first ten characters of a ULID are its time in ms, to the base of 32. */
const ulid = scalar(1, "time", ([of], { parameters, at }) => {
  const alphabet = parameters.bind(ALPHABET, at);
  const digits = Array.from({ length: ULID_TIME }, (_, i) => {
    return `(instr(${alphabet}, substr(upper(${of}), ${i + 1}, 1)) - 1) * ${32 ** (ULID_TIME - 1 - i)}`;
  });
  return `strftime('%Y-%m-%d %H:%M:%f', (${digits.join(" + ")}) / 1000.0, 'unixepoch')`;
});

const plural = (sign: 1 | -1, prefix: string): Record<string, ScalarFunction> => ({
  [`${prefix}minutes`]: moved("minutes", sign),
  [`${prefix}hours`]: moved("hours", sign),
  [`${prefix}days`]: moved("days", sign),
  [`${prefix}weeks`]: moved("days", 7 * sign),
  [`${prefix}months`]: moved("months", sign),
});

/** The functions by name in lower case. */
export const TIME_FUNCTIONS: Readonly<Record<string, ScalarFunction>> = {
  now: scalar(0, "time", (_, { parameters, now, at }) => {
    return parameters.bind(new Date(now).toISOString().slice(0, 19).replace("T", " "), at);
  }),
  today: scalar(0, "date", (_, { parameters, now, at }) => {
    return parameters.bind(new Date(now).toISOString().slice(0, 10), at);
  }),
  todatetime: conversion("datetime", "time"),
  todate: conversion("date", "date"),
  fromunixtimestamp: scalar(1, "time", ([of]) => `datetime(${of}, 'unixepoch')`),
  fromunixtimestamp64milli: scalar(1, "time", ([of]) => `strftime('%Y-%m-%d %H:%M:%f', ${of} / 1000.0, 'unixepoch')`),
  tounixtimestamp: {
    count: [1, 1],
    write: (given, context) => typed(`unixepoch(${moment(given, 0, context)})`, "number"),
  },
  tostartofminute: start("time", (of) => `strftime('%Y-%m-%d %H:%M:00', ${of})`),
  tostartofhour: start("time", (of) => `strftime('%Y-%m-%d %H:00:00', ${of})`),
  tostartofday: start("time", (of) => `strftime('%Y-%m-%d 00:00:00', ${of})`),
  // Sunday, unless a mode says otherwise, which is not supported.
  tostartofweek: start("date", (of) => `date(${of}, '-6 days', 'weekday 0')`),
  tostartofmonth: start("date", (of) => `date(${of}, 'start of month')`),
  ...plural(1, "add"),
  ...plural(-1, "subtract"),
  datediff: difference,
  formatdatetime: format,
  ulidstringtodatetime: ulid,
};
