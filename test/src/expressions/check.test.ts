import { describe, expect, it } from "vitest";
import { compile } from "../../../src/expressions/expression.ts";
import { compiled, compileErrorOf, MATCHED, waits } from "./samples.ts";

describe("XP-9: unknown names and wrong counts are compile errors", () => {
  it.each([
    ["userId == async.data.userId", 1, "userId"],
    ["user_1234 == event.data.id", 1, "user_1234"],
    ["event.data.a == pro", 17, "pro"],
    ["event.data.l.exists(x, y == 1)", 24, "y"],
    ["event.data.l.exists(x, x == 1) && x == 1", 35, "x"],
    ["x.exists(x, true)", 1, "x"],
    ["foo(1)", 1, "foo"],
    ["event.data.a.foo(1)", 14, "foo"],
    ["event.data.startsWith . foo(1)", 25, "foo"],
    ["lowercase()", 1, "lowercase"],
    ["now(1)", 1, "now"],
    ["event.data.a.contains()", 14, "contains"],
    ["event.data.a.contains('a', 'b')", 14, "contains"],
    ["contains(event.data.a, 'x')", 1, "contains"],
    ["event.data.a.int()", 14, "int"],
  ])("%s", (source, column, name) => {
    const error = compileErrorOf(source, "wait");
    expect(error).toMatchObject({ line: 1, column });
    expect(error.message).toContain(`"${name}"`);
  });
  it("AP-17: an unquoted id is called an unknown variable", () => {
    expect(compileErrorOf("user_1234 == event.data.id")).toEqual({
      message: '"user_1234" is not a known variable; there is event, and text needs quotes',
      line: 1,
      column: 1,
    });
  });
  it("EX-44: an id that looks like arithmetic on names is refused as well", () => {
    expect(compile("async.data.id == 7f3c2a10-9b1e-4c55-8a4e-0d1f2e3a4b5c", "wait").ok).toBe(false);
  });
  it("map keys that are no texts are refused", () => {
    expect(compileErrorOf("{1: 'a'}[event.data.n] == 'a'")).toMatchObject({
      column: 2,
      message: "the keys of a map are texts",
    });
  });
});

describe("XP-8: cancelOn allows only what is cheap", () => {
  it.each([
    "async.data.id == event.data.id",
    "event.data.id == async.data.id && (async.data.n > 1 || !(async.data.b == true))",
    "async.data.id in ['a', \"b\"] || 'k' in async.data.m",
    "has(async.data.id) && size(async.data.l) > 0 && async.data.l[0] == {'a': 1}",
    "async.data.s.contains('x') || async.data.s.startsWith('x') || async.data.s.endsWith('x')",
    "async.data.s.matches('^x') && lowercase(async.data.s) == 'x' && json_parse(async.data.j).a == 1",
    "int(async.data.n) == 1 && string(async.data.n) == '1' && double(async.data.n) > -1.5 && bool(async.data.b)",
    "async.data.a == 1 ? async.data.b == 2 : false",
  ])("%s", (source) => {
    expect(compiled(source, "cancel").warnings).toEqual([]);
  });
  it.each([
    ["async.data.ids.exists(x, x == 1)", 16],
    ["async.data.ids.exists_one(x, x == 1)", 16],
    ["async.data.ids.all(x, x == 1)", 16],
    ["size(async.data.ids.map(x, x)) == 1", 21],
    ["size(async.data.ids.filter(x, x == 1)) == 1", 21],
    ["async.data.a == event.data.a + 'x'", 32],
    ["async.data.n - 1 == event.data.n", 16],
    ["-async.data.n == event.data.n", 1],
    ["async.data.at > now()", 17],
    ["date(async.data.at) > date(event.data.at)", 1],
    ["timestamp(async.data.at) > timestamp(event.data.at)", 1],
  ])("%s is refused", (source, column) => {
    expect(compileErrorOf(source, "cancel")).toMatchObject({ line: 1, column });
  });
  it("in a wait the same works", () => {
    expect(waits("async.data.ids.exists(x, x == 1)", {}, { ids: [2, 1] })).toEqual(MATCHED);
  });
});

describe("XP-18: keys do not depend on the time", () => {
  it.each(["string(now())", "now_plus('1h')", "'a' + string(now_minus('7d'))", "event.data.l.map(x, now())"])(
    "%s",
    (source) => {
      expect(compile(source, "key").ok).toBe(false);
      expect(compile(source, "priority").ok).toBe(true);
    },
  );
  it("a date made from the event is no such thing", () => {
    expect(compile("string(date(event.data.at))", "key").ok).toBe(true);
  });
});
