/**
 * What the dialect does not change is CEL: well-typed expressions evaluate as in the library, which the engine itself uses only to parse.
 */
import { evaluate } from "@marcbachmann/cel-js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evaluateValue } from "../../../src/expressions/evaluate.ts";
import { compile } from "../../../src/expressions/expression.ts";

type Kind = "int" | "double" | "text" | "bool" | "ints";
type Sources = Record<Kind | "any", string>;

const chain = (...parts: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc.tuple(...parts).map((all) => all.join(""));
const word = fc.constantFrom("", "a", "ab", "b", "é", "\u{1F600}").map((text) => JSON.stringify(text));

const { any } = fc.letrec<Sources>((tie) => {
  const [int, double, text, bool, ints] = [tie("int"), tie("double"), tie("text"), tie("bool"), tie("ints")];
  const of = (first: fc.Arbitrary<string>, ...rest: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
    fc.oneof({ maxDepth: 4, withCrossShrink: true }, first, ...rest);
  const infix = (side: fc.Arbitrary<string>, ...operators: readonly string[]): fc.Arbitrary<string> =>
    chain(
      fc.constant("("),
      side,
      fc.constantFrom(...operators).map((operator) => ` ${operator} `),
      side,
      fc.constant(")"),
    );
  const choice = (side: fc.Arbitrary<string>): fc.Arbitrary<string> =>
    chain(fc.constant("("), bool, fc.constant(" ? "), side, fc.constant(" : "), side, fc.constant(")"));
  const call = (name: string, side: fc.Arbitrary<string>): fc.Arbitrary<string> =>
    chain(fc.constant(`${name}(`), side, fc.constant(")"));
  const method = (side: fc.Arbitrary<string>, name: string, argument: fc.Arbitrary<string>): fc.Arbitrary<string> =>
    chain(side, fc.constant(`.${name}(`), argument, fc.constant(")"));
  const test = fc.constantFrom("x > 1", "x == 2", "10 / x > 3", "x % 2 == 0", "x in [1, 2]", "true");
  return {
    int: of(
      fc.oneof(
        fc.integer({ min: -3, max: 5 }).map(String),
        fc.constantFrom("9223372036854775807", "-9223372036854775807"),
      ),
      infix(int, "+", "-", "*", "/", "%"),
      // Not of any integer: the library lets the negation of the smallest one overflow.
      chain(fc.constant("-"), call("size", text)),
      call("size", fc.oneof(text, ints)),
      call("int", fc.oneof(fc.constantFrom("1.5", "-2.25"), call("string", int))),
      choice(int),
      chain(ints, fc.constantFrom("[0]", "[1]")).map((source) => `(size(${source.slice(0, -3)}) > 1 ? ${source} : 0)`),
    ),
    double: of(
      fc.constantFrom("0.0", "1.5", "-2.25", "1e3", "0.1"),
      infix(double, "+", "-", "*"),
      call("double", int),
      choice(double),
    ),
    text: of(word, infix(text, "+"), call("string", fc.oneof(int, bool, text)), choice(text)),
    bool: of(
      fc.constantFrom("true", "false"),
      infix(bool, "&&", "||", "==", "!=", "<"),
      infix(int, "==", "!=", "<", "<=", ">", ">="),
      infix(double, "==", "!=", "<", "<=", ">", ">="),
      infix(text, "==", "!=", "<", "<=", ">", ">="),
      infix(ints, "==", "!="),
      chain(fc.constant("!("), bool, fc.constant(")")),
      chain(fc.constant("("), int, fc.constant(" in "), ints, fc.constant(")")),
      method(text, "contains", text),
      method(text, "startsWith", text),
      method(text, "endsWith", text),
      method(ints, "exists", chain(fc.constant("x, "), test)),
      method(ints, "all", chain(fc.constant("x, "), test)),
      method(ints, "exists_one", chain(fc.constant("x, "), test)),
      choice(bool),
    ),
    ints: of(
      fc.array(fc.integer({ min: -1, max: 3 }), { minLength: 1, maxLength: 4 }).map((list) => `[${list.join(", ")}]`),
      infix(ints, "+"),
      method(ints, "filter", chain(fc.constant("x, "), test)),
      method(ints, "map", fc.constantFrom("x, x * 2", "x, x > 1, x + 1", "x, 6 / x")),
      choice(ints),
    ),
    any: fc.oneof(int, double, text, bool, ints),
  };
});

/** A value, or that there is none. The two libraries word their errors differently, so only the fact is compared. */
type Outcome = { readonly value: unknown } | "fault";

function ours(source: string): Outcome | "too large" {
  const result = compile(source, "priority");
  if (!result.ok) return "too large";
  const { ok, ...rest } = evaluateValue(result.expression, { event: {} }, 0);
  return ok && "value" in rest ? { value: rest.value } : "fault";
}

function theirs(source: string): Outcome {
  try {
    return { value: evaluate(source) };
  } catch {
    return "fault";
  }
}

describe("core CEL", () => {
  it("well-typed expressions evaluate as in the library", () => {
    let compared = 0;
    let faults = 0;
    fc.assert(
      fc.property(any, (source) => {
        const mine = ours(source);
        if (mine === "too large") return;
        compared++;
        if (mine === "fault") faults++;
        expect(mine).toEqual(theirs(source));
      }),
      // A fixed seed: the library itself errs on the smallest integer, which random runs meet once in some 100,000 expressions.
      { numRuns: 5000, seed: 1 },
    );
    expect(compared).toBeGreaterThan(2500);
    expect(faults).toBeGreaterThan(20);
    expect(faults).toBeLessThan(compared / 2);
  });
  it.each([
    ["timestamp('2024-01-01T00:00:00Z') + duration('90m') > timestamp('2024-01-01T01:00:00Z')", true],
    ["timestamp('2024-02-29T12:30:45Z').getDayOfYear()", 59n],
    ["duration('1h') == duration('60m')", true],
    ["timestamp('2024-01-01T00:00:00Z') - timestamp('2023-12-31T00:00:00Z') == duration('24h')", true],
    ["{'a': {'b': [1, 2]}}.a.b[1]", 2n],
    ["'k' in {'k': 1}", true],
    ["type(1) == int && type('') == string", true],
    ["'abc'.matches('^a.c$')", true],
  ])("%s", (source, expected) => {
    expect(ours(source)).toEqual({ value: expected });
    expect(theirs(source)).toEqual({ value: expected });
  });
});
