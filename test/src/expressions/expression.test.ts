import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evaluateCondition, evaluateKey, evaluateNumber } from "../../../src/expressions/evaluate.ts";
import { compile } from "../../../src/expressions/expression.ts";
import { PLACES, type Place } from "../../../src/expressions/place.ts";
import { compiled, condition, eventOf, MATCHED, NOW, resultOf, UNMATCHED } from "./samples.ts";

describe("XP-1: every use compiles its documented samples", () => {
  const samples: readonly (readonly [Place, string])[] = [
    ["trigger", "event.data.plan == 'enterprise' && event.data.n > 5"],
    ["trigger", "event.data.function_id == 'cap-app-all'"],
    ["batch", "event.data.priority != 'high'"],
    ["wait", "event.data.userId == async.data.userId && async.data.billing_plan == 'pro'"],
    ["cancel", "async.data.reminderId == event.data.reminderId"],
    ["bulk_cancel", "event.data.userId == 'u'"],
    ["replay", "event.data.x == 1 && output.success == false"],
    ["key", "event.data.userId"],
    ["key", 'event.data.userId + "-" + event.data.importId'],
    ["key", "event.data.ingressId || event.data.userId"],
    ["key", '"openai"'],
    ["priority", "event.data.plan == 'enterprise' && event.data.n < 10 ? 120 : 0"],
    ["priority", "-3"],
    ["event_search", "event.name == 'xp/x' && event.ts > 0"],
    ["run_search", "event.data.x == 1 && output.success == true"],
  ];
  it.each(samples)("%s: %s", (place, source) => {
    expect(compile(source, place)).toMatchObject({ ok: true, expression: { source, place, warnings: [] } });
  });
});

describe("XP-2: event", () => {
  it.each([
    ["event.id", "e1"],
    ["event.name", "xp/x"],
    ["event.ts", NOW],
    ["event.data.userId", "u"],
  ])("%s", (source, expected) => {
    expect(resultOf(source, { userId: "u" })).toBe(expected);
  });
  it("protocol 7.1: event.v and event.user are readable, and vars is always empty", () => {
    const event = { id: "1", name: "a", ts: 1, data: {}, user: { external_id: "x" }, v: "2" };
    expect(evaluateKey(compiled("event.user.external_id + event.v", "key"), { event }, NOW).key).toBe("x2");
    expect(evaluateKey(compiled("vars.x == null", "key"), { event }, NOW).key).toBe("true");
  });
});

describe("XP-3: async", () => {
  it("is accepted in a trigger with a warning and never true, whatever is asked of it", () => {
    for (const source of ["async.data.x == 1", "async.data.x == null", "async.data.x != 1 || true"]) {
      const expression = compiled(source, "trigger");
      expect(expression.warnings).toHaveLength(1);
      expect(evaluateCondition(expression, { event: eventOf({}) }, NOW)).toEqual(UNMATCHED);
    }
  });
  it("is the name of an element when a macro says so, and then no cause for a warning", () => {
    const expression = compiled("event.data.l.exists(async, async == 1)", "trigger");
    expect(expression.warnings).toEqual([]);
    expect(evaluateCondition(expression, { event: eventOf({ l: [1] }) }, NOW)).toEqual(MATCHED);
  });
  it.each(["batch", "key", "priority", "bulk_cancel", "replay", "event_search", "run_search"] as const)(
    "is unknown in %s",
    (place) => {
      expect(compile("async.data.x == 1", place)).toMatchObject({ ok: false, error: { line: 1, column: 1 } });
    },
  );
});

describe("XP-1: output exists where runs are looked at", () => {
  it.each(Object.keys(PLACES) as Place[])("%s", (place) => {
    expect(compile("output.ok == true", place).ok).toBe(place === "replay" || place === "run_search");
  });
});

describe("XP-15: constant keys", () => {
  it("a quoted literal is the constant it quotes", () => {
    const expression = compiled('"openai"', "key");
    expect(expression.constant).toBe(true);
    expect(evaluateKey(expression, { event: eventOf({}) }, NOW)).toMatchObject({ key: "openai", warning: null });
  });
  it.each([
    ["'global'", true],
    ["'a' + 'b'", true],
    ["vars.x || 'a'", true],
    ["[1, 2].map(event, event)", true],
    ["event.data.x", false],
    ["event.data.x == event.data.x", false],
  ])("%s is constant: %s", (source, constant) => {
    expect(compiled(source, "key").constant).toBe(constant);
  });
  it("what reads the clock is not constant", () => {
    expect(compiled("now() > timestamp(0) ? 1 : 0", "priority").constant).toBe(false);
  });
});

