/**
 * Large runs: what a run may hold, state too large for a call, and hundreds of parallel steps (EX-13 to EX-16, EX-36).
 * One scenario at a time, because each keeps the app's single thread busy.
 */
import { expect } from "vitest";
import { type Case, conformance, EVERY_WAY } from "../harness/cases.ts";

const KIB = 1024;
const MIB = KIB * KIB;

/** A text whose JSON, quotes included, has this many bytes. */
const text = (bytes: number): string => "x".repeat(bytes - 2);

const large: readonly Case[] = [
  {
    id: "SC-70",
    title: "Many chunks and a join",
    proves: ["EX-31", "EX-36"],
    sdks: EVERY_WAY,
    async run({ app, fn, on, trigger, finished, mark, marks, names, variant }) {
      await app([
        fn<{ n: number }>("summarize", on("x"), async ({ event, step }) => {
          const { n } = event.data;
          const chunk = (i: number) =>
            step.run(`summarize-chunk-${i}`, () => {
              mark(`${n}:chunk-${i};`);
              return i;
            });
          const parts = await Promise.all(Array.from({ length: n }, (_, i) => chunk(i)));
          return step.run("summarize-summaries", () => parts.reduce((sum, part) => sum + part, 0));
        }),
      ]);
      // Every call replays the function with all results so far: the SDKs' own cost is quadratic, so one of them does the most.
      const many = variant === "v3-optimised" ? 600 : 300;
      const [small, large] = await Promise.all([trigger(on("x"), { n: 20 }), trigger(on("x"), { n: many })]);
      expect(await finished(small)).toMatchObject({ status: "Completed", output: 190 });
      expect(await finished(large)).toMatchObject({ status: "Completed", output: (many * (many - 1)) / 2 });
      for (const n of [20, many]) {
        expect(marks(`${n}:`)).toHaveLength(n);
        expect(new Set(names(`${n}:`)).size).toBe(n);
      }
    },
  },
  {
    id: "SC-71",
    title: "Limits of a run: bytes",
    proves: ["EX-13", "EX-14"],
    async run({ app, fn, on, trigger, ended, runOf, mark, marks, sdk }) {
      await app([
        fn({ id: "output", retries: 0 }, on("x"), async ({ step }) => {
          await step.run("fits", () => text(4 * MIB));
          mark("fits");
          await step.run("too-big", () => text(4 * MIB + 1));
        }),
        fn({ id: "state", retries: 0 }, on("x"), async ({ step }) => {
          for (let i = 0; i < 9; i++) {
            await step.run(`s${i}`, () => {
              mark("state");
              return text(3900 * KIB);
            });
          }
        }),
      ]);
      const runs = await ended(await trigger(on("x")), 2);
      const failure = (id: string): string => {
        const run = runOf(runs, id);
        expect(run.status).toBe("Failed");
        return JSON.stringify(run.output);
      };
      expect(marks("fits").length).toBeGreaterThan(0);
      // v3 passes an uncaught step error on without its name.
      if (sdk.name !== "v3") expect(failure("output")).toMatch(/output_too_large/);
      expect(failure("output")).toMatch(/4 MiB|4194304/);
      expect(marks("state")).toHaveLength(9);
      expect(failure("state")).toMatch(/state_too_large/);
      expect(failure("state")).toMatch(/32 MiB|33554432/);
    },
  },
  {
    id: "EX-13",
    title: "A step that is too large fails once and may be caught; so does an output that is too large, for good",
    proves: ["EX-13"],
    async run({ app, fn, on, trigger, ended, runOf, mark, marks }) {
      await app([
        fn("caught", on("x"), async ({ step }) => {
          const big = step.run("big", () => {
            mark("big");
            return text(4 * MIB + KIB);
          });
          return await big.catch((error: unknown) => `caught: ${String(error)}`);
        }),
        fn("returned", on("x"), () => {
          mark("returned");
          return text(4 * MIB + KIB);
        }),
        fn("fits", on("x"), () => text(4 * MIB)),
      ]);
      const runs = await ended(await trigger(on("x")), 3);
      expect(runOf(runs, "caught")).toMatchObject({ status: "Completed", output: expect.stringContaining("4 MiB") });
      expect(marks("big")).toHaveLength(1);
      const { status, output } = runOf(runs, "returned");
      expect({ status, output: JSON.stringify(output) }).toEqual({
        status: "Failed",
        output: expect.stringMatching(/output_too_large/),
      });
      expect(marks("returned")).toHaveLength(1);
      expect(runOf(runs, "fits").status).toBe("Completed");
    },
  },
  {
    id: "EX-16",
    title: "State that does not fit into a call is fetched by the SDK",
    proves: ["EX-16", "API-21"],
    async run({ app, fn, on, trigger, finished }) {
      await app([
        fn("large", on("x"), async ({ event, events, step }) => {
          const results: string[] = [];
          for (let i = 0; i < 10; i++) results.push(await step.run(`s${i}`, () => `${i}`.padEnd(MIB, "y")));
          const seen = await step.run("eleventh", () => results.map((result) => `${result[0]}:${result.length}`));
          return { seen, events: events.length, event: events[0]?.id === event.id };
        }),
      ]);
      expect(await finished(await trigger(on("x"), { canary: 1 }))).toMatchObject({
        status: "Completed",
        output: { seen: Array.from({ length: 10 }, (_, i) => `${i}:${MIB}`), events: 1, event: true },
      });
    },
  },
];

conformance(
  "Large runs",
  large.map((one) => ({ ...one, alone: true })),
);
