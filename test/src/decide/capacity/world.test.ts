import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chances, units } from "./fixtures.ts";
import { World } from "./world.ts";

const network = fc.constantFrom(
  { crash: 0, twins: false, strict: false },
  { crash: 0, twins: false, strict: true },
  { crash: 0.01, twins: false, strict: true },
  { crash: 0.05, twins: true, strict: true },
);

const parameters = fc.record({
  seed: fc.integer(),
  limit: fc.integer({ min: 1, max: 4 }),
  functions: fc.integer({ min: 1, max: 3 }),
  loss: fc.constantFrom(0, 0.1, 0.3),
  network,
});

describe("a line among runs that keep to the protocol", () => {
  it("I3, I4, I5: is never exceeded, lets everybody through, and is empty at rest, whatever gets lost or comes late", () => {
    fc.assert(
      fc.property(parameters, ({ limit, seed, functions, loss, network }) => {
        const all = Array.from({ length: functions }, (_, i) => ({ id: `f${i}`, rank: i % 2, limit: units(limit) }));
        const world = new World({
          ...network,
          loss,
          random: chances(seed),
          functions: all,
          runs: 8,
          steps: 4,
        });
        for (let i = 0; i < 600; i++) {
          world.step();
          expect(world.executing).toBeLessThanOrEqual(limit);
        }
        world.settle();
        expect(world.peak).toBeLessThanOrEqual(limit);
        expect(world.isDone).toBe(true);
        expect([world.rows, world.line.roster.inUse]).toEqual([0, 0]);
      }),
      { numRuns: 150 },
    );
  }, 60_000);
});
