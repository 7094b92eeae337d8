/**
 * Functions on JSON: ClickHouse's two families. The simple ones look for one field, the others follow a path of fields and positions (from 1,
 * from the end when negative). What is not there, or of another type, is the empty text, 0 or false, as there.
 */
import { Refusal } from "../refusal.ts";
import { type Type, type Typed, typed } from "../typed.ts";
import type { CallContext, ScalarFunction } from "./function.ts";

const PATH_STEPS = 16;

/** A path in the database's notation; its parts are literals, because a field could otherwise be anything. */
function pathOf(given: readonly Typed[], context: CallContext): string {
  const steps = given.slice(1).map(({ literal }, i) => {
    if (typeof literal === "string" && !/["\\\p{Cc}]/u.test(literal)) return `."${literal}"`;
    if (typeof literal === "number" && Number.isInteger(literal) && literal !== 0) {
      return literal > 0 ? `[${literal - 1}]` : `[#${literal}]`;
    }
    const rule = "a plain text in quotes or a position from 1";
    throw new Refusal(`argument ${i + 2} of ${context.spelled} must be ${rule}`, context.at);
  });
  return context.parameters.bind(`$${steps.join("")}`, context.at);
}

/** A function that reads one value: `write` makes SQL of the type and the value at the path. */
function reading(
  simple: boolean,
  type: Type,
  write: (json: string, path: string) => string,
  otherwise: string,
): ScalarFunction {
  return {
    count: simple ? [2, 2] : [1, PATH_STEPS],
    write(given, context) {
      const [json] = given;
      if (json === undefined) throw new RangeError("The number of arguments was checked.");
      const value = write(json.sql, pathOf(given, context));
      // Columns of JSON are JSON, or nothing; anything else may be any text.
      if (json.type === "json") return typed(`COALESCE(${value}, ${otherwise})`, type);
      return typed(
        `CASE WHEN json_valid(${json.sql}) THEN COALESCE(${value}, ${otherwise}) ELSE ${otherwise} END`,
        type,
      );
    },
  };
}

const text = (json: string, path: string) => `CASE json_type(${json}, ${path}) WHEN 'text' THEN ${json}->>${path} END`;
const numeric = (as: string) => (json: string, path: string) =>
  `CASE WHEN json_type(${json}, ${path}) IN ('integer', 'real') THEN CAST(${json}->>${path} AS ${as}) END`;
const unsigned = (json: string, path: string) => `max(${numeric("INTEGER")(json, path)}, 0)`;
const truth = (json: string, path: string) => `json_type(${json}, ${path}) = 'true'`;
const raw = (json: string, path: string) => `${json}->${path}`;
const has = (json: string, path: string) => `json_type(${json}, ${path}) IS NOT NULL`;
const length = (json: string, path: string) =>
  `CASE json_type(${json}, ${path}) WHEN 'array' THEN json_array_length(${json}, ${path})
    WHEN 'object' THEN (SELECT COUNT(*) FROM json_each(${json}, ${path})) END`;

/** The functions by name in lower case. */
export const JSON_FUNCTIONS: Readonly<Record<string, ScalarFunction>> = {
  simplejsonextractstring: reading(true, "text", text, "''"),
  simplejsonextractint: reading(true, "number", numeric("INTEGER"), "0"),
  simplejsonextractuint: reading(true, "number", unsigned, "0"),
  simplejsonextractfloat: reading(true, "number", numeric("REAL"), "0.0"),
  simplejsonextractbool: reading(true, "number", truth, "0"),
  simplejsonextractraw: reading(true, "text", raw, "''"),
  simplejsonhas: reading(true, "number", has, "0"),
  jsonextractstring: reading(false, "text", text, "''"),
  jsonextractint: reading(false, "number", numeric("INTEGER"), "0"),
  jsonextractfloat: reading(false, "number", numeric("REAL"), "0.0"),
  jsonextractbool: reading(false, "number", truth, "0"),
  jsonextractraw: reading(false, "text", raw, "''"),
  jsonhas: reading(false, "number", has, "0"),
  jsonlength: reading(false, "number", length, "0"),
};
