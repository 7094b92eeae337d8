import { describe, expect, it } from "vitest";
import type { Json } from "../../../src/json.ts";
import { faultOf, resultOf } from "./samples.ts";

describe("XP-7: list macros", () => {
  it.each<[string, unknown, Json?]>([
    ["event.data.items.exists(e, e == 'shirt_1234')", true, { items: ["a", "shirt_1234"] }],
    ["event.data.items.exists(e, e == 'x')", false, { items: ["a"] }],
    ["[].exists(e, true)", false],
    ["[1, 2].all(e, e > 0)", true],
    ["[1, 2].all(e, e > 1)", false],
    ["[].all(e, false)", true],
    ["[1, 2, 3].exists_one(e, e > 2)", true],
    ["[1, 2, 3].exists_one(e, e > 1)", false],
    ["[1, 2, 3].filter(e, e > 1)", [2n, 3n]],
    ["[1, 2, 3].map(e, e * 2)", [2n, 4n, 6n]],
    ["[1, 2, 3].map(e, e > 1, e * 2)", [4n, 6n]],
    ["event.data.l.map(e, e.id)", ["a", null], { l: [{ id: "a" }, {}] }],
    ["event.data.m.exists(k, event.data.m[k] == 2)", true, { m: { a: 1, b: 2 } }],
    ["event.data.m.filter(k, k != 'a')", ["b"], { m: { a: 1, b: 2 } }],
    ["[[1, 2], [3]].exists(l, l.exists(e, e == 3))", true],
    ["[[1, 2], [3]].map(l, l.map(e, e + size(l)))", [[3n, 4n], [4n]]],
    ["[1].map(e, [2].map(e, e))", [[2n]]],
    ["[1].map(e, [2].map(e, e) + [e])", [[2n, 1n]]],
    ["[1].map(a, [2].map(b, [3].map(a, a + b)) + [a])", [[[5n], 1n]]],
    ["[1, 0, ''].filter(e, e)", [1n]],
    ["[1].exists(event, event == 1)", true],
  ])("%s", (source, expected, data = {}) => {
    expect(resultOf(source, data)).toEqual(expected);
  });
});

describe("XP-12: on a missing field a macro is false", () => {
  it.each(["exists(t, t == 'x')", "all(t, t == 'x')", "exists_one(t, t == 'x')", "map(t, t)", "filter(t, t)"])(
    "x.%s",
    (macro) => {
      expect(resultOf(`event.data.tags.${macro} == false`)).toBe(true);
    },
  );
});

describe("faults in a macro", () => {
  it("give way to an element that decides, as in CEL", () => {
    expect(resultOf("[0, 1].exists(e, 1 / e == 1)")).toBe(true);
    expect(resultOf("[0, 1].all(e, 1 / e == 2)")).toBe(false);
  });
  it.each([
    "[0, 1].exists(e, 1 / e == 2)",
    "[0, 1].all(e, 1 / e == 1)",
    "[0].map(e, 1 / e)",
    "[0, 1].exists_one(e, 1 / e == 1)",
  ])("%s is a runtime error", (source) => {
    expect(faultOf(source)).toBe("division by zero");
  });
  it.each([{ x: "abc" }, { x: 1 }, { x: null }])("on %j there is nothing to go over", (data) => {
    expect(faultOf("event.data.x.exists(e, true)", data)).toContain('"exists" wants a list or a map');
  });
});
