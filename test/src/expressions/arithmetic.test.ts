import { describe, expect, it } from "vitest";
import type { Json } from "../../../src/json.ts";
import { faultOf, resultOf } from "./samples.ts";

describe("XP-6, XP-10: arithmetic", () => {
  it.each<[string, unknown, Json?]>([
    ["7 / 2", 3n],
    ["-7 / 2", -3n],
    ["7 % 2", 1n],
    ["-7 % 2", -1n],
    ["7.0 / 2.0", 3.5],
    ["7u / 2u", { kind: "uint", value: 3n }],
    ["event.data.n + 1", 8, { n: 7 }],
    ["event.data.n - 1", 6, { n: 7 }],
    ["event.data.n * 2", 14, { n: 7 }],
    ["event.data.n / 2", 3.5, { n: 7 }],
    ["event.data.n % 2", 1, { n: 7 }],
    ["1 + 1.5", 2.5],
    ["2u + 1", 3n],
    ["-event.data.n", -7, { n: 7 }],
    ["[1] + [2, 3]", [1n, 2n, 3n]],
    ["[] + event.data.l", [1], { l: [1] }],
  ])("%s is %s", (source, expected, data = {}) => {
    expect(resultOf(source, data)).toEqual(expected);
  });
  it.each<[string, string, Json?]>([
    ["event.data.n / 0", "division by zero", { n: 7 }],
    ["1 / 0", "division by zero"],
    ["1.5 / 0.0", "division by zero"],
    ["event.data.n % 0", "remainder of a division by zero", { n: 7 }],
    ["1 % 0", "remainder of a division by zero"],
    ["9223372036854775807 + 1", "integer overflow"],
    ["-9223372036854775808 - 1", "integer overflow"],
    ["9223372036854775807 * 2", "integer overflow"],
    ["-(-9223372036854775808)", "integer overflow"],
    ["1u - 2u", "unsigned integer overflow"],
    ["timestamp('9999-12-31T23:59:59Z') + duration('1s')", "date overflow"],
    ["'a' - 'b'", '"-" cannot combine text and text'],
    ["event.data.s * 2", '"*" cannot combine text and a number', { s: "5" }],
    ["-event.data.s", '"-" wants a number, not text', { s: "5" }],
    ["true + false", '"+" cannot combine a boolean and a boolean'],
    ["{} + {}", '"+" cannot combine a map and a map'],
    ["event.data.x * 2", '"*" cannot combine null and a number', { x: null }],
  ])("%s is a runtime error", (source, error, data = {}) => {
    expect(faultOf(source, data)).toBe(error);
  });
});

describe("XP-11, protocol 7.3: + joins printed forms", () => {
  it.each<[string, string, Json?]>([
    ['"a" + 1', "a1"],
    ['1 + "a"', "1a"],
    ['"n" + event.data.n', "n9.1", { n: 9.1 }],
    ['"n" + event.data.n', "n7", { n: 7 }],
    ['"" + true', "true"],
    ['"" + event.data.l', "[3 ok? true]", { l: [3, "ok?", true] }],
    ['"" + event.data.m', "map[name:inngest]", { m: { name: "inngest" } }],
    ['"" + event.data.m', "map[a:[1 <nil>] b:map[c:2]]", { m: { b: { c: 2 }, a: [1, null] } }],
    ['"" + []', "[]"],
    ['"" + {}', "map[]"],
    ['"" + 5u', "5"],
    ['"" + timestamp(1.0)', "1970-01-01T00:00:01Z"],
    ['"" + duration("90s")', "90s"],
    ['"" + int', "int"],
    ["1 + true", "1true"],
    ["event.data.userId + '-' + event.data.importId", "u-7", { userId: "u", importId: 7 }],
    ["event.data.id + '-' + event.data.t", "u-", { id: "u" }],
    ["event.data.id + '-' + event.data.t", "u-", { id: "u", t: null }],
  ])("%s is %s", (source, expected, data = {}) => {
    expect(resultOf(source, data)).toBe(expected);
  });
});

describe("XP-12, protocol 7.4: + with a missing field", () => {
  it.each([
    ['event.data.x + "a"', "a"],
    ['"a" + event.data.x', "a"],
    ["event.data.x + 5", 5n],
    ["event.data.x + null", null],
  ])("%s is the other operand", (source, expected) => {
    expect(resultOf(source)).toBe(expected);
  });
  it("x + y with both missing is false", () => {
    expect(resultOf("(event.data.x + event.data.y) == false")).toBe(true);
  });
  it("a null adds nothing", () => {
    expect(resultOf("event.data.x + 5", { x: null })).toBe(5n);
    expect(resultOf("[1] + event.data.x", { x: null })).toEqual([1n]);
  });
});
