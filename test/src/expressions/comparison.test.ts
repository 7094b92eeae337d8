import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Json } from "../../../src/json.ts";
import { faultOf, resultOf } from "./samples.ts";

function check(rows: readonly (readonly [source: string, expected: boolean, data?: Json])[]): void {
  it.each(rows)("%s is %s on %j", (source, expected, data = {}) => {
    // What stands for false after an operation on a missing field equals false.
    expect(resultOf(`(${source}) == true`, data)).toBe(expected);
    expect(resultOf(`(${source}) == false`, data)).toBe(!expected);
  });
}

describe("XP-10: numbers", () => {
  check([
    ["event.data.n == 5", true, { n: 5 }],
    ["event.data.n == 5.0", true, { n: 5 }],
    ["event.data.n == 5u", true, { n: 5 }],
    ['event.data.n == "5"', false, { n: 5 }],
    ["event.data.n == 5", false, { n: "5" }],
    ["1 == 1.0", true],
    ["1u == 1", true],
    ["event.data.n > 1", true, { n: 1.5 }],
    ["event.data.n < 2u", true, { n: 1.5 }],
    ["1 < 1.5", true],
    ["5 in event.data.l", true, { l: [5] }],
    ["event.data.n == 1234567890123456789", true, JSON.parse('{"n":1234567890123456789}')],
    ["9223372036854775807 == 9223372036854775806", false],
    ["event.data.n == 0", true, { n: -0 }],
    ["double('NaN') == double('NaN')", false],
    ["double('NaN') < 1.0", false],
    ["double('NaN') >= 1.0", false],
  ]);
});

describe("XP-11, protocol 7.3: mixed types", () => {
  check([
    ['"1" == event.data.n', false, { n: 1 }],
    ['"1" != event.data.n', true, { n: 1 }],
    ["event.data.b == 1", false, { b: true }],
    ["event.data.l == {}", false, { l: [] }],
    ["[1, 'a', {'b': [2]}] == event.data.l", true, { l: [1, "a", { b: [2] }] }],
    ["[1, 2] == event.data.l", false, { l: [2, 1] }],
    ["[1] == [1, 1]", false],
    ["{'a': 1, 'b': 2} == event.data.m", true, { m: { b: 2, a: 1 } }],
    ["{'a': 1} == event.data.m", false, { m: { a: 1, b: 2 } }],
    ["{'a': null} == {'b': null}", false],
    ["type(1) == int && type(1.0) == double && type('a') == string && type([]) == list", true],
    ["type(null) == null_type && type({}) == map && type(true) == bool && type(int) == type && type(1u) == uint", true],
    ["type(timestamp(0)) == google.protobuf.Timestamp", true],
    ["type(duration('1s')) == google.protobuf.Duration", true],
    ["timestamp(0) == timestamp('1970-01-01T00:00:00Z')", true],
    ["duration('60s') == duration('1m')", true],
    ["timestamp(0) == '1970-01-01T00:00:00Z'", false],
    ["date(event.data.at) == date('2024-01-01')", true, { at: "2024-01-01" }],
    ["'a' < 'b'", true],
    ["'a' < 'aa'", true],
    ["'\\uFFFF' < '\\U0001F600'", true],
    ["false < true", true],
    ["duration('1s') < duration('1m')", true],
  ]);
  it.each([
    ["event.data.a < 1", { a: "x" }, "text and a number have no order"],
    ["event.data.a > 'x'", { a: 1 }, "a number and text have no order"],
    ["event.data.a >= true", { a: 1 }, "a number and a boolean have no order"],
    ["event.data.a <= [2]", { a: [1] }, "a list and a list have no order"],
    ["event.data.a < {}", { a: {} }, "a map and a map have no order"],
    ["timestamp(0) < '2024-01-01'", {}, "a date and text have no order"],
  ])("%s on %j is a runtime error", (source, data, error) => {
    expect(faultOf(source, data)).toBe(error);
  });
});

describe("XP-12, protocol 7.4: missing fields", () => {
  const x = "event.data.a.b.c";
  check([
    [`${x} == null`, true],
    [`null == ${x}`, true],
    ["event.data.x == null", true],
    ...["1", "0", "''", "'a'", "true", "false", "[]", "{}"].flatMap((v): [string, boolean][] => [
      [`${x} == ${v}`, false],
      [`${v} == ${x}`, false],
      [`${x} != ${v}`, true],
      [`${v} != ${x}`, true],
    ]),
    [`${x} == event.data.y`, false],
    [`${x} == ${x}`, false],
    [`${x} != ${x}`, false],
    [`${x} != null`, false],
    [`null != ${x}`, false],
    ...["1", "-1", "''", "'a'", "false", "[]", "timestamp(0)", "null"].flatMap((v): [string, boolean][] => [
      [`${x} < ${v}`, true],
      [`${x} <= ${v}`, true],
      [`${v} > ${x}`, true],
      [`${v} >= ${x}`, true],
      [`${x} > ${v}`, false],
      [`${x} >= ${v}`, false],
      [`${v} < ${x}`, false],
      [`${v} <= ${x}`, false],
    ]),
    [`${x} < event.data.y`, false],
    [`${x} >= event.data.y`, false],
    [`${x} in [1]`, false],
    [`1 in ${x}`, false],
    [`"k" in ${x}`, false],
    [`${x} in ${x}`, false],
    [`has(${x})`, false],
    ["has(event.data.x)", false],
  ]);
});

