import { describe, expect, it } from "vitest";
import { RequestTallies } from "../../../src/api/request-rate.ts";
import { REQUEST_RATE } from "../../../src/limits.ts";

describe("API-25: requests of a key", () => {
  it("pass up to the limit of a window, each kind and key by itself", () => {
    const tallies = new RequestTallies();
    for (let i = 0; i < 3; i++) expect(tallies.take("a", "reads", 3, 1000 + i)).toBeNull();
    expect(tallies.take("a", "reads", 3, 2000)).toBe(REQUEST_RATE.window - 1000);
    expect(tallies.take("a", "writes", 3, 2000)).toBeNull();
    expect(tallies.take("b", "reads", 3, 2000)).toBeNull();
    expect(tallies.take("a", "reads", 3, 1000 + REQUEST_RATE.window)).toBeNull();
  });

  it("are counted for so many keys only, and a clock that was set back refuses nobody", () => {
    const tallies = new RequestTallies();
    for (let i = 0; i <= REQUEST_RATE.keys; i++) tallies.take(`key ${i}`, "reads", 1, 1000);
    expect(tallies.take("key 0", "reads", 1, 1000)).toBeNull();
    expect(tallies.take(`key ${REQUEST_RATE.keys}`, "reads", 1, 1000)).toBeGreaterThan(0);
    expect(tallies.take(`key ${REQUEST_RATE.keys}`, "reads", 1, 0)).toBeNull();
  });
});
