/**
 * SQL for D1 with what it stands for. Pure. Owns the types a question's values have and how parameters are numbered; guarantees that nothing a
 * user wrote becomes SQL: what is written here are constants, and everything else is a parameter.
 */
import { INSIGHTS } from "../limits.ts";
import { Refusal } from "./refusal.ts";

/**
 * What a value is. `time` is `YYYY-MM-DD HH:MM:SS` with or without a fraction, `date` its first part, both in UTC; `json` and `array` are JSON.
 * `any` is not known until it is there.
 */
export type Type = "number" | "text" | "time" | "date" | "json" | "array" | "any";

/** A piece of SQL. `literal` is set when it stands for a text or number that the question names. */
export interface Typed {
  readonly sql: string;
  readonly type: Type;
  readonly literal?: string | number | null;
}

/** A piece of SQL. */
export function typed(sql: string, type: Type): Typed {
  return { sql, type };
}

/** The parameters of one statement. The same value has the same number, so that pieces of SQL can be repeated. */
export class Parameters {
  readonly #values: (string | number)[] = [];
  readonly #numbers = new Map<string | number, number>();

  get values(): readonly (string | number)[] {
    return this.#values;
  }

  /** A parameter whose value is not known yet: its place among the values. */
  reserve(at: number): number {
    if (this.#values.length >= INSIGHTS.literals) {
      throw new Refusal(`a question may name at most ${INSIGHTS.literals} different values`, at);
    }
    return this.#values.push("[]") - 1;
  }

  /** The placeholder of a value. */
  bind(value: string | number, at = 0): string {
    // Zero has a sign, which a map does not see.
    const known = Object.is(value, -0) ? undefined : this.#numbers.get(value);
    if (known !== undefined) return `?${known}`;
    if (this.#values.length >= INSIGHTS.literals) {
      throw new Refusal(`a question may name at most ${INSIGHTS.literals} different values`, at);
    }
    const number = this.#values.push(value);
    this.#numbers.set(value, number);
    return `?${number}`;
  }
}

/** A number in SQL: a whole one as it is, because the database takes every parameter for a fraction; any other as a parameter. */
export function numberSql(value: number, parameters: Parameters, at: number): string {
  if (!Number.isSafeInteger(value)) return parameters.bind(value, at);
  return value < 0 ? `(${value})` : String(value);
}
