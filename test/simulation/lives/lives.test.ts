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

describe("simulated lives of runs", () => {
  it(`EX-1 … EX-67, CR-1 … CR-29, I1–I8, rows 2, 3, 4, 5, 6, 7, 10, 19, 20, 23, 24, 25, 30: nothing is lost, doubled, rewritten, stuck, early or leaked in ${SCHEDULES} schedules`, async () => {
    const seeds = ONLY === undefined ? Array.from({ length: SCHEDULES }, (_, n) => n + 1) : [Number(ONLY)];
    for (const seed of seeds) {
      const { faults, world } = await play(seed);
      const replay = `SIMULATION_SEED=${seed} npx vitest run --project simulation test/simulation/lives`;
      if (faults.length > 0 && ONLY !== undefined) console.log(world.log.join("\n"));
      expect(faults, replay).toEqual([]);
    }
  });
});
