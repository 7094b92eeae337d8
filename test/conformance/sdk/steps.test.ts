/**
 * One step after another: what is executed how often, what a step's result becomes, and how fast it goes (EX-1 to EX-12, EX-73 to EX-75).
 */
import { InngestMiddleware } from "inngest-v3";
import { expect } from "vitest";
import * as z from "zod";
import { type Case, conformance } from "../harness/cases.ts";
import { catching } from "./catching.ts";
import { retries } from "./retries.ts";

const steps: readonly Case[] = [
  {
    id: "SC-1",
    title: "Hello world",
    proves: ["EV-1", "TR-1", "EX-3", "EX-37"],
    async run({ app, fn, on, trigger, finished }) {
      await app([
        fn<{ email: string }>("hello-world", on("hello"), async ({ event, step }) => {
          await step.sleep("wait-a-moment", "1s");
          return { message: `Hello ${event.data.email}!` };
        }),
      ]);
      const run = await finished(await trigger(on("hello"), { email: "a@example.com" }));
      expect(run).toMatchObject({ status: "Completed", output: { message: "Hello a@example.com!" } });
      expect(Date.parse(run.ended_at ?? "") - Date.parse(run.run_started_at ?? "")).toBeGreaterThanOrEqual(1000);
    },
  },
  {
    id: "SC-54",
    title: "Bodies run once, code between runs again",
    proves: ["EX-1", "EX-2", "EX-3", "EX-4"],
    async run({ app, fn, on, trigger, finished, mark, names }) {
      const served = await app([
        fn("hello-steps", on("x"), async ({ step }) => {
          mark("hello");
          await step.run("a", () => mark("a"));
          await step.run("b", () => mark("b"));
          await step.run("c", () => mark("c"));
        }),
      ]);
      expect(await finished(await trigger(on("x")))).toMatchObject({ status: "Completed", output: null });
      expect(names("")).toEqual(["hello", "a", "hello", "b", "hello", "c", "hello"]);
      expect(served.calls()).toBe(4);
    },
  },
  {
    id: "SC-55",
    title: "Results and JSON",
    proves: ["EX-4", "EX-7", "EX-12"],
    async run({ app, fn, on, trigger, finished }) {
      await app([
        fn("json", on("x"), async ({ step }) => {
          const first = await step.run("copy-images-to-s3", () => ({
            at: new Date(0),
            list: [1, null, "ü\u0000"],
            none: undefined,
            big: 1e21,
            zebra: { b: 1, a: 2, "10": 3, "9": 4 },
          }));
          const nothing = await step.run("nothing", () => {});
          return { first, nothing, kind: typeof first.at, order: Object.keys(first).join() };
        }),
      ]);
      expect(await finished(await trigger(on("x")))).toMatchObject({
        status: "Completed",
        output: {
          first: {
            at: "1970-01-01T00:00:00.000Z",
            list: [1, null, "ü\u0000"],
            big: 1e21,
            zebra: { b: 1, a: 2, "10": 3, "9": 4 },
          },
          nothing: null,
          kind: "string",
        },
      });
    },
  },
  {
    id: "EX-7",
    title: "Values come back as JSON has them: no undefined, key order kept",
    proves: ["EX-6", "EX-7"],
    async run({ app, fn, on, trigger, finished }) {
      await app([
        fn("order", on("x"), async ({ step }) => {
          const value = await step.run("s", () => ({
            zebra: 1,
            none: undefined,
            apple: { d: 1, b: 2 },
            mango: [undefined],
          }));
          const inner = await step.run("t", () => "between");
          return JSON.stringify(value) + inner;
        }),
      ]);
      const { output } = await finished(await trigger(on("x")));
      expect(output).toBe('{"zebra":1,"apple":{"d":1,"b":2},"mango":[null]}between');
    },
  },
  {
    id: "SC-56",
    title: "The same id twice",
    proves: ["EX-5"],
    async run({ app, fn, on, trigger, finished }) {
      await app([
        fn("twice", on("x"), async ({ step }) => {
          const first = await step.run("create-user", () => "alice");
          const second = await step.run("create-user", () => "bob");
          const third = await step.run({ id: "create-user", name: "Create a user" }, () => "carol");
          return [first, second, third];
        }),
      ]);
      expect(await finished(await trigger(on("x")))).toMatchObject({ output: ["alice", "bob", "carol"] });
    },
  },
  {
    id: "EX-12",
    title: "Only thrown errors are failures",
    proves: ["EX-12", "EX-7"],
    async run({ app, fn, on, trigger, ended, runOf }) {
      await app([
        fn("status", on("x"), () => ({ status: 500, error: "not one" })),
        fn("nothing", on("x"), () => undefined),
        fn("null", on("x"), () => null),
        fn("text", on("x"), () => "plain"),
        fn("list", on("x"), () => []),
      ]);
      const runs = await ended(await trigger(on("x")), 5);
      const outputs = Object.entries({
        status: { status: 500, error: "not one" },
        nothing: null,
        null: null,
        text: "plain",
        list: [],
      });
      for (const [id, output] of outputs) expect(runOf(runs, id)).toMatchObject({ status: "Completed", output });
    },
  },
  {
    id: "EX-73",
    title: "Dynamic step ids in a loop, and code without steps",
    proves: ["EX-73"],
    async run({ app, fn, on, trigger, finished }) {
      await app([
        fn("paged-import", on("x"), async ({ step }) => {
          await new Promise((wake) => setTimeout(wake, 20));
          const items: number[] = [];
          for (let page = 0; ; page++) {
            const size = page < 4 ? 50 : 17;
            const fetched = await step.run(`fetch-page-${page}`, () =>
              Array.from({ length: size }, (_, i) => page * 50 + i),
            );
            items.push(...fetched);
            if (fetched.length < 50) break;
          }
          return { count: items.length, sum: items.reduce((sum, item) => sum + item, 0) };
        }),
      ]);
      expect(await finished(await trigger(on("x")))).toMatchObject({ output: { count: 217, sum: (216 * 217) / 2 } });
    },
  },
  {
    id: "SC-98",
    title: "Rounds of middleware",
    proves: ["EX-1"],
    sdks: ["v3"],
    async run({ app, fn, newClient, on, trigger, finished, mark, marks }) {
      const count = () => ({ onFunctionRun: () => ({ transformInput: () => mark("round") }) });
      const client = newClient({ middleware: [new InngestMiddleware({ name: "count", init: count })] });
      const two = fn(
        "two",
        on("x"),
        async ({ step }) => {
          await step.run("a", () => 1);
          await step.run("b", () => 2);
        },
        client,
      );
      await app([two], { client });
      await finished(await trigger(on("x")));
      expect(marks("round")).toHaveLength(3);
    },
  },
];

