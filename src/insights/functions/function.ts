/**
 * What a function of the dialect is. Owns the shape of the tables in this folder.
 */
import { Refusal } from "../refusal.ts";
import type { Parameters, Type, Typed } from "../typed.ts";

/** How a call is written: its arguments in SQL, the statement's parameters, the time of the question (ms), and where it stands. */
export interface CallContext {
  readonly parameters: Parameters;
  readonly now: number;
  readonly at: number;
  /** As the question spells the function. */
  readonly spelled: string;
}

/** A function of one row's values. */
export interface ScalarFunction {
  /** Fewest and most arguments. */
  readonly count: readonly [number, number];
  readonly write: (given: readonly Typed[], context: CallContext) => Typed;
}

/** A function that gives SQL of one type. */
export function scalar(
  count: number | readonly [number, number],
  type: Type,
  write: (sql: readonly string[], context: CallContext, given: readonly Typed[]) => string,
): ScalarFunction {
  const counts = typeof count === "number" ? ([count, count] as const) : count;
  return {
    count: counts,
    write: (given, context) => ({
      type,
      sql: write(
        given.map(({ sql }) => sql),
        context,
        given,
      ),
    }),
  };
}

/** A text that an argument must be as it stands. */
export function literalText(given: readonly Typed[], index: number, { spelled, at }: CallContext): string {
  const value = given[index]?.literal;
  if (typeof value === "string") return value;
  throw new Refusal(`argument ${index + 1} of ${spelled} must be a text in quotes`, at);
}

/** The SQL of an argument that must be there. */
export function argument(sql: readonly string[], index: number): string {
  const part = sql[index];
  if (part === undefined) throw new RangeError("The number of arguments was checked.");
  return part;
}
