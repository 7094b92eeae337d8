import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evaluateCondition } from "../../../src/expressions/evaluate.ts";
import type { Place } from "../../../src/expressions/place.ts";
import type { Json } from "../../../src/json.ts";
import { compiled, condition, eventOf, keyOf, MATCHED, NOW, numberOf, UNMATCHED, waits } from "./samples.ts";

describe("protocol 7.9: the hand-made vectors", () => {
  it.each<[string, Json, boolean]>([
    ["event.data.n > 1", { n: 2 }, true],
    ["event.data.n > 1", {}, false],
    ["event.data.n < 1", {}, true],
    ['event.data.a == "1"', { a: 1 }, false],
    ["event.data.a.b.c == null", {}, true],
    ['event.data.tags.exists(t, t == "x")', { tags: ["x"] }, true],
    ['event.data.tags.exists(t, t == "x")', {}, false],
    ['lowercase(event.data.e) == "a@b"', { e: "A@B" }, true],
    ['date(event.data.at) > date("2024-01-01")', { at: "2025-01-01T00:00:00Z" }, true],
  ])("%s on %j: %s", (source, data, matched) => {
    expect(condition(source, data)).toEqual({ ok: true, matched });
  });
  it("keys and numbers", () => {
    expect(keyOf('event.data.id + "-" + event.data.t', { id: "u" })).toMatchObject({ key: "u-" });
    expect(numberOf("event.data.plan == 'pro' ? 120 : 0", { plan: "pro" })).toEqual({ ok: true, value: 120 });
    expect(numberOf("event.data.missing ? 1 : 2")).toEqual({ ok: true, value: 2 });
    expect(keyOf('"ai"')).toMatchObject({ key: "ai" });
  });
  it("a wait over both events", () => {
    const source = "event.data.ok == true && async.data.id == event.data.id";
    expect(waits(source, { ok: true, id: 1 }, { id: 1 })).toEqual(MATCHED);
    expect(waits(source, { ok: true, id: 1 }, { id: 2 })).toEqual(UNMATCHED);
    expect(waits(source, { ok: false, id: 1 }, { id: 1 })).toEqual(UNMATCHED);
  });
});

describe("XP-16: what counts in a condition", () => {
  const places: readonly Place[] = ["trigger", "wait", "cancel", "bulk_cancel", "replay", "event_search", "run_search"];
  it.each(places)("%s: only true matches, and a result of another type is said", (place) => {
    expect(condition("event.data.v", { v: true }, place)).toEqual(MATCHED);
    expect(condition("event.data.v", { v: false }, place)).toEqual(UNMATCHED);
    for (const [v, name] of [
      ["x", "text"],
      [1, "a number"],
      [null, "null"],
      [[], "a list"],
      [{}, "a map"],
    ] as const) {
      expect(condition("event.data.v", { v }, place)).toEqual({
        ok: false,
        error: `the result was ${name}, not true or false`,
      });
    }
  });
  it("a missing field as the whole condition is no error (XP-12)", () => {
    expect(condition("event.data.v")).toEqual(UNMATCHED);
    expect(condition("lowercase(event.data.v)")).toEqual(UNMATCHED);
  });
  it("batch if: only exactly true batches", () => {
    expect(condition("event.data.v", { v: true }, "batch")).toEqual(MATCHED);
    expect(condition("event.data.v || event.data.w", { w: true }, "batch")).toEqual(MATCHED);
    expect(condition("event.data.v || event.data.w", { w: "x" }, "batch")).toMatchObject({ ok: false });
    expect(condition("event.data.v || event.data.w", { w: "x" }, "trigger")).toEqual(MATCHED);
  });
  it("errors name kinds, never values", () => {
    const secret = "s3cr3t";
    for (const source of [
      "event.data.v",
      "event.data.v > 1",
      "event.data.v * 2 > 1",
      "json_parse(event.data.v)",
      "date(event.data.v)",
    ]) {
      const result = condition(source, { v: secret });
      expect(result.ok).toBe(false);
      expect(JSON.stringify(result)).not.toContain(secret);
    }
  });
});

