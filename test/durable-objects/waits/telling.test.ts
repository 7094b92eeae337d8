import { afterEach, describe, expect, it, vi } from "vitest";
import { Telling } from "../../../durable-objects/waits/telling.ts";
import { WAITS } from "../../../src/limits.ts";

const NOW = 1_800_000_000_000;

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("Telling", () => {
  it("tells everybody, a bounded number at a time", async () => {
    let current = 0;
    let most = 0;
    const told: number[] = [];
    const items = Array.from({ length: 5 * WAITS.parallel }, (_, i) => i);
    const failed = await new Telling().all(items, async (item) => {
      most = Math.max(most, ++current);
      await scheduler.wait(1);
      current--;
      told.push(item);
    });
    expect(failed).toEqual([]);
    expect(told.toSorted((a, b) => a - b)).toEqual(items);
    expect(most).toBe(WAITS.parallel);
  });

  it("I4: one that never answers is given back after a while, and keeps nobody else waiting", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const told: string[] = [];
    const telling = new Telling().all(["silent", "quick"], async (item) => {
      if (item === "silent") await new Promise(() => {});
      told.push(item);
    });
    await vi.advanceTimersByTimeAsync(WAITS.patience - 1);
    expect(told).toEqual(["quick"]);
    await vi.advanceTimersByTimeAsync(1);
    expect(await telling).toEqual(["silent"]);
  });

  it("I4: the time of the next try stays until it was made, and then moves away with every failure", () => {
    const telling = new Telling();
    expect(telling.isDue(NOW)).toBe(true);
    const first = telling.retryAt(NOW);
    expect(first).toBe(NOW + WAITS.retry.first);
    expect(telling.retryAt(NOW + 1000)).toBe(first);
    expect(telling.isDue(first - 1)).toBe(false);
    expect(telling.isDue(first)).toBe(true);
    telling.tried(false);
    expect(telling.retryAt(first)).toBe(first + 2 * WAITS.retry.first);
    telling.tried(true);
    expect(telling.retryAt(first)).toBe(first + WAITS.retry.first);
  });
});
