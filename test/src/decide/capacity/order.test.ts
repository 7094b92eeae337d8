import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { newcomer } from "../../../../src/decide/capacity/member.ts";
import { byPlace, PlaceList } from "../../../../src/decide/capacity/order.ts";
import { aClaim } from "./fixtures.ts";

const member = fc
  .record({
    runId: fc.string({ minLength: 1, maxLength: 2 }),
    score: fc.integer({ min: 0, max: 3 }),
    tie: fc.string({ maxLength: 1 }),
  })
  .map(({ runId, ...place }) => newcomer(aClaim(runId, place)));

describe("the order inside a function", () => {
  it.each([
    ["FC-8: by creation", { score: 1, tie: "b" }, { score: 2, tie: "a" }],
    ["FC-8: created in the same ms, by the event", { score: 1, tie: "a" }, { score: 1, tie: "b" }],
    ["FC-29: a priority counts as an earlier creation", { score: -600_000 }, { score: 0 }],
  ])("%s", (_, first, second) => {
    expect(byPlace(newcomer(aClaim("z", first)), newcomer(aClaim("a", second)))).toBeLessThan(0);
  });

  it("a list stays sorted, holds everybody once, and knows how many go before anybody", () => {
    const unique = fc.uniqueArray(member, { selector: ({ runId }) => runId, maxLength: 30 });
    fc.assert(
      fc.property(unique, fc.array(fc.tuple(fc.nat(29), fc.boolean())), (all, steps) => {
        const list = new PlaceList();
        let model: typeof all = [];
        for (const [index, isThere] of steps) {
          const one = all[index];
          if (one === undefined) continue;
          if (isThere) list.add(one);
          else list.remove(one);
          model = model.filter((other) => other !== one);
          if (isThere) model = [...model, one].sort(byPlace);
          expect(list.head(100)).toEqual(model);
          expect([list.first, list.last, list.size]).toEqual([model[0], model.at(-1), model.length]);
          for (const any of all) expect(list.before(any)).toBe(model.filter((other) => byPlace(other, any) < 0).length);
        }
      }),
    );
  });
});