describe("XP-14: keys as text", () => {
  it.each<[string, Json, string]>([
    ["event.data.v", { v: "text" }, "text"],
    ["event.data.v", { v: 5 }, "5"],
    ["event.data.v", { v: 9.1 }, "9.1"],
    ["event.data.v", { v: -0 }, "0"],
    ["event.data.v", { v: true }, "true"],
    ["event.data.v", { v: { b: 2, a: [1, null, "x"] } }, '{"a":[1,null,"x"],"b":2}'],
    ["event.data.v", { v: [] }, "[]"],
    ["[1, 1.0, 1u, timestamp(0), event.data.none]", {}, '[1,1,1,"1970-01-01T00:00:00Z",null]'],
    ["5u", {}, "5"],
    ["date(0)", {}, "1970-01-01T00:00:00Z"],
    ["''", {}, ""],
  ])("%s on %j is %s", (source, data, key) => {
    expect(keyOf(source, data)).toEqual({ ok: true, key, disabled: false, empty: key === "", warning: null });
  });
  it("1, 1.0 and '1' share a key, and so do maps whatever their order", () => {
    const keys = ["1", "1.0", '"1"'].map((v) => keyOf("event.data.v", JSON.parse(`{"v":${v}}`)).key);
    expect(new Set(keys).size).toBe(1);
    expect(keyOf("event.data.v", { v: { a: 1, b: 2 } }).key).toBe(keyOf("event.data.v", { v: { b: 2, a: 1 } }).key);
  });
  it("equal values have one key, and unequal lists and maps have two", () => {
    const json = fc.jsonValue({ maxDepth: 3 }).map((value): Json => JSON.parse(JSON.stringify(value)));
    const whole = fc.oneof(
      fc.array(json),
      fc.dictionary(fc.string(), json).map((map): Json => ({ ...map })),
    );
    fc.assert(
      fc.property(whole, whole, (a, b) => {
        const same = condition("event.data.a == event.data.b", { a, b });
        expect(keyOf("event.data.a", { a }).key === keyOf("event.data.b", { b }).key).toBe(same.ok && same.matched);
      }),
    );
  });
  it.each<[string, Json, string]>([
    ["event.data.user.id", {}, "the result was missing"],
    ["event.data.v", { v: null }, "the result was null"],
    ["event.data.v / 0", { v: 1 }, "division by zero"],
  ])("FC-41: %s on %j is the empty key with a warning", (source, data, warning) => {
    expect(keyOf(source, data)).toEqual({ ok: true, key: "", disabled: false, empty: true, warning });
  });
  it("FC-41: false says so, for rate limit and singleton", () => {
    expect(keyOf("event.data.v", { v: false })).toMatchObject({ key: "false", disabled: true });
    expect(keyOf("event.data.a == 1 && event.data.b", { a: 2 })).toMatchObject({ key: "false", disabled: true });
    expect(keyOf("'false'")).toMatchObject({ key: "false", disabled: false });
  });
});

describe("protocol 7.6: priority", () => {
  it.each<[string, Json, number]>([
    ["event.data.p", { p: 900 }, 900],
    ["event.data.p", { p: -1.5 }, -1.5],
    ["120", {}, 120],
    ["5u", {}, 5],
  ])("%s on %j is %s", (source, data, value) => {
    expect(numberOf(source, data)).toEqual({ ok: true, value });
  });
  it.each<[string, Json, string]>([
    ["event.data.p", { p: "x" }, "the result was text, not a number"],
    ["event.data.p", {}, "the result was missing, not a number"],
    ["event.data.p", { p: null }, "the result was null, not a number"],
    ["double('inf')", {}, "the result was a number, not a finite number"],
    ["event.data.p % 0", { p: 1 }, "remainder of a division by zero"],
  ])("FC-30: %s on %j is no number", (source, data, error) => {
    expect(numberOf(source, data)).toEqual({ ok: false, error });
  });
});

describe("XP-1: output", () => {
  it("is what the run returned, whatever that is", () => {
    const search = compiled("output.success == true && event.data.x == 1", "run_search");
    const event = eventOf({ x: 1 });
    expect(evaluateCondition(search, { event, output: { success: true } }, NOW)).toEqual(MATCHED);
    expect(evaluateCondition(search, { event, output: null }, NOW)).toEqual(UNMATCHED);
    expect(evaluateCondition(search, { event }, NOW)).toEqual(UNMATCHED);
    expect(evaluateCondition(compiled("output == null", "run_search"), { event, output: null }, NOW)).toEqual(MATCHED);
    expect(evaluateCondition(compiled("output[0] == 1", "replay"), { event, output: [1] }, NOW)).toEqual(MATCHED);
  });
});
