/**
 * Functions that start each other without end, through the official SDKs (SE-18): what a step sends tells how many runs led to it, and so
 * do invocations and the events of a run's end.
 */
import { expect } from "vitest";
import * as z from "zod";
import { type Case, conformance } from "../harness/cases.ts";
import { MODES } from "./modes.ts";

/** Runs that may lead to an event here; the default would take a while. */
const STOP = 8;

const outcomes = z.object({
  data: z.object({
    outcomes: z.array(z.looseObject({ function_slug: z.string(), outcome: z.string(), reason: z.string().nullable() })),
  }),
});

const chains: readonly Case[] = [
  {
    id: "SE-18",
    title: "A function that sends its own trigger event stops, and the last event says why",
    proves: ["SE-18"],
    sdks: MODES,
    async run({ app, fn, on, trigger, engine, mark, marks, pause, api }) {
      await app([
        fn<{ n?: number }>("self", on("x"), async ({ event, step }) => {
          const n = event.data.n ?? 0;
          mark(`ran:${n}`);
          const { ids } = await step.sendEvent("again", { name: on("x"), data: { n: n + 1 } });
          return ids[0];
        }),
      ]);
      let id = await trigger(on("x"));
      for (let depth = 0; depth < STOP; depth++) {
        const [run] = await engine.ended(id);
        expect(run, `run ${depth}`).toMatchObject({ status: "Completed" });
        id = z.string().parse(run?.output);
      }
      const { json } = await api("GET", `/v1/events/${id}`);
      expect(outcomes.parse(json).data.outcomes).toMatchObject([{ outcome: "skipped", reason: "event_loop" }]);
      await pause(300);
      const ran = new Set(marks("ran:").map(({ name }) => name));
      expect(ran).toEqual(new Set(Array.from({ length: STOP }, (_, n) => `ran:${n}`)));
    },
  },
  {
    id: "SE-18b",
    title: "A function that invokes itself stops: the innermost step fails",
    proves: ["SE-18"],
    sdks: MODES,
    async run({ sdk, app, fn, on, trigger, finished }) {
      const again = fn<{ n?: number }>({ id: "again", retries: 0 }, on("x"), async ({ event, step }) => {
        const n = event.data.n ?? 0;
        const itself = sdk.referenceFunction({ functionId: "again" });
        return await step
          .invoke("deeper", { function: itself, data: { n: n + 1 } })
          .catch((error: Error) => `${n}: ${error.message}`);
      });
      await app([again]);
      const run = await finished(await trigger(on("x")));
      expect(run.output).toMatch(new RegExp(`^${STOP - 1}: .*\\(event_loop\\)`));
    },
  },
];

conformance("chains", chains, { bindings: { MILLRACE_MAX_CHAIN: String(STOP) } });
