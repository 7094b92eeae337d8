/**
 * Expressions under hostile sources and hostile events (SE-15, SE-16, XP-9, XP-17): compiling gives an expression or an error with a
 * position, evaluating a result or an error, and neither takes more than its budget.
 */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evaluateCondition, evaluateKey, evaluateNumber, evaluateValue } from "../../../src/expressions/evaluate.ts";
import { compile } from "../../../src/expressions/expression.ts";
import { PLACES, type Place } from "../../../src/expressions/place.ts";
import { parseJson } from "../../../src/json.ts";
import { damaged } from "../../conformance/wire/faults/mutations.ts";
import { hostileJson, hostileText } from "../../fuzz/hostile.ts";
import { planOf } from "../../fuzz/plan.ts";
import { eventOf, NOW } from "../expressions/samples.ts";

const plan = <T>(cases: number) => planOf<T>(process.env, cases);

const SOURCES = [
  "event.data.x > 1 && async.data.y == event.data.x",
  "event.data.list.exists(x, x.price >= 10.5) || has(event.data.missing)",
  "event.data.list.filter(x, x.name.startsWith('a')).map(y, y.price * 2 + 1).size() > 0",
  `event.data["key with space"] == "a" + 'b' + r"c\\d"`,
  "timestamp(event.data.at) > now() - duration('1h30m')",
  "event.data.email.matches('^[^@]+@[a-z.]+$')",
  "event.data.plan == 'pro' ? 120 : -600",
  "json_parse(event.data.text).a.b[0] == b'x'",
  "event.data.x in [1, 2u, 3.5, null, true, {'a': 1}]",
  "lowercase(event.user.name) != uppercase(event.name)",
];

const TOKENS = [
  "event",
  "async",
  "output",
  ".",
  ".data",
  ".x",
  "[",
  "]",
  "(",
  ")",
  "{",
  "}",
  ",",
  ":",
  "?",
  "&&",
  "||",
  "!",
]
  .concat([
    "==",
    "!=",
    "<",
    ">=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "in",
    "has(",
    "size(",
    "1",
    "1u",
    "0x1F",
    "1.5e3",
    "'a'",
    '"b"',
  ])
  .concat([
    "r'\\'",
    "b'\\x00'",
    "null",
    "true",
    ".exists(x,",
    ".all(",
    ".map(y,",
    ".matches('(a+)+$')",
    "int(",
    "now()",
    "x",
  ])
  .concat(["// c", "\n", "__proto__", "constructor", "toString", "e.e.e", "9223372036854775808", "1e400"]);

const source = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...SOURCES).chain(damaged) },
  {
    weight: 3,
    arbitrary: fc.array(fc.constantFrom(...TOKENS), { minLength: 1, maxLength: 25 }).map((parts) => parts.join(" ")),
  },
  { weight: 1, arbitrary: fc.constantFrom(...SOURCES) },
  { weight: 1, arbitrary: hostileText },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom("(", "[", "!", "-", "{1:", "event.data.list.map(x,", "true ? "),
        fc.integer({ min: 10, max: 3000 }),
      )
      .map(([opening, times]) => `${opening.repeat(times)}1`),
  },
);

const DATA = {
  x: 2,
  list: [
    { name: "a", price: 11 },
    { name: "b", price: 3 },
  ],
  "key with space": "ab",
  at: "2026-11-21T02:00:00Z",
  email: "a@b.test",
  plan: "pro",
  text: '{"a":{"b":["x"]}}',
};

/** ms; far more than any evaluation may take by its budget, on a machine that is busy. */
const PATIENCE = 2_000;

describe("hostile expressions", () => {
  it("SE-15, SE-16, XP-9, XP-17: compile and evaluate to a result or an error, within their budget", () => {
    const places = fc.constantFrom(...(Object.keys(PLACES) as Place[]));
    fc.assert(
      fc.property(source, hostileJson([JSON.stringify(DATA)]), places, (text, data, place) => {
        const began = performance.now();
        const compiled = compile(text, place);
        if (compiled.ok) {
          const parsed = parseJson(data);
          const event = eventOf(parsed.ok ? parsed.value : DATA);
          const variables = { event, async: event, output: DATA };
          const condition = evaluateCondition(compiled.expression, variables, NOW);
          if (!condition.ok) expect(condition.error).not.toBe("");
          expect(typeof evaluateKey(compiled.expression, variables, NOW).key).toBe("string");
          const number = evaluateNumber(compiled.expression, variables, NOW);
          if (number.ok) expect(Number.isFinite(number.value)).toBe(true);
          evaluateValue(compiled.expression, variables, NOW);
        } else {
          const { message, line, column } = compiled.error;
          expect(message).not.toBe("");
          expect(line >= 1 && column >= 1).toBe(true);
          expect(line).toBeLessThanOrEqual(text.split("\n").length);
        }
        expect(performance.now() - began).toBeLessThan(PATIENCE);
      }),
      plan(4000),
    );
  });
});
