/**
 * Steps side by side, in every way the SDKs have of doing them, sleeping runs, and deploying meanwhile (EX-31 to EX-40, EX-61 to EX-63).
 */
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { type Case, conformance, EVERY_WAY } from "../harness/cases.ts";
import { codeChanges } from "./code-changes.ts";
import { sleeps } from "./sleeps.ts";

const parallel: readonly Case[] = [
  {
    id: "SC-67",
    title: "Parallel steps",
    proves: ["EX-31", "EX-35"],
    sdks: EVERY_WAY,
    async run({ app, fn, on, trigger, finished, peak, maxPeak }) {
      await app([
        fn("parallel", on("x"), async ({ step }) => {
          const [a, b, c] = await Promise.all([
            step.run("a", () => peak("par", 1000).then(() => 1)),
            step.run("b", () => peak("par", 1000).then(() => 2)),
            step.run("c", () => peak("par", 1000).then(() => 3)),
          ]);
          return a * 100 + b * 10 + c;
        }),
      ]);
      const run = await finished(await trigger(on("x")));
      expect(run).toMatchObject({ status: "Completed", output: 123 });
      expect(maxPeak("par")).toBe(3);
    },
  },
  {
    id: "EX-35",
    title: "One failed branch does not stop the others",
    proves: ["EX-35", "EX-20"],
    sdks: EVERY_WAY,
    async run({ app, fn, on, trigger, finished, mark, marks }) {
      await app([
        fn({ id: "settled", retries: 1 }, on("x"), async ({ step }) => {
          const branch = (name: string) =>
            step.run(name, () => {
              mark(name);
              if (name === "bad") throw new Error("broken");
              return name;
            });
          const settled = await Promise.allSettled([branch("one"), branch("bad"), branch("two")]);
          return settled.map((result) => (result.status === "fulfilled" ? result.value : String(result.reason)));
        }),
      ]);
      expect(await finished(await trigger(on("x")))).toMatchObject({
        status: "Completed",
        output: ["one", expect.stringContaining("broken"), "two"],
      });
      expect(["one", "bad", "two"].map((name) => marks(name).length)).toEqual([1, 2, 1]);
    },
  },
  {
    id: "EX-32",
    title: "Requests of ten parallel steps",
    proves: ["EX-32"],
    sdks: EVERY_WAY,
    async run({ app, fn, on, trigger, finished, mark, marks, variant }) {
      const served = await app([
        fn("ten", on("x"), async ({ step }) => {
          await Promise.all(Array.from({ length: 10 }, (_, i) => step.run(`s${i}`, () => mark("body"))));
        }),
      ]);
      await finished(await trigger(on("x")));
      expect(marks("body")).toHaveLength(10);
      if (variant === "v3" || variant === "v4-plain") expect(served.calls()).toBeGreaterThanOrEqual(20);
      else expect(served.calls()).toBeLessThanOrEqual(13);
    },
  },
  {
    id: "SC-68",
    title: "Order of branches",
    proves: ["EX-32", "EX-33"],
    async run({ app, fn, on, trigger, ended, mark, names }) {
      const branches = (id: string, optimizeParallelism: boolean) =>
        fn({ id, optimizeParallelism }, on("x"), async ({ step }) => {
          const run = (name: string, ms: number) =>
            step.run(name, async () => {
              await sleep(ms);
              mark(`${id}:${name}`);
            });
          const branch = async (name: string, ms: number): Promise<void> => {
            await run(`${name}.1`, ms);
            await run(`${name}.2`, ms);
          };
          await Promise.all([branch("fast", 0), branch("slow", 1000)]);
        });
      await app([branches("opt", true), branches("plain", false)]);
      await ended(await trigger(on("x")), 2);
      const order = (id: string) => names(`${id}:`).map((name) => name.slice(id.length + 1));
      expect(order("opt")).toEqual(["fast.1", "slow.1", "fast.2", "slow.2"]);
      expect(order("plain")).toEqual(["fast.1", "fast.2", "slow.1", "slow.2"]);
    },
  },
  {
    id: "SC-69",
    title: "Finishing while a sleep is open",
    proves: ["EX-34", "BY-5"],
    sdks: ["v3"],
    async run({ app, fn, on, trigger, finished, api }) {
      await app([
        fn("race", on("x"), ({ step }) =>
          Promise.race([step.run("fast", () => "fast"), step.sleep("slow", "1h").then(() => "slow")]),
        ),
      ]);
      const run = await finished(await trigger(on("x")));
      expect(run).toMatchObject({ status: "Completed", output: "fast" });
      expect(Date.parse(run.ended_at ?? "") - Date.parse(run.queued_at)).toBeLessThan(5000);
      expect(await api("GET", `/v1/runs/${run.run_id}/jobs`)).toMatchObject({ json: { data: [] } });
    },
  },
  {
    id: "SC-69b",
    title: "A race that its SDK ends only with its last step",
    proves: ["EX-33", "EX-34"],
    // v4 reports the open sleep again instead of returning, optimised or not: the run ends when the sleep does, with the winner.
    sdks: ["v3-optimised", "v4", "v4-plain"],
    async run({ app, fn, on, trigger, finished, mark, marks }) {
      await app([
        fn("race", on("x"), async ({ step }) => {
          const fast = step.run("fast", () => {
            mark("fast");
            return "fast";
          });
          return await Promise.race([fast, step.sleep("slow", "2s").then(() => "slow")]);
        }),
      ]);
      expect(await finished(await trigger(on("x")))).toMatchObject({ status: "Completed", output: "fast" });
      expect(marks("fast")).toHaveLength(1);
    },
  },
  {
    id: "EX-34",
    title: "A step in flight ends, its result is ignored, and what was only planned never starts",
    proves: ["EX-34", "EX-11"],
    sdks: ["v3"],
    async run({ app, fn, on, trigger, finished, engine, until, pause, mark, marks }) {
      await app([
        fn("race", on("x"), async ({ step }) => {
          const slow = async (): Promise<string> => {
            await step.run("slow", async () => {
              await sleep(2000);
              mark("slow-done");
            });
            await step.run("never", () => mark("never"));
            return "slow";
          };
          return await Promise.race([step.run("fast", () => "fast"), slow()]);
        }),
      ]);
      const run = await finished(await trigger(on("x")));
      expect(run).toMatchObject({ status: "Completed", output: "fast" });
      expect(marks("slow-done")).toHaveLength(0);
      await until(() => marks("slow-done").length === 1);
      await pause(500);
      expect(await engine.run(run.run_id)).toMatchObject(run);
      expect(marks("never")).toHaveLength(0);
    },
  },
  {
    id: "EX-9",
    title: "Parallel steps count their attempts apart",
    proves: ["EX-9", "EX-20", "EX-31"],
    sdks: EVERY_WAY,
    async run({ app, fn, on, trigger, finished, mark, names }) {
      await app([
        fn({ id: "flaky", retries: 3 }, on("x"), async ({ step, attempt }) => {
          const flaky = (name: string, failures: number) =>
            step.run(name, () => {
              mark(`${name}:${attempt}`);
              if (attempt < failures) throw new Error("not yet");
              return name;
            });
          const names = await Promise.all([flaky("a", 0), flaky("b", 1), flaky("c", 3)]);
          return [...names, await step.run("join", () => attempt)];
        }),
      ]);
      expect(await finished(await trigger(on("x")))).toMatchObject({ status: "Completed", output: ["a", "b", "c", 0] });
      expect(names("a:")).toEqual(["a:0"]);
      expect(names("b:")).toEqual(["b:0", "b:1"]);
      expect(names("c:")).toEqual(["c:0", "c:1", "c:2", "c:3"]);
    },
  },
];

conformance("Parallel steps, sleeps and code changes", [...parallel, ...sleeps, ...codeChanges]);