describe("AP-16: keys that can only be true or false are warned about", () => {
  const suspicious = ["event.data.a == 1", "!event.data.a", "has(event.data.a)", "event.data.a in [1]", "true"];
  suspicious.push(
    "event.data.s.contains('x')",
    "event.data.a == 1 || event.data.b == 2",
    "event.data.l.all(x, x == 1)",
  );
  it.each(suspicious)("%s", (source) => {
    expect(compiled(source, "key").warnings).toEqual(["this key can only be true or false"]);
  });
  it.each(["event.data.a", "event.data.a || event.data.b", "event.data.a == 1 ? 'x' : 'y'", "event.data.l.map(x, x)"])(
    "%s is not",
    (source) => {
      expect(compiled(source, "key").warnings).toEqual([]);
    },
  );
});

describe("properties of the whole language", () => {
  const words = [
    "event",
    "async",
    "output",
    ".data",
    ".n",
    '["k"]',
    "[0]",
    "==",
    "!=",
    "<",
    "&&",
    "||",
    "!",
    "+",
    "-",
    "*",
  ];
  words.push(
    "/",
    "%",
    "in",
    "?",
    ":",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    "1",
    "2.5",
    "'t'",
    '"',
    "true",
    "null",
    "has(",
  );
  words.push(
    ".exists(x, x)",
    "size(",
    ".contains(",
    "now()",
    "date(",
    "int(",
    "lowercase(",
    " ",
    "\n",
    "\u{1F600}",
    "\\",
    "r'",
  );
  const source = fc.oneof(
    fc.array(fc.constantFrom(...words), { maxLength: 30 }).map((parts) => parts.join("")),
    fc.string({ maxLength: 60, unit: "binary" }),
  );
  const place = fc.constantFrom(...(Object.keys(PLACES) as Place[]));
  const data = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)));

  it("XP-9, XP-16: no text and no event makes it throw", () => {
    fc.assert(
      fc.property(source, place, data, (text, where, value) => {
        const result = compile(text, where);
        if (!result.ok) {
          expect(result.error.message).not.toBe("");
          expect(result.error.line).toBeGreaterThan(0);
          expect(result.error.column).toBeGreaterThan(0);
          return;
        }
        const variables = { event: eventOf(value), async: eventOf(value), output: value };
        evaluateCondition(result.expression, variables, NOW);
        evaluateKey(result.expression, variables, NOW);
        evaluateNumber(result.expression, variables, NOW);
      }),
      { numRuns: 5000 },
    );
  });

  it("XP-18: the same input gives the same result, and the time shows only through the clock", () => {
    fc.assert(
      fc.property(source, data, fc.nat(), (text, value, later) => {
        const result = compile(text, "key");
        if (!result.ok) return;
        const variables = { event: eventOf(value) };
        const first = evaluateKey(result.expression, variables, NOW);
        expect(evaluateKey(result.expression, variables, NOW + later)).toEqual(first);
        const again = compile(text, "key");
        expect(again.ok && evaluateKey(again.expression, variables, NOW)).toEqual(first);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("SC-151: the samples of the scenario", () => {
  const data = {
    userId: "u",
    n: 7,
    f: 9.1,
    plan: "enterprise",
    email: "x@gmail.com",
    items: ["shirt_1"],
    at: "2025-01-01T00:00:00Z",
    nul: null,
    "user id": "x",
  };
  it.each([
    "event.data.plan == 'enterprise' && event.data.n > 5",
    'event.data.plan != "pro" || event.data.n < 3',
    "(event.data.userId + '-' + event.data.n) == 'u-7'",
    "('n' + event.data.f) == 'n9.1'",
    "(event.data.plan == 'enterprise' && event.data.n < 10 ? 120 : 0) == 120",
    "event.data.n == 7.0",
    "event.data[\"user id\"] == 'x'",
    "event.data.items[0] == 'shirt_1'",
    "event.data.items.exists(e, e == 'shirt_1')",
    "event.data.email.contains('gmail.com')",
    "has(event.data.email)",
    "timestamp(event.data.at) > timestamp('2024-01-01T00:00:00Z')",
    "event.data.a.b.c == null",
    "event.data.none < 1",
    "event.data.none != 'x'",
    "event.data.nul == null",
    "event.data.nul < 1",
    "event.data.none || event.data.userId",
    "event.name == 'xp/x' && event.ts > 0",
  ])("yes: %s", (source) => {
    expect(condition(source, data)).toEqual(MATCHED);
  });
  it.each([
    "event.data.n == '7'",
    "event.data.none > 1",
    "event.data.none == event.data.none2",
    "has(event.data.none)",
    "event.data.nul > 0",
  ])("no: %s", (source) => {
    expect(condition(source, data)).toEqual(UNMATCHED);
  });
  it.each([
    ["event.data.userId", "the result was text, not true or false"],
    ["event.data.n / 0 > 1", "division by zero"],
  ])("expression_error: %s", (source, error) => {
    expect(condition(source, data)).toEqual({ ok: false, error });
  });
});
