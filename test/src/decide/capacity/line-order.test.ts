import * as fc from "fast-check";
import { expect, it } from "vitest";
import type { LineRef } from "../../../../src/decide/capacity/line.ts";
import { inOrderOfAcquisition, lineName } from "../../../../src/decide/capacity/line-order.ts";

const line: fc.Arbitrary<LineRef> = fc.record({
  counts: fc.constantFrom("steps", "runs", "starts"),
  scope: fc.constantFrom("fn", "env", "account"),
  functionId: fc.constant("uuid"),
  expression: fc.constantFrom(null, "event.data.a", "event.data.b"),
  key: fc.constantFrom("", "a", "b"),
});

it("every run takes the lines it shares with another in the same order, each once", () => {
  fc.assert(
    fc.property(fc.array(line), fc.array(line), (mine, theirs) => {
      const [one, other] = [inOrderOfAcquisition(mine).map(lineName), inOrderOfAcquisition(theirs).map(lineName)];
      expect(new Set(one).size).toBe(one.length);
      expect(one.filter((name) => other.includes(name))).toEqual(other.filter((name) => one.includes(name)));
      expect(new Set(one)).toEqual(new Set(mine.map(lineName)));
    }),
  );
});

it("the narrow comes before the wide: own before shared, keyed before unkeyed", () => {
  const ref = (scope: LineRef["scope"], expression: string | null): LineRef => ({
    counts: "steps",
    scope,
    functionId: scope === "fn" ? "uuid" : "",
    expression,
    key: "",
  });
  const ordered = [ref("fn", "a"), ref("fn", null), ref("env", "a"), ref("account", "a"), ref("account", null)];
  expect(inOrderOfAcquisition(ordered.toReversed())).toEqual(ordered);
});
