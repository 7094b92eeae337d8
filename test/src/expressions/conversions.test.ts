import { describe, expect, it } from "vitest";
import { Uint } from "../../../src/expressions/value.ts";
import type { Json } from "../../../src/json.ts";
import { faultOf, resultOf } from "./samples.ts";

describe("XP-7: conversions", () => {
  it.each<[string, unknown, Json?]>([
    ["string(event.data.n)", "5", { n: 5 }],
    ["string(9.1)", "9.1"],
    ["string(5u)", "5"],
    ["string(true)", "true"],
    ["string('a')", "a"],
    ["string(timestamp('2024-01-01T00:00:00.5Z'))", "2024-01-01T00:00:00.5Z"],
    ["string(duration('1h'))", "3600s"],
    ["int('42')", 42n],
    ["int('-42')", -42n],
    ["int(4.9)", 4n],
    ["int(-4.9)", -4n],
    ["int(7u)", 7n],
    ["int(event.data.n) == 5", true, { n: "5" }],
    ["int(timestamp('1970-01-01T00:01:00Z'))", 60n],
    ["uint('7')", new Uint(7n)],
    ["uint(7.9)", new Uint(7n)],
    ["double('1.5')", 1.5],
    ["double('1e3')", 1000],
    ["double('-inf')", -Infinity],
    ["double('NaN')", Number.NaN],
    ["double(5)", 5],
    ["double(5u)", 5],
    ["bool('true')", true],
    ["bool('f')", false],
    ["bool(true)", true],
    ["dyn(1)", 1n],
  ])("%s is %s", (source, expected, data = {}) => {
    expect(resultOf(source, data)).toEqual(expected);
  });
  it.each([
    "int('4.5')",
    "int('')",
    "int('0x10')",
    "int('9223372036854775808')",
    `int('${"9".repeat(500)}')`,
    "int(1e30)",
    "int(double('NaN'))",
    "int(true)",
    "int(null)",
    "int([])",
    "uint(-1)",
    "uint('-1')",
    "double('1.5.2')",
    "double('')",
    "double(true)",
    "bool('yes')",
    "bool(1)",
    "string(null)",
    "string([])",
  ])("%s is a runtime error", (source) => {
    expect(faultOf(source)).not.toBe("");
  });
});
