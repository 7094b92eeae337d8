/**
 * A flood at one limited function: all of it is accepted and runs, and another function hardly notices (FC-44). Small enough for every
 * machine; `bench/flow-control.ts` sends the 10,000 of the specification.
 */
import { expect } from "vitest";
import { type Case, conformance } from "../harness/cases.ts";

const FLOOD = 400;
/** ms within which the other function has to begin. */
const PATIENCE = 2000;

const load: readonly Case[] = [
  {
    id: "FC-44",
    title: "row 23: a flood behind a limit of five is accepted as a whole, and another function starts meanwhile",
    proves: ["FC-44", "FC-1", "FC-10"],
    sdks: ["v4"],
    async run({ app, fn, on, send, trigger, until, mark, marks, peak, maxPeak, finished }) {
      await app([
        fn<{ n: number }>({ id: "crowded", concurrency: 5 }, on("flood"), async ({ event }) => {
          await peak("crowded", 5);
          mark(`run:${event.data.n}`);
        }),
        fn("free", on("free"), () => mark("free")),
      ]);
      const ids = await send(Array.from({ length: FLOOD }, (_, n) => ({ name: on("flood"), data: { n } })));
      expect(ids).toHaveLength(FLOOD);
      await until(() => marks("run:").length > 0);
      const sent = Date.now();
      await finished(await trigger(on("free")));
      expect((marks("free")[0]?.at ?? Number.POSITIVE_INFINITY) - sent).toBeLessThan(PATIENCE);
      // The flood was still going on, or this proved nothing.
      const [free] = marks("free");
      expect(marks("run:").filter(({ at }) => at > (free?.at ?? 0)).length).toBeGreaterThan(0);
      await until(() => new Set(marks("run:").map(({ name }) => name)).size === FLOOD, 60_000);
      expect(maxPeak("crowded")).toBeLessThanOrEqual(5);
      expect(marks("run:")).toHaveLength(FLOOD);
    },
  },
];

conformance("Load", load);
