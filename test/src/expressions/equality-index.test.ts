import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bind, equalities, incomingKeys } from "../../../src/expressions/equality-index.ts";
import { evaluateCondition } from "../../../src/expressions/evaluate.ts";
import { matchExpression } from "../../../src/expressions/match.ts";
import type { Json } from "../../../src/json.ts";
import { EXPRESSION } from "../../../src/limits.ts";
import { compiled, eventOf, NOW } from "./samples.ts";

/** The binding of a wait on an event. */
function bound(source: string, data: Json = {}): ReturnType<typeof bind> {
  return bind(compiled(source, "wait"), eventOf(data));
}

/** Whether the index would offer this wait to an incoming event. */
function isCandidate(source: string, event: Json, async: Json): boolean {
  const binding = bound(source, event);
  if (binding.kind === "never") return false;
  return binding.parts.every((part) => incomingKeys(part.asyncPath, eventOf(async) ?? {}).includes(part.key));
}

describe("XP-19: the equality parts of a condition", () => {
  it.each<[string, readonly [string, "constant" | "event"][]]>([
    ["async.data.id == event.data.id", [["data.id", "event"]]],
    ["event.data.id == async.data.id", [["data.id", "event"]]],
    ["async.data.id == 'x'", [["data.id", "constant"]]],
    ["async.data['user id'] == 1", [["data.user id", "constant"]]],
    [
      "async.name == 'a' && (async.data.id == event.data.id && async.data.n > 1)",
      [
        ["name", "constant"],
        ["data.id", "event"],
      ],
    ],
    ["async.data.id == event.data.a + '-' + event.data.b", [["data.id", "event"]]],
    [matchExpression("data.userId"), [["data.userId", "event"]]],
    ["async.data == event.data", [["data", "event"]]],
    ["async.data.id == event.data.id || true", []],
    ["!(async.data.id == event.data.id)", []],
    ["async.data.id != event.data.id", []],
    ["async.data.id == async.data.other", []],
    ["async.data.l[0] == 1", []],
    ["async.data[event.data.k] == 1", []],
    ["async.data.at == string(now())", []],
    ["async.data.ids.exists(x, x == event.data.id)", []],
    ["event.data.a == 1", []],
  ])("%s", (source, expected) => {
    const parts = equalities(compiled(source, "wait"));
    expect(parts.map(({ asyncPath, from }) => [asyncPath.join("."), from])).toEqual(expected);
  });
});

describe("XP-19: binding to the trigger event", () => {
  it("resolves the event side, the best part first", () => {
    const source = "async.data.live == true && async.data.plan == 'pro' && async.data.id == event.data.id";
    expect(bound(source, { id: 7 })).toEqual({
      kind: "parts",
      parts: [
        { asyncPath: ["data", "id"], key: "number 7" },
        { asyncPath: ["data", "plan"], key: "text pro" },
        { asyncPath: ["data", "live"], key: "true" },
      ],
    });
  });
  it("without equalities the wait is a candidate for every event", () => {
    expect(bound("async.data.n > event.data.n", { n: 1 })).toEqual({ kind: "parts", parts: [] });
  });
  it("protocol 7.8: what the trigger event decides alone can be never", () => {
    const source = "event.data.ok == true && async.data.id == event.data.id";
    expect(bound(source, { ok: true, id: 1 })).toMatchObject({ kind: "parts" });
    expect(bound(source, { ok: false, id: 1 })).toEqual({ kind: "never", reason: null });
    expect(bound(matchExpression("data.id"), {})).toEqual({ kind: "never", reason: null });
    expect(bound("async.data.at == timestamp(0)")).toEqual({ kind: "never", reason: null });
  });
  it("XP-16: a fault that the trigger event decides is never, with its reason", () => {
    expect(bound("async.data.id == event.data.n / 0", { n: 1 })).toEqual({ kind: "never", reason: "division by zero" });
    expect(bound("event.data.s > 1 && async.data.id == 1", { s: "x" })).toMatchObject({
      kind: "never",
      reason: expect.any(String),
    });
  });
  it("a condition on the clock is left to the evaluation", () => {
    expect(bound("now() > timestamp(0) && async.data.id == 1")).toEqual({
      kind: "parts",
      parts: [{ asyncPath: ["data", "id"], key: "number 1" }],
    });
  });
  it("a long text has a short key", () => {
    const binding = bound("async.data.s == event.data.s", { s: "x".repeat(100_000) });
    expect(JSON.stringify(binding).length).toBeLessThan(EXPRESSION.indexCharacters + 100);
  });
});

