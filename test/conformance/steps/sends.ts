/**
 * Sending events from a step (EX-56, EV-38).
 */
import { expect } from "vitest";
import * as z from "zod";
import type { Case } from "../harness/cases.ts";
import { MODES } from "./modes.ts";

/** The scenarios. */
export const sends: readonly Case[] = [
  {
    id: "SC-91",
    title: "Sending from a step",
    proves: ["EX-56", "EV-38"],
    sdks: MODES,
    async run({ app, fn, on, trigger, finished, engine, mark, marks, pause }) {
      await app([
        fn("sender", on("x"), async ({ step, attempt }) => {
          const { ids } = await step.sendEvent(
            "send",
            [1, 2, 3].map((n) => ({ name: on("rcv"), data: { n } })),
          );
          await step.run("flaky", () => {
            if (attempt < 2) throw new Error("flaky");
          });
          const one = await step.sendEvent({ id: "one", name: "One more" }, { name: on("rcv"), data: { n: 4 } });
          return [...ids, ...one.ids];
        }),
        fn("receiver", on("rcv"), ({ event }) => mark(`rcv:${event.data["n"]}`)),
      ]);
      const run = await finished(await trigger(on("x")));
      const ids = z.array(z.string()).length(4).parse(run.output);
      for (const [index, id] of ids.entries()) {
        expect(await engine.ended(id)).toMatchObject([
          { status: "Completed", function_slug: expect.stringContaining("receiver") },
        ]);
        expect(await engine.event(id)).toMatchObject({ name: on("rcv"), data: { n: index + 1 } });
      }
      await pause(300);
      expect(
        marks("rcv:")
          .map(({ name }) => name)
          .sort(),
      ).toEqual(["rcv:1", "rcv:2", "rcv:3", "rcv:4"]);
    },
  },
  {
    id: "EX-56",
    title: "Too many events fail the step, which user code may catch",
    proves: ["EX-56", "EV-5"],
    sdks: MODES,
    async run({ app, fn, on, trigger, finished }) {
      const many = (n: number) => Array.from({ length: n }, () => ({ name: on("nobody") }));
      await app([
        fn({ id: "many", retries: 0 }, on("x"), async ({ step }) => {
          const most = await step.sendEvent("most", many(5000));
          const refused = await step.sendEvent("more", many(5001)).then(
            () => "accepted",
            (error: Error) => error.message,
          );
          return [most.ids.length, refused];
        }),
      ]);
      const { status, output } = await finished(await trigger(on("x")));
      expect({ status, output }).toEqual({ status: "Completed", output: [5000, expect.stringMatching(/5[, ]?000/)] });
    },
  },
];
