import { describe, expect, it } from "vitest";
import { retryDelay } from "../../../src/decide/retry.ts";

describe("EX-21: back-off", () => {
  const table = [15, 30, 60, 120, 300, 600, 1200, 2400, 3600, 7200, 7200, 7200];
  it.each(table.map((seconds, attempt) => [attempt, seconds]))(
    "after attempt %i: %i s plus 0–30 s",
    (attempt, seconds) => {
      expect(retryDelay(attempt, 0, 0)).toBe(seconds * 1000);
      expect(retryDelay(attempt, 0, 0.999_999)).toBe(seconds * 1000 + 30_000);
    },
  );

  it("a constant interval replaces the table and adds at most 10 %", () => {
    expect(retryDelay(7, 1000, 0)).toBe(1000);
    expect(retryDelay(7, 1000, 0.999_999)).toBe(1100);
  });
});
