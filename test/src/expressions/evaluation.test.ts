import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evaluateKey, evaluateValue } from "../../../src/expressions/evaluate.ts";
import { Evaluation } from "../../../src/expressions/evaluation.ts";
import { compile } from "../../../src/expressions/expression.ts";
import type { Json } from "../../../src/json.ts";
import { EXPRESSION } from "../../../src/limits.ts";
import { compiled, condition, eventOf, faultOf, keyOf, MATCHED, NOW, resultOf } from "./samples.ts";

const numbers = (length: number): number[] => Array.from({ length }, (_, index) => index);

const STEPS = "the evaluation takes more than 10000 steps";
const TEXT = "the evaluation reads or builds more than 1048576 characters of text";

describe("XP-17: 10,000 steps", () => {
  const list = numbers(100_000);
  it.each([
    "event.data.list.exists(x, x == -1)",
    "event.data.list.all(x, true)",
    "event.data.list.exists_one(x, x == 1)",
    "event.data.list.map(x, x) == []",
    "event.data.list.filter(x, false) == []",
    "-1 in event.data.list",
    "event.data.list == event.data.list2",
    "size(event.data.list + event.data.list) == 1",
    "('' + event.data.list) == ''",
  ])("a list of 100,000 elements ends %s as a runtime error", (source) => {
    expect(faultOf(source, { list, list2: [...list] })).toBe(STEPS);
  });
  it("one whose first element decides, or whose size is all that counts, does not", () => {
    expect(condition("event.data.list.exists(x, x == 0)", { list })).toEqual(MATCHED);
    expect(condition("size(event.data.list) == 100000", { list })).toEqual(MATCHED);
  });
  it("other events are unaffected: every evaluation has its own budget", () => {
    const expression = compiled("event.data.list.exists(x, x == -1)", "trigger");
    expect(evaluateValue(expression, { event: eventOf({ list }) }, NOW)).toMatchObject({ ok: false });
    expect(evaluateValue(expression, { event: eventOf({ list: [-1] }) }, NOW)).toEqual({ ok: true, value: true });
  });
  it("elements count, and so does every operator, access and call on them", () => {
    // The macro, the two accesses of its list, and of every element itself and its comparison.
    const most = Math.floor((EXPRESSION.steps - 3) / 2);
    expect(resultOf("event.data.list.all(x, x >= 0)", { list: numbers(most) })).toBe(true);
    expect(faultOf("event.data.list.all(x, x >= 0)", { list: numbers(most + 1) })).toBe(STEPS);
  });
  it("what runs out is not absorbed by || or a macro", () => {
    expect(faultOf("event.data.list.exists(x, false) || true", { list })).toBe(STEPS);
    expect(faultOf("[1].exists(y, event.data.list.exists(x, false))", { list })).toBe(STEPS);
  });
  it("faults that are absorbed are charged for what they cost", () => {
    expect(faultOf("event.data.list.exists(x, 1 / 0 == x)", { list: numbers(1000) })).toBe(STEPS);
  });
  it("a key that would print a huge value is the empty key with a warning", () => {
    expect(keyOf("event.data", { list })).toMatchObject({ key: "", warning: STEPS });
  });
});

describe("XP-17: text stands in for CPU time", () => {
  const text = "a".repeat(1_000_000);
  const data = { text, other: `${text.slice(1)}b`, list: numbers(3000) };
  it.each([
    "event.data.list.exists(x, event.data.text == event.data.other)",
    "event.data.list.exists(x, event.data.text.contains('b'))",
    "event.data.list.exists(x, (event.data.text + 'x') == '')",
    "event.data.text < event.data.other",
    "size(event.data.text) == 1",
    "lowercase(uppercase(event.data.text)) == ''",
    "b64decode(event.data.text) == ''",
    "json_parse(event.data.text) == ''",
  ])("%s", (source) => {
    expect(faultOf(source, data)).toBe(TEXT);
  });
  it("looking at one long text once is within the budget", () => {
    expect(resultOf("event.data.text.contains('b')", data)).toBe(false);
    expect(resultOf("event.data.text == event.data.other", data)).toBe(false);
  });
});

