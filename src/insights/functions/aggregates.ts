/**
 * Aggregates. Those that the database lacks are written as sums over columns that a window adds to every row: its rank in its group, how many
 * there are, their mean. So they are exact, and nothing large is ever held.
 */
import { Refusal } from "../refusal.ts";
import type { Call } from "../syntax.ts";
import { type Typed, typed } from "../typed.ts";
import { argument } from "./function.ts";

/** What an aggregate may ask for: a column computed over its group, whose partition is filled in for `PARTITION`. */
interface AggregateContext {
  readonly call: Call;
  /** The literal numbers of the first brackets, as in `quantile(0.9)(x)`. */
  readonly parameters: readonly number[];
  /** Adds a column to every row, and gives its name. */
  window(write: (partition: string) => string): string;
}

/** A function of many rows' values. */
export interface AggregateFunction {
  /** Fewest and most arguments, and numbers in the first brackets. */
  readonly count: readonly [number, number];
  readonly parameters: number;
  /** It may be asked for different values only. */
  readonly distinct: boolean;
  readonly write: (given: readonly Typed[], context: AggregateContext) => Typed;
}

function aggregate(
  count: readonly [number, number],
  write: AggregateFunction["write"],
  { parameters = 0, distinct = false } = {},
): AggregateFunction {
  return { count, parameters, distinct, write };
}

const sqlOf = (given: readonly Typed[], index = 0) =>
  argument(
    given.map(({ sql }) => sql),
    index,
  );

function counting(given: readonly Typed[], distinct: boolean): string {
  if (given.length === 0) return "COUNT(*)";
  if (!distinct) return `COUNT(${sqlOf(given)})`;
  return given.length === 1
    ? `COUNT(DISTINCT ${sqlOf(given)})`
    : `COUNT(DISTINCT json_array(${given.map(({ sql }) => sql).join(", ")}))`;
}

/** The value below which a share of the values lies, between the two next to it in proportion. Null where there is none. */
function quantile([of]: readonly Typed[], share: number, { window }: AggregateContext): Typed {
  if (of === undefined) throw new RangeError("The number of arguments was checked.");
  const rank = window((partition) => `row_number() OVER (${partition} ORDER BY ${of.sql} IS NULL, ${of.sql})`);
  const count = window((partition) => `COUNT(${of.sql}) OVER (${partition})`);
  const place = `((${count} - 1) * ${share})`;
  const whole = `CAST(${place} AS INTEGER)`;
  const at = (offset: number) => `MAX(CASE WHEN ${rank} = min(${whole} + ${offset}, ${count}) THEN ${of.sql} END)`;
  return typed(`(${at(1)} + MAX(${place} - ${whole}) * (${at(2)} - ${at(1)}))`, "number");
}

/** Sum of the squares by which values differ from their mean: subtracting it first loses no digits. */
function squares(sql: string, { window }: AggregateContext): string {
  const mean = window((partition) => `AVG(${sql}) OVER (${partition})`);
  return `SUM((${sql} - ${mean}) * (${sql} - ${mean}))`;
}

function variance(population: boolean, root: boolean): AggregateFunction {
  return aggregate([1, 1], (given, context) => {
    const sql = sqlOf(given);
    const count = population ? `COUNT(${sql})` : `NULLIF(COUNT(${sql}) - 1, 0)`;
    const result = `(${squares(sql, context)} / ${count})`;
    return typed(root ? `sqrt(${result})` : result, "number");
  });
}

const extreme = (name: "MIN" | "MAX") =>
  aggregate([1, 1], (given) => typed(`${name}(${sqlOf(given)})`, given[0]?.type ?? "any"));

/** The functions by name in lower case. */
export const AGGREGATES: Readonly<Record<string, AggregateFunction>> = {
  count: aggregate([0, 1], (given, { call }) => typed(counting(given, call.distinct), "number"), { distinct: true }),
  countif: aggregate([1, 1], (given) => typed(`COUNT(CASE WHEN ${sqlOf(given)} THEN 1 END)`, "number")),
  sum: aggregate([1, 1], (given) => typed(`COALESCE(SUM(${sqlOf(given)}), 0)`, "number")),
  sumif: aggregate([2, 2], (given) =>
    typed(`COALESCE(SUM(CASE WHEN ${sqlOf(given, 1)} THEN ${sqlOf(given)} END), 0)`, "number"),
  ),
  avg: aggregate([1, 1], (given) => typed(`AVG(${sqlOf(given)})`, "number")),
  min: extreme("MIN"),
  max: extreme("MAX"),
  median: aggregate([1, 1], (given, context) => quantile(given, 0.5, context)),
  quantile: aggregate(
    [1, 1],
    (given, context) => {
      const [share = 0.5] = context.parameters;
      if (share >= 0 && share <= 1) return quantile(given, share, context);
      throw new Refusal("the share of a quantile lies between 0 and 1", context.call.at);
    },
    { parameters: 1 },
  ),
  uniq: aggregate([1, 8], (given) => typed(counting(given, true), "number")),
  array_agg: aggregate([1, 1], (given) => typed(`json_group_array(${sqlOf(given)})`, "array")),
  stddev_pop: variance(true, true),
  stddev_samp: variance(false, true),
  var_pop: variance(true, false),
  var_samp: variance(false, false),
};
