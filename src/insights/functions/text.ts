/**
 * Functions on text. Upper and lower case are those of ASCII, which is all the database knows.
 */
import { Refusal } from "../refusal.ts";
import { argument, literalText, type ScalarFunction, scalar } from "./function.ts";

const text = (sql: string) => `CAST(${sql} AS TEXT)`;

/** Bytes of a text, elements of a list. */
const length: ScalarFunction = {
  count: [1, 1],
  write: ([of]) => {
    if (of === undefined) throw new RangeError("The number of arguments was checked.");
    return {
      type: "number",
      sql: of.type === "array" ? `json_array_length(${of.sql})` : `octet_length(${text(of.sql)})`,
    };
  },
};

/** The functions by name in lower case. */
export const TEXT_FUNCTIONS: Readonly<Record<string, ScalarFunction>> = {
  lower: scalar(1, "text", ([of]) => `lower(${of})`),
  upper: scalar(1, "text", ([of]) => `upper(${of})`),
  length,
  concat: scalar([1, 20], "text", (parts) => `(${parts.map(text).join(" || ")})`),
  substring: scalar([2, 3], "text", (parts) => `substr(${parts.join(", ")})`),
  replaceone: scalar(3, "text", ([of, part, by]) => {
    const at = `instr(${of}, ${part})`;
    return `CASE WHEN ${at} > 0 AND ${part} <> ''
      THEN substr(${of}, 1, ${at} - 1) || ${by} || substr(${of}, ${at} + length(${part})) ELSE ${of} END`;
  }),
  replaceall: scalar(3, "text", ([of, part, by]) => `replace(${of}, ${part}, ${by})`),
  trim: scalar(1, "text", ([of]) => `trim(${of})`),
  position: scalar(2, "number", ([of, part]) => `instr(${of}, ${part})`),
  positioncaseinsensitive: scalar(2, "number", ([of, part]) => `instr(lower(${of}), lower(${part}))`),
  startswith: scalar(2, "number", ([of, part]) => `(substr(${of}, 1, length(${part})) = ${part})`),
  endswith: scalar(2, "number", ([of, part]) => `(${part} = '' OR substr(${of}, -length(${part})) = ${part})`),
  splitbychar: scalar(2, "array", (sql, context, given) => {
    const separator = literalText(given, 0, context);
    // These may stand in the escapes that JSON writes for other characters.
    if ([...separator].length !== 1 || /[A-Za-z0-9"\\]/.test(separator) || separator < " ") {
      throw new Refusal(
        `${context.spelled} splits at one character that is no letter, digit, quote or backslash`,
        context.at,
      );
    }
    // Cut between quotes, a quoted text becomes a list of quoted texts.
    return `json('[' || replace(json_quote(${text(argument(sql, 1))}), ${argument(sql, 0)}, '","') || ']')`;
  }),
};
