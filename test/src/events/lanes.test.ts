import * as fc from "fast-check";
import { expect, it } from "vitest";
import { Lanes } from "../../../src/events/lanes.ts";

it("FC-8: who shares a lane goes in the order of getting in line, never two at once; others do not wait", async () => {
  const works = fc.array(fc.record({ lanes: fc.uniqueArray(fc.constantFrom("a", "b", "c")), ticks: fc.nat(5) }), {
    maxLength: 20,
  });
  await fc.assert(
    fc.asyncProperty(works, async (all) => {
      const lanes = new Lanes();
      const log: { index: number; what: "begins" | "ends" }[] = [];
      await Promise.all(
        all
          .map((work) => ({ ...work, turn: lanes.enter(work.lanes) }))
          .map(async ({ turn, ticks }, index) => {
            await turn.come;
            log.push({ index, what: "begins" });
            for (let i = 0; i < ticks; i++) await null;
            log.push({ index, what: "ends" });
            turn.done();
            turn.done();
          }),
      );
      for (const lane of ["a", "b", "c"] as const) {
        const members = all.flatMap(({ lanes: in_ }, index) => (in_.includes(lane) ? [index] : []));
        const seen = log.filter(({ index }) => members.includes(index));
        expect(seen).toEqual(
          members.flatMap((index) => [
            { index, what: "begins" },
            { index, what: "ends" },
          ]),
        );
      }
    }),
  );
});

it("work without lanes waits for nobody", async () => {
  const lanes = new Lanes();
  lanes.enter(["a"]);
  await lanes.enter([]).come;
  await lanes.enter(["b"]).come;
});
