/**
 * Scenarios of steps that failed for good, and what user code makes of them (EX-26 to EX-28).
 */
import { expect } from "vitest";
import type { Case } from "../harness/cases.ts";

/** The scenarios. */
export const catching: readonly Case[] = [
  {
    id: "SC-62",
    title: "Catching a failed step",
    proves: ["EX-26", "EX-27"],
    async run({ app, fn, on, trigger, ended, runOf, mark, marks, sdk }) {
      await app([
        fn({ id: "caught", retries: 0 }, on("x"), async ({ step }) => {
          try {
            return await step.run("primary", () => {
              throw new Error("primary");
            });
          } catch (error) {
            const isStepError = sdk.isStepError(error);
            return step.run("backup", () => ({ backup: true, isStepError }));
          }
        }),
        fn({ id: "uncaught", retries: 1 }, on("x"), async ({ step }) => {
          await step.run("s", () => {
            mark("s");
            throw new Error("boom");
          });
          mark("after");
          await step.run("later", () => mark("later"));
        }),
      ]);
      const runs = await ended(await trigger(on("x")), 2);
      expect(runOf(runs, "caught")).toMatchObject({ status: "Completed", output: { backup: true, isStepError: true } });
      expect(runOf(runs, "uncaught")).toMatchObject({ status: "Failed", output: { message: "boom" } });
      expect(marks("s")).toHaveLength(2);
      expect(marks("after")).toHaveLength(0);
      expect(marks("later")).toHaveLength(0);
    },
  },
  {
    id: "SC-63",
    title: "Ignoring and rolling back",
    proves: ["EX-28"],
    async run({ app, fn, on, trigger, finished, mark, marks }) {
      const fail = (message: string) => () => {
        throw new Error(message);
      };
      await app([
        fn({ id: "rollback", retries: 0 }, on("x"), async ({ step }) => {
          await step.run("ignored", fail("x")).catch(() => undefined);
          await step.run("charge", fail("y")).catch(() => step.run("refund", () => mark("refund")));
          return "ok";
        }),
      ]);
      expect(await finished(await trigger(on("x")))).toMatchObject({ status: "Completed", output: "ok" });
      expect(marks("refund")).toHaveLength(1);
    },
  },
  {
    id: "EX-28",
    title: "A rollback step has retries of its own",
    proves: ["EX-28", "EX-20"],
    async run({ app, fn, on, trigger, finished, mark, names }) {
      await app([
        fn({ id: "flaky-refund", retries: 2 }, on("x"), async ({ step, attempt }) => {
          const charge = step.run("charge", () => {
            mark(`charge:${attempt}`);
            throw new Error("y");
          });
          return await charge.catch(() =>
            step.run("refund", () => {
              mark(`refund:${attempt}`);
              if (attempt < 2) throw new Error("z");
              return "refunded";
            }),
          );
        }),
      ]);
      expect(await finished(await trigger(on("x")))).toMatchObject({ status: "Completed", output: "refunded" });
      expect(names("charge:")).toEqual(["charge:0", "charge:1", "charge:2"]);
      expect(names("refund:")).toEqual(["refund:0", "refund:1", "refund:2"]);
    },
  },
  {
    id: "SC-64",
    title: "The last of three steps fails for good",
    proves: ["EX-26", "EX-27"],
    async run({ app, fn, on, trigger, finished, mark, marks }) {
      await app([
        fn({ id: "import-contacts", retries: 2 }, on("x"), async ({ step }) => {
          const rows = await step.run("parse-csv", () => {
            mark("parse");
            return [1, 2];
          });
          const clean = await step.run("normalize-raw-csv", () => {
            mark("normalize");
            return rows;
          });
          return step.run("input-contacts", () => {
            mark("input");
            throw new Error(`db down for ${clean.length}`);
          });
        }),
      ]);
      const run = await finished(await trigger(on("x")));
      expect(run).toMatchObject({ status: "Failed", output: { message: "db down for 2" } });
      expect(marks("parse")).toHaveLength(1);
      expect(marks("normalize")).toHaveLength(1);
      expect(marks("input")).toHaveLength(3);
    },
  },
];