const jobsSchema = z.object({ data: z.array(z.looseObject({ at: z.string(), attempt: z.int() })) });

const backOff: readonly Case[] = [
  {
    id: "EX-21",
    title: "Without a retry interval the table tells when",
    proves: ["EX-21", "API-9"],
    async run({ app, fn, on, trigger, engine, api, until, mark, marks }) {
      await app([
        fn({ id: "backoff", retries: 3 }, on("x"), () => {
          mark("tried");
          throw new Error("x");
        }),
      ]);
      const id = await trigger(on("x"));
      const [run] = await until(async () => {
        const runs = await engine.runsOf(id);
        return runs[0]?.status === "Running" ? runs : null;
      });
      const job = await until(async () => {
        const { json } = await api("GET", `/v1/runs/${run?.run_id}/jobs`);
        return jobsSchema.parse(json).data.find(({ attempt }) => attempt === 1) ?? null;
      });
      const gap = Date.parse(job.at) - (marks("tried")[0]?.at ?? Number.NaN);
      expect(gap).toBeGreaterThanOrEqual(15_000);
      expect(gap).toBeLessThanOrEqual(46_000);
      expect(marks("tried")).toHaveLength(1);
    },
  },
];

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const latency: readonly Case[] = [
  {
    id: "SC-153",
    title: "Latency",
    proves: ["EX-75"],
    alone: true,
    async run({ app, fn, on, trigger, finished, until, mark, marks }) {
      await app([
        fn<{ sent: number }>("lat", on("x"), async ({ event, step }) => {
          await step.run("one", () => mark(`first:${Date.now() - event.data.sent}`));
          await step.run("two", () => mark("second"));
        }),
      ]);
      const ids: string[] = [];
      for (let i = 1; i <= 100; i++) {
        ids.push(await trigger(on("x"), { sent: Date.now() }));
        await until(() => marks("second").length === i);
      }
      const [first, second] = [marks("first:"), marks("second")];
      expect(median(first.map(({ name }) => Number(name.slice("first:".length))))).toBeLessThan(100);
      expect(median(first.map(({ at }, i) => (second[i]?.at ?? Number.NaN) - at))).toBeLessThan(100);
      for (const run of await Promise.all(ids.map(finished))) {
        expect(run.status).toBe("Completed");
        expect(Date.parse(run.ended_at ?? "") - Date.parse(run.queued_at)).toBeLessThan(2000);
      }
    },
  },
];

conformance("Steps", [...latency, ...steps, ...retries, ...catching]);
conformance("Back-off", backOff, { retryInterval: 0 });
