import { describe, expect, it } from "vitest";
import { compile } from "../../../src/expressions/expression.ts";
import { compileErrorOf, resultOf } from "./samples.ts";

describe("XP-5: literals and access", () => {
  const data = { "user id": "x", items: [7], a: { b: 1 }, k: "b" };
  it.each([
    ["event.data[\"user id\"] == 'x'", true],
    ["event.data.items[0]", 7],
    ["event.data['a']['b']", 1],
    ["event.data.a[event.data.k]", 1],
    ['event.data.a["b"]', 1],
    ["'single'", "single"],
    ['"double"', "double"],
    ["'it\\'s'", "it's"],
    ['"a\\nb"', "a\nb"],
    ["'\\u00e9'", "é"],
    ["r'a\\d'", "a\\d"],
    ["'''a\n'b'''", "a\n'b"],
    ["12", 12n],
    ["0x1F", 31n],
    ["-12", -12n],
    ["1.5", 1.5],
    ["-1.5", -1.5],
    ["1e3", 1000],
    ["9223372036854775807", 2n ** 63n - 1n],
    ["-9223372036854775808", -(2n ** 63n)],
    ["true", true],
    ["false", false],
    ["null", null],
    ["[1, 'a', [true]]", [1n, "a", [true]]],
    ["{'k': 1}.k", 1n],
    ["{'k': {'l': 2}}['k'].l", 2n],
    ["(1 + 2) * 3", 9n],
    ["event . data\n. items [ 0 ] // a comment", 7],
  ])("%s", (source, expected) => {
    expect(resultOf(source, data)).toEqual(expected);
  });
  it("XP-12: positions and types that do not fit are missing, not errors", () => {
    for (const path of [
      "items[1]",
      "items[-1]",
      "items['0']",
      "items[0.5]",
      "items[0][0]",
      "a[0]",
      "k.x",
      "k[0]",
      "none[0].x",
    ]) {
      expect(resultOf(`event.data.${path} == null`, data)).toBe(true);
      expect(resultOf(`event.data.${path} == 1`, data)).toBe(false);
    }
  });
  it("reads only what an event itself holds, never what JavaScript adds", () => {
    for (const name of ["constructor", "toString", "__proto__", "hasOwnProperty", "length"]) {
      expect(resultOf(`has(event.data["${name}"])`, data)).toBe(false);
      expect(resultOf(`event.data.items["${name}"] == null`, data)).toBe(true);
    }
    expect(resultOf('has(event.data["__proto__"])', JSON.parse('{"__proto__": 1}'))).toBe(true);
    expect(resultOf('{"__proto__": {"x": 1}}.x == null')).toBe(true);
  });
});

describe("XP-6: precedence", () => {
  it.each([
    ["1 + 2 * 3 - 4", 3n],
    ["2 * 3 % 4", 2n],
    ["10 - 3 - 2", 5n],
    ["1 + 1 == 2 && 3 > 2", true],
    ["false && false || true", true],
    ["true || false && false", true],
    ["!true || true", true],
    ["1 < 2 == true", true],
    ["1 in [1] && true", true],
    ["true ? 1 : false ? 2 : 3", 1n],
    ["false ? 1 : false ? 2 : 3", 3n],
    ["-2 + 3", 1n],
    ["- - 2", 2n],
    ["!!true", true],
  ])("%s", (source, expected) => {
    expect(resultOf(source)).toEqual(expected);
  });
});

