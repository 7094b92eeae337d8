import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { countPoints, type Moment, type Points } from "./points.ts";
import { begin, judge, live, prepare, watchCalls } from "./scenario.ts";

const TIMEOUT = 120_000;
/** Every so many points one life, and others for the two moments: all of them would take a minute. */
const STRIDE = 3;
let points: Points | null = null;

beforeAll(async () => {
  // What dying objects say is not of interest.
  vi.spyOn(console, "error").mockImplementation(() => {});
  await prepare();
});
afterAll(() => vi.restoreAllMocks());
beforeEach(() => vi.useFakeTimers({ toFake: ["Date"], now: Date.now() }));
afterEach(() => {
  points?.close();
  watchCalls(() => {});
  vi.useRealTimers();
});

/** One life with a crash at a point. Whether the point was reached. */
async function lifeWith(chosen: number, moment: Moment): Promise<Points> {
  points = await countPoints(chosen, moment);
  const { point, bury } = points;
  watchCalls(() => point(() => {}));
  const life = await begin(bury);
  await live(life, bury);
  points.close();
  await judge(life);
  return points;
}

describe("a crash at every point of a run's life", () => {
  it("without one: the life and its points", { timeout: TIMEOUT }, async () => {
    const { count } = await lifeWith(0, "after it");
    expect(count).toBeGreaterThan(20);
  });

  for (const [offset, moment] of [
    [0, "before it"],
    [1, "after it"],
  ] as const) {
    it(`row 1, I1, I2, I6: everything dies ${moment}, once in each life`, { timeout: TIMEOUT }, async () => {
      let chosen = 1 + offset;
      while ((await lifeWith(chosen, moment)).count >= chosen) chosen += STRIDE;
      expect(chosen).toBeGreaterThan(20);
    });
  }
});
