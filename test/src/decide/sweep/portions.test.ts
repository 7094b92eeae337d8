import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { portionsOf } from "../../../../src/decide/sweep/portions.ts";
import { RETENTION } from "../../../../src/limits.ts";

const sum = (sizes: readonly number[]) => sizes.reduce((a, b) => a + b, 0);

describe("portions", () => {
  it("OB-24: hold everything in order, and none is too large unless it is one thing", () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 2 * RETENTION.bytes }), { maxLength: 60 });
    fc.assert(
      fc.property(sizes, (items) => {
        const portions = portionsOf(items, (size) => size);
        expect(portions.flat()).toEqual(items);
        for (const portion of portions) {
          expect(portion.length).toBeGreaterThan(0);
          expect(portion.length === 1 || sum(portion) <= RETENTION.bytes).toBe(true);
        }
      }),
    );
  });

  it("are as few as that allows", () => {
    const half = RETENTION.bytes / 2;
    expect(portionsOf([half, half, 1, half], (size) => size)).toEqual([
      [half, half],
      [1, half],
    ]);
    expect(portionsOf([0, 0, 0], (size) => size)).toEqual([[0, 0, 0]]);
    expect(portionsOf([], () => 1)).toEqual([]);
  });
});
