/**
 * Operators of the dialect as SQL. Pure. Owns what may stand beside what: the database compares anything with anything and calls a text and a
 * number different in silence; here that is refused.
 */
import { Refusal } from "./refusal.ts";
import type { BinaryOperator } from "./syntax.ts";
import { numberSql, type Parameters, type Typed, typed } from "./typed.ts";

const NAMES = {
  number: "a number",
  text: "a text",
  time: "a time",
  date: "a date",
  json: "JSON",
  array: "a list",
  any: "a value",
};

/** Both sides of a comparison in a form in which the database compares them rightly. Throws {@link Refusal}. */
export function comparable(left: Typed, right: Typed, parameters: Parameters, at: number): [string, string] {
  const [a, b] = [left.type, right.type];
  const isTime = (type: Typed["type"]) => type === "time" || type === "date";
  if (a === b || a === "any" || b === "any" || left.literal === null || right.literal === null)
    return [left.sql, right.sql];
  if (isTime(a) && isTime(b)) return [`datetime(${left.sql})`, `datetime(${right.sql})`];
  // A date or a number in quotes is one.
  if (isTime(a) && b === "text") return [left.sql, a === "time" ? `datetime(${right.sql})` : `date(${right.sql})`];
  if (isTime(b) && a === "text") return [b === "time" ? `datetime(${left.sql})` : `date(${left.sql})`, right.sql];
  if (a === "number" && isNumeric(right)) return [left.sql, numberSql(Number(right.literal), parameters, at)];
  if (b === "number" && isNumeric(left)) return [numberSql(Number(left.literal), parameters, at), right.sql];
  const isText = (type: Typed["type"]) => type === "text" || type === "json" || type === "array";
  if (isText(a) && isText(b)) return [left.sql, right.sql];
  const hint =
    isTime(a) || isTime(b) ? "toUnixTimestamp(…) makes seconds of a time" : "convert it with toInt64OrNull or toString";
  throw new Refusal(`${NAMES[a]} is compared with ${NAMES[b]}: ${hint}`, at);
}

function isNumeric({ literal }: Typed): boolean {
  return typeof literal === "string" && literal.trim() !== "" && Number.isFinite(Number(literal));
}

/** `left operator right`. */
export function binary(operator: BinaryOperator, left: Typed, right: Typed, parameters: Parameters, at: number): Typed {
  switch (operator) {
    case "and":
    case "or":
      return typed(`(${left.sql} ${operator.toUpperCase()} ${right.sql})`, "number");
    case "=":
    case "<>":
    case "<":
    case "<=":
    case ">":
    case ">=": {
      const [a, b] = comparable(left, right, parameters, at);
      return typed(`(${a} ${operator} ${b})`, "number");
    }
    case "||":
      return typed(`(CAST(${left.sql} AS TEXT) || CAST(${right.sql} AS TEXT))`, "text");
    case "+":
    case "-":
    case "*":
    case "/":
    case "%":
      return timeArithmetic(operator, left, right) ?? arithmetic(operator, left, right, at);
  }
}

/** A time plus seconds, a date plus days, and the seconds between two times; null for everything else. */
function timeArithmetic(operator: string, left: Typed, right: Typed): Typed | null {
  const isTime = ({ type }: Typed) => type === "time" || type === "date";
  if (operator === "-" && isTime(left) && isTime(right)) {
    return typed(`(unixepoch(${left.sql}) - unixepoch(${right.sql}))`, "number");
  }
  const [time, number] = isTime(left) ? [left, right] : [right, left];
  const allowed = operator === "+" || (operator === "-" && time === left);
  if (!allowed || !isTime(time) || number.type !== "number") return null;
  const amount = `(${operator === "-" ? "-1" : "1"} * ${number.sql})`;
  return time.type === "date"
    ? typed(`date(${time.sql}, ${amount} || ' days')`, "date")
    : typed(`datetime(${time.sql}, ${amount} || ' seconds')`, "time");
}

function arithmetic(operator: "+" | "-" | "*" | "/" | "%", left: Typed, right: Typed, at: number): Typed {
  for (const { type } of [left, right]) {
    if (type !== "number" && type !== "any") throw new Refusal(`"${operator}" wants numbers, not ${NAMES[type]}`, at);
  }
  // ClickHouse divides whole numbers to a fraction.
  if (operator === "/") return typed(`(CAST(${left.sql} AS REAL) / ${right.sql})`, "number");
  return typed(`(${left.sql} ${operator} ${right.sql})`, "number");
}

/** The longest pattern the database takes, bytes. */
const GLOB_BYTES = 50;

/** `of LIKE pattern`, letters' case counting unless `folded`; `\` takes the meaning of the character after it. */
export function like(of: string, pattern: string, folded: boolean, parameters: Parameters, at: number): string {
  const subject = folded ? `lower(CAST(${of} AS TEXT))` : `CAST(${of} AS TEXT)`;
  const parts = (folded ? asciiLower(pattern) : pattern).match(/\\[\s\S]|[\s\S]/gu) ?? [];
  const plain = (some: readonly string[]) =>
    some.map((part) => (part.length > 1 && part.startsWith("\\") ? part.slice(1) : part));
  const isWild = (part: string | undefined) => part === "%" || part === "_";
  const inner = parts.slice(parts[0] === "%" ? 1 : 0, parts.length > 1 && parts.at(-1) === "%" ? -1 : undefined);
  if (!inner.some(isWild)) {
    const text = parameters.bind(plain(inner).join(""), at);
    const [open, close] = [parts[0] === "%", parts.length > 1 && parts.at(-1) === "%"];
    if (parts.length === 1 && open) return `(${of} IS NOT NULL)`;
    if (open && close) return `(instr(${subject}, ${text}) > 0)`;
    if (close) return `(substr(${subject}, 1, length(${text})) = ${text})`;
    if (open) return `(${text} = '' OR substr(${subject}, -length(${text})) = ${text})`;
    return `(${subject} = ${text})`;
  }
  const glob = parts
    .map((part) => {
      if (part === "%") return "*";
      if (part === "_") return "?";
      const [character = ""] = plain([part]);
      return /[*?[]/.test(character) ? `[${character}]` : character;
    })
    .join("");
  if (new TextEncoder().encode(glob).byteLength > GLOB_BYTES) {
    throw new Refusal(
      `a pattern with % or _ inside may have at most ${GLOB_BYTES} bytes; use match for longer ones`,
      at,
    );
  }
  return `(${subject} GLOB ${parameters.bind(glob, at)})`;
}

/** As the database's own `lower`, which knows the letters of ASCII alone. */
function asciiLower(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