describe("XP-12: missing and null in the index", () => {
  const source = "async.data.id == event.data.id";
  it.each<[Json, Json, boolean]>([
    [{}, {}, false],
    [{}, { id: null }, true],
    [{ id: null }, {}, true],
    [{ id: null }, { id: null }, true],
    [{}, { id: 1 }, false],
    [{ id: 1 }, {}, false],
    [{ id: 1 }, { id: 1.0 }, true],
    [{ id: 1 }, { id: "1" }, false],
    [{ id: "null" }, { id: null }, false],
    [{ id: "true" }, { id: true }, false],
    [{ id: -0 }, { id: 0 }, true],
    [{ id: false }, { id: false }, true],
    [{ id: [1] }, { id: [1] }, true],
  ])("a wait of %j is offered to %j: %s", (event, async, candidate) => {
    expect(isCandidate(source, event, async)).toBe(candidate);
    const result = evaluateCondition(compiled(source, "wait"), { event: eventOf(event), async: eventOf(async) }, NOW);
    expect(result).toEqual({ ok: true, matched: candidate });
  });
});

describe("XP-19: the index is sound", () => {
  const value = fc.oneof(
    fc.constantFrom<Json>(null, true, false, 0, -0, 1, 1.5, "", "1", "a", "null", "unset", [], [1], {}, { a: 1 }),
    fc.constantFrom<Json>(9007199254740992, 9007199254740994, "x".repeat(300), `${"x".repeat(299)}y`),
    fc.integer({ min: -2, max: 2 }),
  );
  const data = fc.dictionary(fc.constantFrom("a", "b", "c"), value).map((fields): Json => ({ ...fields }));
  const side = fc.constantFrom(
    "event.data.a",
    "event.data.b",
    "async.data.a",
    "async.data.b",
    "async.data.c",
    "async.data.a.b",
  );
  const constant = fc.constantFrom(
    "null",
    "true",
    "1",
    "1.0",
    "1u",
    "'1'",
    "[1]",
    "{'a': 1}",
    "9007199254740993",
    "timestamp(0)",
  );
  const derived = fc.constantFrom(
    "event.data.a + event.data.b",
    "event.data.a || event.data.b",
    "lowercase(event.data.a)",
    "[event.data.a]",
  );
  const operand = fc.oneof(side, side, constant, derived);
  const comparison = fc
    .tuple(operand, fc.constantFrom("==", "==", "==", "!=", "<"), operand)
    .map((parts) => `(${parts.join(" ")})`);
  const source = fc
    .array(
      fc.oneof(
        comparison,
        side,
        fc.constantFrom(matchExpression("data.a"), "(event.data.a || async.data.b)", "now() > now()"),
      ),
      {
        minLength: 1,
        maxLength: 4,
      },
    )
    .map((parts) => parts.join(" && "));

  it("whatever the full evaluation matches, the index offers", () => {
    let matches = 0;
    fc.assert(
      fc.property(source, data, data, (text, event, async) => {
        const result = evaluateCondition(compiled(text, "wait"), { event: eventOf(event), async: eventOf(async) }, NOW);
        if (!result.ok || !result.matched) return;
        matches++;
        expect(isCandidate(text, event, async)).toBe(true);
      }),
      { numRuns: 20_000 },
    );
    expect(matches).toBeGreaterThan(500);
  });

  it("a single equality is offered exactly what it matches, lists and maps aside", () => {
    const scalar = value.filter((one) => typeof one !== "object" || one === null);
    const fields = fc.dictionary(fc.constantFrom("a", "b"), scalar).map((map): Json => ({ ...map }));
    fc.assert(
      fc.property(fields, fields, (event, async) => {
        const text = "async.data.a == event.data.a";
        const result = evaluateCondition(compiled(text, "wait"), { event: eventOf(event), async: eventOf(async) }, NOW);
        const sameStart =
          typeof (event as { a?: Json }).a === "string" && String((event as { a?: Json }).a).length === 300;
        if (!sameStart) expect(result).toEqual({ ok: true, matched: isCandidate(text, event, async) });
      }),
      { numRuns: 2000 },
    );
  });
});

describe("XP-19: 100,000 waits", () => {
  it("an event that matches one of them finds it without looking at the others", () => {
    const expression = compiled("event.data.userId == async.data.userId", "wait");
    const index = new Map<string, number[]>();
    for (let wait = 0; wait < 100_000; wait++) {
      const binding = bind(expression, eventOf({ userId: `user-${wait}` }));
      const part = binding.kind === "parts" ? binding.parts[0] : undefined;
      if (part === undefined) throw new Error("a wait without an index part");
      index.set(part.key, [...(index.get(part.key) ?? []), wait]);
    }
    const candidates = (async: Json): number[] =>
      incomingKeys(["data", "userId"], eventOf(async) ?? {}).flatMap((key) => index.get(key) ?? []);
    const start = performance.now();
    expect(candidates({ userId: "user-31337" })).toEqual([31_337]);
    expect(candidates({ userId: "nobody" })).toEqual([]);
    expect(candidates({})).toEqual([]);
    expect(performance.now() - start).toBeLessThan(100);
  });
});