describe("SE-16: a set made to hurt", () => {
  const depth = (levels: number): Json => {
    let value: Json = 1;
    for (let level = 0; level < levels; level++) value = [value];
    return value;
  };
  const nested = (levels: number, body: string): string =>
    levels === 0 ? body : `event.data.list.map(x${levels}, ${nested(levels - 1, body)})`;
  const data = {
    list: numbers(3000),
    texts: numbers(3000).map((index) => `${"x".repeat(300)}${index}`),
    json: `${"[".repeat(100_000)}${"]".repeat(100_000)}`,
    deep: depth(5000),
    deep2: depth(5000),
    digits: "9".repeat(1_000_000),
    fields: Object.fromEntries(numbers(20_000).map((index) => [`k${index}`, index])),
    pattern: "(a|b|c|d|e|f){999}",
  };
  it.each([
    nested(8, "1"),
    nested(8, "event.data.list"),
    nested(2, "x1 + x2 < 0 || 1 / 0 > 0"),
    "event.data.texts.exists(a, event.data.texts.exists(b, a < b && b < a))",
    "event.data.list.map(x, event.data.texts)",
    "event.data.list.map(x, '' + event.data.texts)",
    "event.data.list.exists(x, json_parse(event.data.json) == 1)",
    "event.data.deep == event.data.deep2",
    "'' + event.data.deep",
    "event.data.deep",
    "int(event.data.digits) == 1",
    "double(event.data.digits) == 1.0",
    "timestamp(event.data.digits) > now()",
    "duration(event.data.digits) == duration('1s')",
    "event.data.list.map(x, size(event.data.fields))",
    "event.data.list.exists(x, event.data.fields.exists(k, false))",
    "event.data.fields == event.data.fields.map(k, k)",
    "event.data.list.exists(x, 'a'.matches(event.data.pattern))",
  ])("%s ends soon", (source) => {
    const expression = compiled(source, source.includes("now()") ? "priority" : "key");
    const variables = { event: eventOf(data) };
    evaluateKey(expression, variables, NOW);
    const start = performance.now();
    evaluateKey(expression, variables, NOW);
    expect(performance.now() - start).toBeLessThan(100);
  });
  it("values nested deeper than any event end as a fault and not as a stack overflow", () => {
    expect(faultOf("event.data.deep == event.data.deep2", data)).toContain("nested deeper than 128");
    expect(keyOf("event.data.deep", data).warning).toContain("nested deeper than 128");
  });
});

describe("properties", () => {
  it("no evaluation spends more than its budget", () => {
    const macro = fc.constantFrom("exists", "all", "map", "filter", "exists_one");
    const body = fc.constantFrom("x", "x == 1", "x + x", "event.data.list", "string(x) + event.data.text", "1 / x");
    const source = fc.array(fc.tuple(macro, body), { minLength: 1, maxLength: 4 }).map((calls) => {
      return `event.data.list${calls.map(([name, part]) => `.${name}(x, ${part})`).join("")}`;
    });
    fc.assert(
      fc.property(source, fc.nat(20_000), fc.nat(100_000), (text, length, characters) => {
        const result = compile(text, "key");
        if (!result.ok) throw new Error(result.error.message);
        const evaluation = new Evaluation(
          { event: { data: { list: numbers(length), text: "t".repeat(characters) } }, async: null, output: null },
          0,
        );
        let ended: unknown = null;
        try {
          result.expression.plan(evaluation);
        } catch (thrown) {
          ended = thrown;
        }
        const spent = evaluation.spent();
        expect(spent.steps > EXPRESSION.steps || spent.characters > EXPRESSION.characters).toBe(
          ended instanceof Error && ended.name === "CostExceeded",
        );
        expect(spent.steps).toBeLessThanOrEqual(EXPRESSION.steps + Math.max(EXPRESSION.faultSteps, 2 * length));
      }),
      { numRuns: 300 },
    );
  });
});
