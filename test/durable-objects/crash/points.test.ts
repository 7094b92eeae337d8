import { env } from "cloudflare:workers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { countPoints, type Moment, type Points } from "./points.ts";
import { begin, judge, live, prepare, watchCalls } from "./scenario.ts";

/** What was swept, for docs/reliability.md. */
declare module "vitest" {
  interface TaskMeta {
    crashPoints?: { readonly moment: Moment; readonly points: number; readonly lives: number };
  }
}

/** Every so many points one life, and others for the two moments: `CRASH_POINTS_EVERY=1` sweeps them all, which takes minutes. */
const STRIDE = Number((env as { readonly CRASH_POINTS_EVERY?: string }).CRASH_POINTS_EVERY || 3);
const TIMEOUT = STRIDE < 3 ? 1_800_000 : 120_000;
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

/** Whether a life has this point; all must be well with it after the crash there. */
async function dies(chosen: number, moment: Moment): Promise<boolean> {
  try {
    return (await lifeWith(chosen, moment)).count >= chosen;
  } catch (error) {
    throw new Error(`After a crash ${moment}, at point ${chosen}`, { cause: error });
  }
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
    it(`row 1, I1, I2, I6: everything dies ${moment}, once in each life`, { timeout: TIMEOUT }, async ({ task }) => {
      let chosen = 1 + (offset % STRIDE);
      let lives = 0;
      while (await dies(chosen, moment)) {
        chosen += STRIDE;
        lives++;
      }
      expect(chosen).toBeGreaterThan(20);
      task.meta.crashPoints = { moment, points: chosen - STRIDE, lives };
    });
  }
});
