import { describe, expect, it } from "vitest";
import type { Json } from "../../../src/json.ts";
import { condition, faultOf, keyOf, MATCHED, numberOf, resultOf, UNMATCHED } from "./samples.ts";

describe("XP-13, protocol 7.5: in keys and numbers the deciding operand is the result", () => {
  it.each<[string, unknown, Json?]>([
    ['"first" || "second"', "first"],
    ['"" || "second"', "second"],
    ['"first" && "second"', "second"],
    ['"" && "second"', ""],
    ['0 || "hi"', "hi"],
    ['0.0 || "hi"', "hi"],
    ['0u || "hi"', "hi"],
    ['false || "hi"', "hi"],
    ['null || "hi"', "hi"],
    ['event.data.x || "hi"', "hi"],
    ['[] || "hi"', []],
    ['{} && "hi"', "hi"],
    ["event.data.x ? 't' : 'f'", "f"],
    ["event.data.x ? 1 : 2", 2n],
    ["'' ? 't' : 'f'", "f"],
    ["null ? 't' : 'f'", "f"],
    ["0 ? 't' : 'f'", "f"],
    ["[] ? 't' : 'f'", "t"],
    ["{} ? 't' : 'f'", "t"],
    ["'false' ? 't' : 'f'", "t"],
    ["-1 ? 't' : 'f'", "t"],
    ["true && false", false],
    ["true || false", true],
    ["false || event.data.b || 'c'", "b", { b: "b" }],
    ["event.data.ingressId || event.data.userId", "u", { userId: "u" }],
  ])("%s is %s", (source, expected, data = {}) => {
    expect(resultOf(source, data)).toEqual(expected);
  });
  it.each(["event.data.x || event.data.y", 'event.data.x && "x"', "event.data.x && event.data.y"])(
    "%s: the deciding operand is missing, false in a condition and the empty key in a key (FC-41)",
    (source) => {
      expect(condition(source)).toEqual(UNMATCHED);
      expect(keyOf(source)).toMatchObject({ key: "", empty: true, warning: "the result was missing" });
    },
  );
  it("a key with a default does not put all events under the key true", () => {
    expect(keyOf("event.data.ingressId || event.data.userId", { userId: "u" })).toMatchObject({
      key: "u",
      warning: null,
    });
    expect(numberOf("event.data.p || 5", {})).toEqual({ ok: true, value: 5 });
  });
});

describe("XP-13: in conditions the result is the boolean truth", () => {
  it.each<[string, Json]>([
    ["event.data.a || event.data.b", { b: "x" }],
    ["event.data.a && event.data.b", { a: 1, b: [] }],
    ["event.data.a == 1 ? event.data.b || event.data.c : false", { a: 1, c: "x" }],
    ["(event.data.a || event.data.b) && event.data.c", { a: 1, c: "x" }],
  ])("%s on %j matches", (source, data) => {
    expect(condition(source, data)).toEqual(MATCHED);
  });
  it.each<[string, Json]>([
    ["event.data.a || event.data.b", { a: 0, b: "" }],
    ["event.data.a && event.data.b", { a: "x", b: null }],
  ])("%s on %j does not", (source, data) => {
    expect(condition(source, data)).toEqual(UNMATCHED);
  });
  it("a default inside a comparison is still the operand", () => {
    expect(condition("(event.data.plan || 'free') == 'free'", {})).toEqual(MATCHED);
    expect(condition("size(event.data.a || 'abc') == 3", {})).toEqual(MATCHED);
  });
  it("a value that is no && or || is not judged by truthiness as the whole condition (XP-16)", () => {
    expect(condition("event.data.a ? event.data.b : 0", { a: 1, b: "x" })).toMatchObject({ ok: false });
  });
});

describe("XP-13: what is not needed is not evaluated", () => {
  it.each([
    "event.data.a == 1 || 1 / 0 > 0",
    "!(event.data.a == 2 && 1 / 0 > 0)",
    "event.data.a == 1 ? true : 1 / 0 > 0",
    "event.data.a == 2 ? 1 / 0 > 0 : true",
  ])("%s", (source) => {
    expect(condition(source, { a: 1 })).toEqual(MATCHED);
  });
});

describe("a fault on one side gives way when the other side decides, as in CEL", () => {
  it.each([
    ["1 / 0 > 0 || true", true],
    ["1 / 0 > 0 && false", false],
    ["1 / 0 > 0 || 'x'", "x"],
    ["1 / 0 > 0 && ''", ""],
  ])("%s is %s", (source, expected) => {
    expect(resultOf(source)).toBe(expected);
  });
  it.each(["1 / 0 > 0 || false", "1 / 0 > 0 && true", "false || 1 / 0 > 0", "true && 1 / 0 > 0", "1 / 0 > 0 ? 1 : 2"])(
    "%s is a runtime error",
    (source) => {
      expect(faultOf(source)).toBe("division by zero");
    },
  );
});
