import { describe, expect, it } from "vitest";
import { KeyTallies } from "../../../src/events/key-rate.ts";
import { EVENT } from "../../../src/limits.ts";

const LIMITS = { requests: 3, bytes: 100 };

describe("SE-18: what a key may send in a second", () => {
  it("so many requests, and as many again in the next second", () => {
    const tallies = new KeyTallies();
    const takes = (at: number) => tallies.request("a", LIMITS, at);
    expect([0, 10, 999, 999].map(takes)).toEqual([true, true, true, false]);
    expect([1000, 1001, 1002, 1500].map(takes)).toEqual([true, true, true, false]);
  });

  it("each key for itself", () => {
    const tallies = new KeyTallies();
    expect([1, 2, 3, 4].map((at) => tallies.request("a", LIMITS, at))).toEqual([true, true, true, false]);
    expect(tallies.request("b", LIMITS, 4)).toBe(true);
  });

  it("so many bytes, of which a single body may have more", () => {
    const tallies = new KeyTallies();
    expect(tallies.body("a", 60, LIMITS, 0)).toBe(true);
    expect(tallies.body("a", 41, LIMITS, 1)).toBe(false);
    expect(tallies.body("a", 40, LIMITS, 2)).toBe(true);
    expect(tallies.request("a", LIMITS, 3), "whoever has no bytes left is not even read").toBe(false);
    expect(tallies.body("a", 5000, LIMITS, 1000)).toBe(true);
    expect(tallies.body("a", 1, LIMITS, 1001)).toBe(false);
  });

  it("a clock that goes back begins anew, and of many keys the oldest are forgotten", () => {
    const tallies = new KeyTallies();
    for (let n = 0; n < 4; n++) tallies.request("a", LIMITS, 5000);
    expect(tallies.request("a", LIMITS, 4000)).toBe(true);
    for (let n = 0; n < 2; n++) tallies.request("a", LIMITS, 4000);
    expect(tallies.request("a", LIMITS, 4000)).toBe(false);
    for (let n = 0; n < EVENT.keyRate.keys; n++) tallies.request(`k${n}`, LIMITS, 4000);
    expect(tallies.request("a", LIMITS, 4000)).toBe(true);
  });
});
