/**
 * Functions of logic, of what may be missing, of rounding, and conversions.
 */
import { Refusal } from "../refusal.ts";
import { type Type, type Typed, typed } from "../typed.ts";
import { argument, type CallContext, type ScalarFunction, scalar } from "./function.ts";

/** The type that several values have in common. */
export function commonType(types: readonly Type[]): Type {
  const [first = "any"] = types;
  return types.every((type) => type === first) ? first : "any";
}

/** A function whose result has the type of some of its arguments. */
function choosing(
  count: readonly [number, number],
  results: (given: readonly Typed[]) => readonly Typed[],
  write: (sql: readonly string[]) => string,
): ScalarFunction {
  return {
    count,
    write: (given) => {
      const sql = write(given.map((one) => one.sql));
      const types = results(given).filter(({ literal }) => literal !== null);
      return typed(sql, commonType(types.map(({ type }) => type)));
    },
  };
}

const multiIf: ScalarFunction = {
  count: [3, 31],
  write: (given, { spelled, at }) => {
    if (given.length % 2 === 0)
      throw new Refusal(`${spelled} takes pairs of a condition and a result, and one result more`, at);
    const results = given.filter((_, i) => i % 2 === 1 || i === given.length - 1);
    const pairs: string[] = [];
    for (let i = 0; i + 1 < given.length; i += 2) pairs.push(`WHEN ${given[i]?.sql} THEN ${given[i + 1]?.sql}`);
    return typed(`CASE ${pairs.join(" ")} ELSE ${given.at(-1)?.sql} END`, commonType(results.map(({ type }) => type)));
  },
};

/** A number of a text that is one from beginning to end; `otherwise` for any other. JSON's numbers are these texts. */
function parsed(of: Typed, as: "INTEGER" | "REAL", otherwise: string): string {
  const { sql, type } = of;
  if (type === "number") return `CAST(${sql} AS ${as})`;
  const kinds = as === "INTEGER" ? "'integer'" : "'integer', 'real'";
  const number = `CASE WHEN json_valid(CAST(${sql} AS TEXT)) THEN
    CASE WHEN json_type(CAST(${sql} AS TEXT)) IN (${kinds}) THEN CAST(${sql} AS ${as}) ELSE ${otherwise} END ELSE ${otherwise} END`;
  return `CASE typeof(${sql}) WHEN 'integer' THEN CAST(${sql} AS ${as}) WHEN 'real' THEN CAST(${sql} AS ${as}) ELSE ${number} END`;
}

function toNumber(as: "INTEGER" | "REAL", otherwise: "0" | "NULL"): ScalarFunction {
  return {
    count: [1, 1],
    write: ([of], { spelled, at }: CallContext) => {
      if (of === undefined) throw new RangeError("The number of arguments was checked.");
      if (of.type === "time" || of.type === "date") throw new Refusal(`${spelled} of a time: use toUnixTimestamp`, at);
      return typed(parsed(of, as, otherwise), "number");
    },
  };
}

/** Text of anything: a whole number has no decimals, as in ClickHouse. */
const toText: ScalarFunction = {
  count: [1, 1],
  write: ([of]) => {
    if (of === undefined) throw new RangeError("The number of arguments was checked.");
    const { sql, type } = of;
    if (type !== "number" && type !== "any") return typed(`CAST(${sql} AS TEXT)`, "text");
    const whole = `typeof(${sql}) = 'real' AND ${sql} = CAST(${sql} AS INTEGER)`;
    return typed(`CAST(CASE WHEN ${whole} THEN CAST(${sql} AS INTEGER) ELSE ${sql} END AS TEXT)`, "text");
  },
};

const rounding = (name: "floor" | "ceil" | "trunc"): ScalarFunction =>
  scalar([1, 2], "number", (sql) => {
    const [of, digits] = [argument(sql, 0), sql[1]];
    return digits === undefined ? `${name}(${of})` : `(${name}(${of} * pow(10, ${digits})) / pow(10, ${digits}))`;
  });

/** The functions by name in lower case. */
export const LOGIC_FUNCTIONS: Readonly<Record<string, ScalarFunction>> = {
  if: choosing(
    [3, 3],
    (given) => given.slice(1),
    ([test, yes, no]) => `CASE WHEN ${test} THEN ${yes} ELSE ${no} END`,
  ),
  multiif: multiIf,
  and: scalar([2, 20], "number", (parts) => `(${parts.join(" AND ")})`),
  or: scalar([2, 20], "number", (parts) => `(${parts.join(" OR ")})`),
  xor: scalar(2, "number", ([left, right]) => `((${left} <> 0) <> (${right} <> 0))`),
  ifnull: choosing(
    [2, 2],
    (given) => given,
    (parts) => `COALESCE(${parts.join(", ")})`,
  ),
  coalesce: choosing(
    [2, 20],
    (given) => given,
    (parts) => `COALESCE(${parts.join(", ")})`,
  ),
  nullif: choosing(
    [2, 2],
    (given) => given.slice(0, 1),
    (parts) => `NULLIF(${parts.join(", ")})`,
  ),
  isnull: scalar(1, "number", ([of]) => `(${of} IS NULL)`),
  isnotnull: scalar(1, "number", ([of]) => `(${of} IS NOT NULL)`),
  assumenotnull: choosing(
    [1, 1],
    (given) => given,
    ([of]) => argument([of ?? ""], 0),
  ),
  round: scalar([1, 2], "number", (parts) => `round(${parts.join(", ")})`),
  floor: rounding("floor"),
  ceil: rounding("ceil"),
  trunc: rounding("trunc"),
  abs: scalar(1, "number", ([of]) => `abs(${of})`),
  tostring: toText,
  toint64: toNumber("INTEGER", "NULL"),
  toint64orzero: toNumber("INTEGER", "0"),
  toint64ornull: toNumber("INTEGER", "NULL"),
  tofloat64: toNumber("REAL", "NULL"),
  tofloat64orzero: toNumber("REAL", "0"),
  tofloat64ornull: toNumber("REAL", "NULL"),
};