describe("XP-12: an operation on a missing field is false and never an error, however it is used further", () => {
  check([
    ["!event.data.x", false],
    ["!!event.data.x", true],
    ["lowercase(event.data.x) == 'a'", false],
    ["lowercase(event.data.x) != 'a'", true],
    ["timestamp(event.data.x) > timestamp('2024-01-01T00:00:00Z')", false],
    ["timestamp(event.data.x) < timestamp('2024-01-01T00:00:00Z')", false],
    ["event.data.x * 2 > 10", false],
    ["-event.data.x < 10", false],
    ["10 - event.data.x == 10", false],
    ["int(event.data.x) + 1 > 0", false],
    ["timestamp(event.data.x) + duration('1h') > now()", false],
    ["(lowercase(event.data.x) + 'a') == 'falsea'", true],
    ["lowercase(event.data.x).contains('a')", false],
    ["event.data.x.filter(e, e > 1).exists(e, e == 2)", false],
    ["size(event.data.x.map(e, e)) > 0", false],
    ["json_parse(event.data.x).a.b == 1", false],
    ["json_parse(event.data.x)[0] == null", true],
    ["lowercase(event.data.x) in ['a']", false],
    ["(event.data.x == event.data.y) == false", true],
  ]);
});

describe("XP-12, protocol 7.4: null", () => {
  const data = { x: null };
  check([
    ["event.data.x == null", true, data],
    ["event.data.x == event.data.x", true, data],
    ["event.data.x != null", false, data],
    ["event.data.x == event.data.y", true, data],
    ...["0", "''", "false", "[]", "{}"].flatMap((v): [string, boolean, Json][] => [
      [`event.data.x == ${v}`, false, data],
      [`event.data.x != ${v}`, true, data],
    ]),
    ["event.data.x < 1", true, data],
    ["event.data.x < 5", true, data],
    ["event.data.x > 0", false, data],
    ["event.data.x <= 0", true, data],
    ["event.data.x >= 0.0", true, data],
    ["1 > event.data.x", true, data],
    ["event.data.x < 1u", true, data],
    ['event.data.x < "foo"', true, data],
    ['event.data.x >= ""', true, data],
    ["event.data.x < true", true, data],
    ["event.data.x < timestamp('0001-01-02T00:00:00Z')", true, data],
    ["event.data.x < duration('1s')", true, data],
    ["event.data.x <= null", true, data],
    ["event.data.x < null", false, data],
    ["has(event.data.x)", true, data],
    ["has(event.data.x.y)", false, data],
    ["event.data.x.y == null", true, data],
    ["event.data.x in [null]", true, data],
  ]);
  it("has no order with what has no zero", () => {
    expect(faultOf("event.data.x < [1]", data)).toBe("null and a list have no order");
  });
  it("is refused by methods and by !", () => {
    expect(faultOf("event.data.x.contains('a')", data)).toContain("null");
    expect(faultOf("!event.data.x", data)).toContain("null");
    expect(faultOf("size(event.data.x)", data)).toContain("null");
    expect(faultOf("1 in event.data.x", data)).toContain("null");
  });
});

describe("in", () => {
  check([
    ["'a' in event.data.l", true, { l: ["b", "a"] }],
    ["1 in event.data.l", true, { l: [0, 1.0] }],
    ["[1] in event.data.l", true, { l: [[1]] }],
    ["'k' in event.data.m", true, { m: { k: null } }],
    ["'z' in event.data.m", false, { m: { k: 1 } }],
    ["'toString' in event.data.m", false, { m: {} }],
    ["1 in event.data.m", false, { m: { 1: 1 } }],
  ]);
  it("wants a list or a map", () => {
    expect(faultOf("'a' in event.data.s", { s: "abc" })).toBe('"in" wants a list or a map on its right, not text');
  });
});

describe("properties", () => {
  const json = fc.jsonValue({ maxDepth: 3 }).map((value): Json => JSON.parse(JSON.stringify(value)));
  it("== is reflexive and symmetric on what is present, and != is its opposite", () => {
    fc.assert(
      fc.property(json, json, (a, b) => {
        const data = { a, b, c: structuredClone(a) };
        expect(resultOf("event.data.a == event.data.c", data)).toBe(true);
        expect(resultOf("event.data.a == event.data.b", data)).toBe(resultOf("event.data.b == event.data.a", data));
        expect(resultOf("event.data.a != event.data.b", data)).toBe(!resultOf("event.data.a == event.data.b", data));
      }),
    );
  });
  it("the order of texts is that of their UTF-8 bytes", () => {
    const text = fc.string({ unit: "grapheme" });
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(resultOf("event.data.a < event.data.b", { a, b })).toBe(
          Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0,
        );
      }),
    );
  });
});
