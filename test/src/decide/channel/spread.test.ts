import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { capacityOf, placeFor } from "../../../../src/decide/channel/spread.ts";

const room = { subscribers: 25, perObject: 10 };

describe("RT-16: how subscribers are spread", () => {
  it("the first object is filled first, then one after the other, and the last takes what is left", () => {
    expect([0, 1, 2, 3].map((branch) => capacityOf(branch, room))).toEqual([10, 10, 5, 0]);
    expect(placeFor(9, new Map(), room)).toBe(0);
    expect(placeFor(10, new Map(), room)).toBe(1);
    expect(placeFor(10, new Map([[1, 10]]), room)).toBe(2);
    expect(placeFor(10, new Map([[1, 9]]), room)).toBe(1);
  });

  it("a full channel takes nobody, and room that comes back is used again", () => {
    const full = new Map([
      [1, 10],
      [2, 5],
    ]);
    expect(placeFor(10, full, room)).toBeNull();
    expect(placeFor(10, new Map([...full, [1, 3]]), room)).toBe(1);
    expect(placeFor(4, full, room)).toBe(0);
  });

  it("a channel of one object needs no other", () => {
    expect(placeFor(3, new Map(), { subscribers: 3, perObject: 10 })).toBeNull();
    expect(placeFor(2, new Map(), { subscribers: 3, perObject: 10 })).toBe(0);
  });

  it("exactly as many as may be are let in, whatever the numbers", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 50 }), (subscribers, perObject) => {
        const counts = new Map<number, number>();
        let own = 0;
        for (let joined = 0; joined < subscribers; joined++) {
          const place = placeFor(own, counts, { subscribers, perObject });
          if (place === null) throw new Error(`number ${joined} was refused`);
          if (place === 0) own++;
          else counts.set(place, (counts.get(place) ?? 0) + 1);
        }
        expect(placeFor(own, counts, { subscribers, perObject })).toBeNull();
        expect(Math.max(own, ...counts.values())).toBeLessThanOrEqual(perObject);
      }),
    );
  });
});
