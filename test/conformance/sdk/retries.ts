/**
 * Scenarios of attempts: how many, when, and what each is told (EX-9, EX-19 to EX-23, EX-29, EX-30).
 */
import { expect } from "vitest";
import type { Case } from "../harness/cases.ts";

/** The scenarios. */
export const retries: readonly Case[] = [
  {
    id: "SC-57",
    title: "Default retries",
    proves: ["EX-9", "EX-19", "EX-27", "EX-30"],
    async run({ app, fn, on, trigger, ended, runOf, mark, names }) {
      const fail = (id: string, retries?: number) =>
        fn({ id, ...(retries === undefined ? {} : { retries }) }, on("x"), ({ attempt }) => {
          mark(`${id}:${attempt}`);
          throw new Error("always");
        });
      await app([fail("default"), fail("none", 0), fail("five", 5)]);
      const runs = await ended(await trigger(on("x")), 3);
      expect(names("default:")).toEqual([0, 1, 2, 3, 4].map((attempt) => `default:${attempt}`));
      expect(names("none:")).toEqual(["none:0"]);
      expect(names("five:")).toEqual([0, 1, 2, 3, 4, 5].map((attempt) => `five:${attempt}`));
      for (const id of ["default", "none", "five"]) {
        expect(runOf(runs, id)).toMatchObject({
          status: "Failed",
          output: { name: "Error", message: "always", stack: expect.stringContaining("always") },
        });
      }
    },
  },
  {
    id: "SC-58",
    title: "Every step counts for itself",
    proves: ["EX-20", "EX-9"],
    async run({ app, fn, on, trigger, finished, mark, marks, names }) {
      await app([
        fn({ id: "fifteen", retries: 4 }, on("x"), async ({ step, attempt }) => {
          for (const name of ["one", "two", "three"]) {
            await step.run(name, () => {
              mark(`${name}:${attempt}`);
              if (marks(`${name}:`).length < 5) throw new Error("not yet");
            });
          }
          return "ok";
        }),
      ]);
      expect(await finished(await trigger(on("x")))).toMatchObject({ status: "Completed", output: "ok" });
      const expected = ["one", "two", "three"].flatMap((name) =>
        [0, 1, 2, 3, 4].map((attempt) => `${name}:${attempt}`),
      );
      expect(names("")).toEqual(expected);
    },
  },
  {
    id: "SC-59",
    title: "Branching on the attempt",
    proves: ["EX-9"],
    async run({ app, fn, on, trigger, finished }) {
      await app([
        fn("branch", on("x"), async ({ step, attempt }) => {
          const via = await step.run("call", () => {
            if (attempt < 2) throw new Error("primary down");
            return "secondary";
          });
          const next = await step.run("next", () => attempt);
          return { via, next };
        }),
      ]);
      expect(await finished(await trigger(on("x")))).toMatchObject({ output: { via: "secondary", next: 0 } });
    },
  },
  {
    id: "EX-29",
    title: "An error of the body repeats no finished step",
    proves: ["EX-29", "EX-9"],
    async run({ app, fn, on, trigger, finished, mark, names }) {
      await app([
        fn("body", on("x"), async ({ step, attempt }) => {
          await step.run("a", () => mark("a"));
          mark(`body:${attempt}`);
          if (attempt === 0) throw new Error("once");
          await step.run("b", () => mark(`b:${attempt}`));
          return "ok";
        }),
      ]);
      expect(await finished(await trigger(on("x")))).toMatchObject({ status: "Completed", output: "ok" });
      // Every successful step begins a new count; so the body that meets b's result is at its first attempt again.
      expect(names("a")).toEqual(["a"]);
      expect(names("body:").slice(0, 2)).toEqual(["body:0", "body:1"]);
      expect(names("b:")).toEqual(["b:1"]);
    },
  },
  {
    id: "SC-60",
    title: "Non-retriable",
    proves: ["EX-22", "EX-30"],
    async run({ app, fn, on, trigger, ended, runOf, mark, marks, sdk }) {
      const { NonRetriableError } = sdk;
      class UserNotFoundError extends NonRetriableError {
        override readonly name = "UserNotFoundError";
      }
      await app([
        fn("body", on("x"), () => {
          mark("body");
          throw new NonRetriableError("Store not found", { cause: new Error("404") });
        }),
        fn("in-step", on("x"), async ({ step }) => {
          await step.run("s", () => {
            mark("step");
            throw new NonRetriableError("no");
          });
          await step.run("never", () => mark("never"));
        }),
        fn("own", on("x"), () => {
          throw new UserNotFoundError("who?");
        }),
      ]);
      const runs = await ended(await trigger(on("x")), 3);
      expect(runOf(runs, "body")).toMatchObject({
        status: "Failed",
        output: { message: "Store not found", stack: expect.any(String), cause: { name: "Error", message: "404" } },
      });
      expect(runOf(runs, "in-step")).toMatchObject({ status: "Failed", output: { message: "no" } });
      // v3 sends every error of a class it does not know as "Error"; the stack still has its own name.
      expect(runOf(runs, "own")).toMatchObject({
        status: "Failed",
        output: {
          name: sdk.name === "v3" ? "Error" : "UserNotFoundError",
          message: "who?",
          stack: expect.stringContaining("UserNotFoundError: who?"),
        },
      });
      expect(marks("body")).toHaveLength(1);
      expect(marks("step")).toHaveLength(1);
      expect(marks("never")).toHaveLength(0);
    },
  },
  {
    id: "SC-61",
    title: "Retry at a given time",
    proves: ["EX-23"],
    async run({ app, fn, on, trigger, finished, mark, marks, sdk: { RetryAfterError } }) {
      await app([
        fn("retry-after", on("x"), async ({ step, attempt }) => {
          const later: Readonly<Record<string, () => number | string | Date>> = {
            ms: () => 3000,
            text: () => "3s",
            date: () => new Date(Date.now() + 3000),
          };
          for (const [name, moment] of Object.entries(later)) {
            await step.run(name, () => {
              mark(name);
              if (attempt === 0) throw new RetryAfterError("later", moment());
            });
          }
        }),
      ]);
      expect(await finished(await trigger(on("x")))).toMatchObject({ status: "Completed" });
      for (const name of ["ms", "text", "date"]) {
        const [first, second] = marks(name);
        const gap = (second?.at ?? Number.NaN) - (first?.at ?? Number.NaN);
        // A date travels in whole seconds, so it may lie up to one before the moment that was meant.
        expect(gap, name).toBeGreaterThanOrEqual(name === "date" ? 2000 : 3000);
        expect(gap, name).toBeLessThan(5000);
      }
    },
  },
  {
    id: "EX-23",
    title: "A requested time adds no attempts, and the body may ask for one too",
    proves: ["EX-23", "EX-19"],
    async run({ app, fn, on, trigger, ended, runOf, mark, marks, sdk: { RetryAfterError } }) {
      await app([
        fn({ id: "none", retries: 0 }, on("x"), () => {
          mark("none");
          throw new RetryAfterError("slow", "2s");
        }),
        fn({ id: "body", retries: 1 }, on("x"), ({ attempt }) => {
          mark("body");
          if (attempt === 0) throw new RetryAfterError("slow", 2000);
        }),
      ]);
      const runs = await ended(await trigger(on("x")), 2);
      expect(runOf(runs, "none")).toMatchObject({ status: "Failed", output: { message: "slow" } });
      expect(runOf(runs, "body")).toMatchObject({ status: "Completed" });
      expect(marks("none")).toHaveLength(1);
      const [first, second] = marks("body");
      expect((second?.at ?? Number.NaN) - (first?.at ?? Number.NaN)).toBeGreaterThanOrEqual(2000);
    },
  },
];
