import { describe, expect, it, vi } from "vitest";
import { App } from "../app.ts";
import { play } from "./schedule.ts";

// The app is simulated too: what would go over HTTP goes to it.
vi.mock("../../../src/calls/call.ts", () => ({
  callApp: (_bindings: unknown, state: never, job: never) => App.current?.call(state, job),
}));

/** Few, because `npm run simulation` plays ten thousand; `SIMULATION_SCHEDULES` plays more, `SIMULATION_SEED` only one. */
const SCHEDULES = Number(process.env["SIMULATION_SCHEDULES"] ?? 40);
const ONLY = process.env["SIMULATION_SEED"];

describe("simulated flow control", () => {
  it(`FC-1, FC-4 … FC-10, FC-15, FC-16, rows 2, 3, 4, 5, 7, 10, 21, 23, 24: limits hold, nothing is lost, stuck or leaked in ${SCHEDULES} schedules`, async () => {
    const seeds = ONLY === undefined ? Array.from({ length: SCHEDULES }, (_, n) => n + 1) : [Number(ONLY)];
    for (const seed of seeds) {
      const { faults, world } = await play(seed);
      const replay = `SIMULATION_SEED=${seed} npx vitest run --project simulation test/simulation/flow-control`;
      if (faults.length > 0 && ONLY !== undefined) console.log(world.log.join("\n"));
      expect(faults, replay).toEqual([]);
    }
  });
});
