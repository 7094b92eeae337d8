import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyRange, lookupKeys, partsOf, placeOf, UNINDEXED } from "../../../../src/decide/waits/index-key.ts";
import { judge, type Wait } from "../../../../src/decide/waits/wait.ts";
import type { Json } from "../../../../src/json.ts";
import { WAITS } from "../../../../src/limits.ts";
import { anEvent, aWait, NOW, payloadOf } from "./fixtures.ts";

const USER = "event.data.userId == async.data.userId";

/** The place of a wait; throws when it has none. */
function place(wait: Wait, paths: Iterable<string> = []) {
  const parts = partsOf(wait);
  if (parts === null) throw new Error("the wait can never match");
  return placeOf(parts, new Set(paths));
}

describe("placeOf", () => {
  it("XP-19: waits for different values of a field have different keys", () => {
    const one = place(aWait(USER, { userId: 1 }));
    expect(place(aWait(USER, { userId: 1 }))).toEqual(one);
    expect(place(aWait(USER, { userId: 2 })).key).not.toBe(one.key);
    expect(place(aWait(USER, { userId: "1" })).key).not.toBe(one.key);
    expect(one.path).toBe('["data","userId"]');
  });

  it("prefers the value of the run's own event to a constant that all runs share", () => {
    const { path } = place(aWait(`async.data.plan == 'pro' && ${USER}`, { userId: 1 }));
    expect(path).toBe('["data","userId"]');
  });

  it.each<[string, Wait]>([
    ["no condition", aWait(null)],
    ["no equality", aWait("async.data.n > event.data.n", { n: 1 })],
    ["XP-8: a macro", aWait("async.data.ids.exists(x, x == 1)")],
    ["an alternative", aWait(`${USER} || async.data.all == true`, { userId: 1 })],
    ["no trigger event", aWait(USER, {}, { event: null })],
  ])("every event has to be tried: %s", (_, wait) => {
    expect(place(wait)).toEqual({ key: UNINDEXED, path: null });
  });

  it("takes a new field only while there is room, then another part, then none", () => {
    const wait = aWait(`${USER} && async.data.plan == 'pro'`, { userId: 1 });
    const others = Array.from({ length: WAITS.paths }, (_, i) => `["data","field${i}"]`);
    expect(place(wait, others.slice(1)).path).toBe('["data","userId"]');
    expect(place(wait, [...others.slice(1), '["data","plan"]']).path).toBe('["data","plan"]');
    expect(place(wait, others)).toEqual({ key: UNINDEXED, path: null });
  });

  it.each<[string, string, object]>([
    ["a part that is known to be false", `${USER} && event.data.n > 5`, { userId: 1, n: 1 }],
    ["a part that fails", `${USER} && event.data.n + 1 > 5`, { userId: 1, n: [] }],
  ])("a wait that no event can match has no place: %s", (_, expression, trigger) => {
    expect(partsOf(aWait(expression, { ...trigger }))).toBeNull();
  });
});

describe("lookupKeys", () => {
  it("are few: the waits to try anyway, and one or two for each field", () => {
    const paths = ['["data","userId"]', '["data","plan"]'];
    expect(lookupKeys(paths, payloadOf({ userId: 1, plan: "pro" }))).toHaveLength(3);
    expect(lookupKeys([], payloadOf({ userId: 1 }))).toEqual([UNINDEXED]);
  });
});

describe("the index as a whole", () => {
  const value = fc.oneof(
    fc.constantFrom<Json>(null, true, false, 0, 1, 1.5, -0, "", "1", "a", "=", '"]=', "\u0000", [], [1], {}),
    fc.string({ maxLength: 3 }),
  );
  const data = fc.dictionary(fc.constantFrom("a", "b"), value, { noNullPrototype: true });
  const equality = fc.constantFrom(
    "async.data.a == event.data.a",
    "event.data.b == async.data.a",
    "async.data.b == event.data.b",
    "async.data.a == null",
    "async.data.b == 1",
    "async.data['a'] == 'a'",
    "async.data.a == async.data.b",
    "async.data.a != event.data.a",
    "event.data.a == 1",
    "async.data == event.data",
    "has(async.data.a)",
  );
  const expression = fc
    .tuple(fc.array(equality, { minLength: 1, maxLength: 3 }), fc.constantFrom(" && ", " || "))
    .map(([parts, join]) => parts.join(join));
  const others = fc.uniqueArray(fc.constantFrom('["data","a"]', '["data","b"]', '["data"]', '["name"]'));

  it("XP-19: finds every wait that an event matches, whatever else is indexed", () => {
    const matches = { found: 0 };
    fc.assert(
      fc.property(expression, data, data, others, (source, trigger, incoming, paths) => {
        const wait = aWait(source, trigger);
        const event = anEvent(incoming);
        if (judge(wait, event, NOW) !== "match") return;
        matches.found++;
        const { key, path } = place(wait, paths);
        const keys = lookupKeys(new Set(path === null ? paths : [...paths, path]), event.payload);
        expect(keys).toContain(key);
      }),
      { numRuns: 5000 },
    );
    expect(matches.found).toBeGreaterThan(100);
  });

  it("keys of one field are a range that holds no others", () => {
    const paths = ['["data","a"]', '["data","ab"]', '["data","a","b"]', '["data"]', "[]"];
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.constantFrom(...paths), data, (one, other, incoming) => {
        const [from, until] = keyRange(one);
        for (const key of lookupKeys([other], payloadOf(incoming))) {
          expect(key >= from && key < until).toBe(one === other && key !== UNINDEXED);
        }
      }),
    );
  });
});
