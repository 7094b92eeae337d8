import { describe, expect, it, vi } from "vitest";
import { App } from "../app.ts";
import { play } from "./schedule.ts";

// The app is simulated too: what would go over HTTP goes to it.
vi.mock("../../../src/calls/call.ts", () => ({
  callApp: (_bindings: unknown, state: never, job: never) => App.current?.call(state, job),
}));

/** Schedules of a run in CI, some places of each scenario; `npm run simulation` plays them all, `SIMULATION_SEED` only one. */
const SCHEDULES = Number(process.env["SIMULATION_SCHEDULES"] ?? 110);
const ONLY = process.env["SIMULATION_SEED"];

describe("simulated crash points", () => {
  it(`I1–I6, rows 1, 24: after any commit, and at any call, one thing may go wrong; ${SCHEDULES} places`, async () => {
    const seeds = ONLY === undefined ? Array.from({ length: SCHEDULES }, (_, n) => n + 1) : [Number(ONLY)];
    for (const seed of seeds) {
      const { faults, world } = await play(seed);
      const replay = `SIMULATION_SEED=${seed} npx vitest run --project simulation test/simulation/crash-points`;
      if (faults.length > 0 && ONLY !== undefined) console.log(world.log.join("\n"));
      expect(faults, replay).toEqual([]);
    }
  });
});
