import { describe, expect, it } from "vitest";
import { Evaluation } from "../../../src/expressions/evaluation.ts";
import { Pattern } from "../../../src/expressions/pattern.ts";
import type { Json } from "../../../src/json.ts";
import { EXPRESSION } from "../../../src/limits.ts";
import { compileErrorOf, faultOf, resultOf } from "./samples.ts";

const evaluation = (): Evaluation => new Evaluation({ event: {}, async: {}, output: {} }, 0);

describe("XP-7: matches is RE2", () => {
  it.each<[string, boolean, Json?]>([
    ["event.data.s.matches('b+')", true, { s: "abba" }],
    ["matches(event.data.s, '^b+')", false, { s: "abba" }],
    ["'x@gmail.com'.matches('^[a-z0-9._]+@[a-z]+[.]com$')", true],
    ["'Ünï'.matches('^\\\\p{L}+$')", true],
    ["'A'.matches('(?i)a')", true],
    ["'a\\nb'.matches('a.b')", false],
    ["event.data.s.matches(event.data.p)", true, { s: "abba", p: "^a.*a$" }],
    ["event.data.s.matches(event.data.p)", false, { s: "abba", p: "^b" }],
  ])("%s is %s", (source, expected, data = {}) => {
    expect(resultOf(source, data)).toBe(expected);
  });
  it.each(["(", "a{2000}", "(?=a)", "(a)\\\\1", "*"])(
    "a literal pattern %j is a compile error at its place",
    (pattern) => {
      const error = compileErrorOf(`event.data.s.matches('${pattern}')`);
      expect(error).toMatchObject({ line: 1, column: 22, message: expect.stringContaining("bad pattern") });
    },
  );
});

describe("XP-17: patterns are linear and bounded", () => {
  it.each([
    ["^(a+)+$", `${"a".repeat(2000)}b`],
    ["(a|aa)*c", "a".repeat(2000)],
    ["(x+x+)+y", "x".repeat(2000)],
    ["^(([a-z])+.)+[A-Z]([a-z])+$", "a".repeat(2000)],
  ])("%s on a text made to explode", (pattern, s) => {
    const start = performance.now();
    expect(resultOf(`event.data.s.matches('${pattern}')`, { s })).toBe(false);
    expect(performance.now() - start).toBeLessThan(100);
  });
  it("a long text is charged for the size of the pattern", () => {
    expect(resultOf("event.data.s.matches('b')", { s: "a".repeat(10_000) })).toBe(false);
    expect(faultOf("event.data.s.matches('(a|b|c|d|e|f){900}g')", { s: "a".repeat(10_000) })).toContain(
      "characters of text",
    );
  });
  it.each([
    ["a".repeat(EXPRESSION.computedPattern + 1), "may have at most 128 characters"],
    ["\\p{Greek}", "cannot use Unicode classes"],
    ["\\PN", "cannot use Unicode classes"],
    ["(", "not of RE2 syntax"],
  ])("a computed pattern %s is refused without being quoted", (p, message) => {
    const fault = faultOf("event.data.s.matches(event.data.p)", { s: "a", p });
    expect(fault).toContain(message);
    expect(fault).not.toContain(p);
  });
  it("compiling computed patterns is charged", () => {
    const data = { l: Array.from({ length: 100 }, () => "x"), p: "(a|b|c|d|e|f){999}" };
    expect(faultOf("event.data.l.exists(x, x.matches(event.data.p))", data)).toContain("characters of text");
  });
  it("an automaton that grew is thrown away, and answers the same", () => {
    const pattern = new Pattern("[ab]*a[ab]{9}c");
    const text = Array.from({ length: 3000 }, (_, index) => "ab"[((index * 7919) ^ (index >> 3)) & 1]).join("");
    for (let round = 0; round < 3; round++) {
      expect(pattern.test(`${text}c${text.slice(0, 20)}`, evaluation())).toBe(text.at(-10) === "a");
      expect(pattern.states).toBeLessThanOrEqual(EXPRESSION.patternStates);
    }
  });
});