describe("XP-9: syntax errors have a line and a column", () => {
  it.each([
    ["event.data.a ==", 1, 16, "the expression ends where a value or a bracket is missing"],
    ["event.data.a == 1)", 1, 18, 'unexpected ")"'],
    ["event.data.x = 1", 1, 14, 'unexpected "="'],
    ["event.data.x == 'abc", 1, 17, "unterminated string"],
    ["1 +\n  * 2", 2, 3, 'unexpected "*"'],
    ["a b", 1, 3, 'unexpected "b"'],
    ["", 1, 1, "the expression is empty"],
    [" \n ", 1, 1, "the expression is empty"],
    ["b'x' == 1", 1, 1, "bytes are not part of the language"],
    ["99999999999999999999 > 1", 1, 1, "an integer must fit 64 bits"],
    ["has(event)", 1, 1, '"has" takes one field, such as event.data.email'],
    ["has(event.a, event.b)", 1, 1, '"has" takes one field, such as event.data.email'],
    ["event.data.l.exists(x)", 1, 14, '"exists" takes 2 arguments, got 1'],
    ["event.data.l.map(x, x, x, x)", 1, 14, '"map" takes 2 or 3 arguments, got 4'],
    ["event.data.l.all(1, true)", 1, 18, "the first argument of a list macro is a name for the element"],
  ])("%j", (source, line, column, message) => {
    const error = compileErrorOf(source);
    expect({ ...error, message: error.message.slice(0, message.length) }).toEqual({ line, column, message });
  });
});

describe("XP-17: limits of the source", () => {
  it("4 KiB of UTF-8 pass, one byte more does not", () => {
    expect(compile(`event.data.x == '${"a".repeat(4096 - 18)}'`, "trigger").ok).toBe(true);
    expect(compileErrorOf(`event.data.x == '${"a".repeat(4096 - 17)}'`).message).toContain("4096 bytes");
    expect(compileErrorOf(`event.data.x == '${"é".repeat(2048)}'`).message).toContain("4096 bytes");
  });
  it("200 nodes pass, 201 do not", () => {
    expect(resultOf(`size([${Array.from({ length: 198 }, () => "1").join(",")}])`)).toBe(198n);
    expect(compileErrorOf(`[${Array.from({ length: 200 }, () => "1").join(",")}]`).message).toContain("200 nodes");
  });
  it.each([
    ["brackets", (depth: number) => `${"(".repeat(depth)}1${")".repeat(depth)}`],
    ["lists", (depth: number) => `${"[".repeat(depth - 1)}1${"]".repeat(depth - 1)}`],
    ["negations", (depth: number) => `${"!".repeat(depth - 1)}true`],
    ["fields", (depth: number) => `event${".a".repeat(depth - 1)}`],
    ["calls", (depth: number) => `${"string(".repeat(depth - 1)}1${")".repeat(depth - 1)}`],
    ["choices", (depth: number) => `${"true ? 1 : ".repeat(depth - 1)}1`],
  ])("32 nested %s pass, 33 do not", (_, make) => {
    expect(compile(make(32), "key").ok).toBe(true);
    expect(compile(make(33), "key")).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining("32 deep") },
    });
  });
  it("a chain of one kind of operator is one level, however long", () => {
    const chain = Array.from({ length: 33 }, (_, index) => `event.data.x == ${index}`).join(" || ");
    expect(compile(chain, "trigger").ok).toBe(true);
  });
  it("brackets in texts and comments are not nesting", () => {
    const brackets = "([{".repeat(40);
    for (const text of [`'${brackets}'`, `"\\"${brackets}"`, `"""${brackets}"""`, `r'${brackets}'`]) {
      expect(resultOf(`${text} != '' // ${brackets}`)).toBe(true);
    }
  });
  it("SE-16: text made to exhaust a parser is refused quickly", () => {
    for (const part of [
      "(",
      "[",
      "{'a':",
      "!",
      "-",
      "a.",
      "a[",
      "f(",
      "a ? b : ",
      "a ? ",
      "a+",
      "'",
      "'''",
      '"""',
      '"\\',
      "has(",
      "x.map(x,",
    ]) {
      const source = part.repeat(Math.floor(4096 / part.length));
      const start = performance.now();
      expect(compile(source, "trigger").ok).toBe(false);
      expect(performance.now() - start).toBeLessThan(200);
    }
  });
});
