import { expect, it } from "vitest";
import { chunksOf, resendAt } from "../../../src/events/chunk.ts";
import { FANOUT } from "../../../src/limits.ts";

const ids = (count: number) => Array.from({ length: count }, (_, i) => `event-${i}`);

it("EV-8: chunks hold every event once, in order, none more than its limit", async () => {
  for (const count of [0, 1, FANOUT.chunk, FANOUT.chunk + 1, 5000]) {
    const chunks = await chunksOf(ids(count));
    expect(chunks.flatMap(({ eventIds }) => eventIds)).toEqual(ids(count));
    expect(chunks).toHaveLength(Math.ceil(count / FANOUT.chunk));
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(chunks.length);
  }
});

it("EV-7: the same events make the same chunk, others another one", async () => {
  const [one, same, other] = await Promise.all([chunksOf(["a", "b"]), chunksOf(["a", "b"]), chunksOf(["a", "c"])]);
  expect(one).toEqual(same);
  expect(one[0]?.id).not.toBe(other[0]?.id);
});

it("a chunk that stays pending is sent again ever more rarely, but always again", () => {
  expect([0, 1, 2, 3, 4, 5, 50, 5000].map((attempt) => resendAt(1000, attempt) - 1000)).toEqual([
    15_000, 30_000, 60_000, 120_000, 240_000, 300_000, 300_000, 300_000,
  ]);
});
