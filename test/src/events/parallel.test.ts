import { expect, it } from "vitest";
import { inParallel } from "../../../src/events/parallel.ts";

const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 1));

it("keeps the order of the items and the bound on how many are in flight", async () => {
  let inFlight = 0;
  let most = 0;
  const results = await inParallel(3, [5, 1, 4, 2, 3, 0, 6], async (item) => {
    most = Math.max(most, ++inFlight);
    for (let i = 0; i < item; i++) await pause();
    inFlight--;
    return item * 10;
  });
  expect(results).toEqual([50, 10, 40, 20, 30, 0, 60]);
  expect(most).toBe(3);
});

it("EV-8: finishes every other item before it throws the first failure", async () => {
  const done: number[] = [];
  const work = inParallel(2, [0, 1, 2, 3, 4], async (item) => {
    await pause();
    if (item === 0 || item === 3) throw new Error(`item ${item}`);
    done.push(item);
  });
  await expect(work).rejects.toThrow("item 0");
  expect(done).toEqual([1, 2, 4]);
});

it("gives nothing for no items", async () => {
  await expect(inParallel(3, [], async () => 1)).resolves.toEqual([]);
});
