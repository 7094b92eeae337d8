/**
 * Invoking functions: results, failures, time-outs, and that there is exactly one child (EX-50 to EX-55).
 */
import { expect } from "vitest";
import * as z from "zod";
import type { Case } from "../harness/cases.ts";
import type { Scenario } from "../harness/scenario.ts";
import { SDKS } from "../harness/sdk.ts";
import { MODES, took } from "./modes.ts";

/** The different runs that left a mark `<prefix><run id>`. */
function runsMarked({ marks }: Scenario, prefix: string): number {
  return new Set(marks(prefix).map(({ name }) => name)).size;
}

const results: readonly Case[] = [
  {
    id: "SC-84",
    title: "Invoke",
    proves: ["EX-50", "EX-51", "CR-34"],
    sdks: MODES,
    async run(scenario) {
      const { app, fn, on, slug, trigger, finished, until, engine, mark, marks } = scenario;
      const square = fn<{ number: number }>("compute-square", on("calculate"), ({ event, runId }) => {
        mark(`callee:${runId}`);
        return { result: event.data.number * event.data.number };
      });
      const main = fn("main-function", on("main"), async ({ step }) => {
        const { result } = await step.invoke<{ result: number }>("compute-square-value", {
          function: square.native,
          data: { number: 4 },
        });
        return `Square of 4 is ${result}.`;
      });
      const ended = z.object({ run_id: z.string(), result: z.unknown(), correlation_id: z.string() });
      const listener = fn(
        "listener",
        { event: "inngest/function.finished", if: `event.data.function_id == '${slug("compute-square")}'` },
        ({ event }) => {
          const { run_id, result, correlation_id } = ended.parse(event.data);
          mark(`finished:${run_id}:${JSON.stringify(result)}:${correlation_id.split(".")[0]}`);
        },
      );
      await app([square, main, listener]);
      const run = await finished(await trigger(on("main")));
      expect(run).toMatchObject({ status: "Completed", output: "Square of 4 is 16." });
      const [callee, ...others] = marks("callee:");
      expect(others).toEqual([]);
      const child = callee?.name.slice("callee:".length) ?? "";
      expect(await engine.run(child)).toMatchObject({
        parent_run_id: run.run_id,
        status: "Completed",
        output: { result: 16 },
      });
      await until(() => marks("finished:").length > 0);
      expect(marks("finished:").map(({ name }) => name)).toEqual([`finished:${child}:{"result":16}:${run.run_id}`]);
    },
  },
  {
    id: "SC-85",
    title: "Invoke across apps and SDKs",
    proves: ["EX-50"],
    sdks: MODES,
    async run({ app, fn, on, appId, sdk, trigger, finished, newClient, engine }) {
      const other = SDKS[sdk.name === "v3" ? "v4" : "v3"].client({
        id: `${appId}-py`,
        engine: engine.url,
        mode: "dev",
      });
      const same = newClient({ id: "twin" });
      const square = { id: "square" };
      await app([fn<{ number: number }>(square, on("never"), ({ event }) => event.data.number ** 2, other)], {
        client: other,
      });
      await app([fn<{ number: number }>(square, on("never"), ({ event }) => event.data.number ** 3, same)], {
        client: same,
      });
      await app([
        fn("cross", on("x"), async ({ step }) => [
          await step.invoke("call", {
            function: sdk.referenceFunction({ appId: `${appId}-py`, functionId: "square" }),
            data: { number: 5 },
          }),
          await step.invoke("twin", {
            function: sdk.referenceFunction({ appId: `${appId}-twin`, functionId: "square" }),
            data: { number: 5 },
          }),
        ]),
      ]);
      expect(await finished(await trigger(on("x")))).toMatchObject({ status: "Completed", output: [25, 125] });
    },
  },
  {
    id: "EX-50",
    title: "A plain string is a full slug",
    proves: ["EX-50"],
    sdks: ["v3"],
    async run({ app, fn, on, slug, trigger, finished }) {
      await app([
        fn("callee", on("never"), () => "called"),
        fn("caller", on("x"), ({ step }) => step.invoke("call", { function: slug("callee") })),
      ]);
      expect(await finished(await trigger(on("x")))).toMatchObject({ status: "Completed", output: "called" });
    },
  },
  {
    id: "EX-50b",
    title: "Repeated, parallel and nested invocations; what the callee sees",
    proves: ["EX-50", "EX-31", "EX-5"],
    sdks: MODES,
    async run(scenario) {
      const { app, fn, on, trigger, finished, mark, marks } = scenario;
      const leaf = fn<{ n: number }>("leaf", [], async ({ event, step, runId }) => {
        mark(`name:${event.name}`);
        mark(`leaf:${runId}`);
        return step.run("double", () => event.data.n * 2);
      });
      const middle = fn<{ n: number }>("middle", on("never"), async ({ event, step }) => {
        const doubled = await step.invoke<number>("leaf", { function: leaf.native, data: { n: event.data.n } });
        return doubled + 1;
      });
      const none = fn("none", on("never"), () => undefined);
      await app([
        leaf,
        middle,
        none,
        fn("top", on("x"), async ({ step }) => {
          const many = await Promise.all(
            [1, 2, 3, 4, 5].map((n) => step.invoke<number>(`m${n}`, { function: middle.native, data: { n } })),
          );
          const first = await step.invoke("again", { function: leaf.native, data: { n: 10 } });
          const second = await step.invoke("again", { function: leaf.native, data: { n: 20 } });
          const nothing = await step.invoke("nothing", { function: none.native });
          return { many, first, second, nothing };
        }),
      ]);
      expect(await finished(await trigger(on("x")))).toMatchObject({
        status: "Completed",
        output: { many: [3, 5, 7, 9, 11], first: 20, second: 40, nothing: null },
      });
      expect([...new Set(marks("name:").map(({ name }) => name))]).toEqual(["name:inngest/function.invoked"]);
      expect(runsMarked(scenario, "leaf:")).toBe(7);
    },
  },
  {
    id: "EX-51",
    title: "The callee has retries and steps of its own",
    proves: ["EX-51", "EX-20"],
    sdks: MODES,
    async run({ app, fn, on, trigger, finished, mark, marks }) {
      const flaky = fn({ id: "flaky", retries: 2 }, on("never"), async ({ step }) => {
        return step.run("s", () => {
          mark("s");
          if (marks("s").length < 3) throw new Error("not yet");
          return "at last";
        });
      });
      await app([
        flaky,
        fn({ id: "caller", retries: 0 }, on("x"), ({ step, attempt }) =>
          step.invoke("call", { function: flaky.native }).then((result) => [result, attempt]),
        ),
      ]);
      expect(await finished(await trigger(on("x")))).toMatchObject({ status: "Completed", output: ["at last", 0] });
      expect(marks("s")).toHaveLength(3);
    },
  },
  {
    id: "EX-13",
    title: "A large result of an invocation arrives whole",
    proves: ["EX-13", "EX-50"],
    sdks: MODES,
    async run({ app, fn, on, trigger, finished, api }) {
      // Twice: v3 mangles a character of several bytes where two chunks of a request meet, so that one is compared in the engine only.
      const large = fn<{ letter: string }>("large", on("never"), ({ event }) => event.data.letter.repeat(500_000));
      await app([
        large,
        fn("caller", on("x"), async ({ step }) => {
          const result = await step.invoke<string>("e", { function: large.native, data: { letter: "e" } });
          await step.invoke<string>("é", { function: large.native, data: { letter: "é" } });
          return step.run("size", () => [result.length, result.at(-1)]);
        }),
      ]);
      const run = await finished(await trigger(on("x")));
      expect(run).toMatchObject({ status: "Completed", output: [500_000, "e"] });
      const { json } = await api("GET", `/v0/runs/${run.run_id}/actions`);
      expect(Object.values(z.record(z.string(), z.unknown()).parse(json))).toContainEqual({
        data: "é".repeat(500_000),
      });
    },
  },
];

const failures: readonly Case[] = [
  {
    id: "SC-86",
    title: "Invoke that cannot work",
    proves: ["EX-53"],
    sdks: MODES,
    async run({ app, fn, on, sdk, trigger, ended, runOf }) {
      const absent = sdk.referenceFunction({ functionId: "no-such" });
      const served = await app([
        fn("caught", on("x"), ({ step }) =>
          step.invoke("call", { function: absent, data: {} }).catch((error: Error) => `caught: ${error.message}`),
        ),
        fn("uncaught", on("x"), ({ step }) => step.invoke("call", { function: absent, data: {} })),
      ]);
      const runs = await ended(await trigger(on("x")), 2);
      expect(runOf(runs, "caught")).toMatchObject({
        status: "Completed",
        output: expect.stringMatching(/^caught: .*could not find function/),
      });
      const uncaught = runOf(runs, "uncaught");
      expect(uncaught).toMatchObject({
        status: "Failed",
        output: { message: expect.stringContaining("could not find function") },
      });
      // Each was called to ask and to be told, and nobody tried again.
      expect(served.calls()).toBe(4);
    },
  },
  {
    id: "SC-87",
    title: "Invoke time-out",
    proves: ["EX-52"],
    sdks: MODES,
    async run({ app, fn, on, trigger, finished, until, mark, marks }) {
      const slow = fn("slow", on("never"), async ({ step }) => {
        await step.sleep("s", "5s");
        mark("slow-done");
        return 1;
      });
      await app([
        slow,
        fn("impatient", on("x"), ({ step }) =>
          step.invoke("call", { function: slow.native, data: {}, timeout: "1s" }).then(
            () => "in time",
            (error: Error) => error.name + error.message,
          ),
        ),
      ]);
      const sent = Date.now();
      const run = await finished(await trigger(on("x")));
      expect(run).toMatchObject({
        status: "Completed",
        output: expect.stringMatching(/Timed out waiting for invoked function to complete/),
      });
      expect(took(run, sent)).toBeGreaterThanOrEqual(1000);
      expect(marks("slow-done")).toHaveLength(0);
      await until(() => marks("slow-done").length === 1);
    },
  },
  {
    id: "EX-52",
    title: "The error of a time-out has the name SDKs know",
    proves: ["EX-52"],
    sdks: MODES,
    async run({ app, fn, on, trigger, finished, api, engine, pause }) {
      const slow = fn("slow", on("never"), ({ step }) => step.sleep("s", "3s").then(() => "late"));
      await app([
        slow,
        fn({ id: "impatient", retries: 3 }, on("x"), ({ step }) =>
          step.invoke("call", { function: slow.native, timeout: "1s" }),
        ),
      ]);
      const run = await finished(await trigger(on("x")));
      const { json } = await api("GET", `/v0/runs/${run.run_id}/actions`);
      const [memo] = Object.values(z.record(z.string(), z.unknown()).parse(json));
      expect(memo).toMatchObject({ error: { name: "InngestInvokeTimeoutError" } });
      expect(run).toMatchObject({ status: "Failed" });
      // The late result changes nothing.
      await pause(3000);
      expect(await engine.run(run.run_id)).toMatchObject(run);
    },
  },
  {
    id: "SC-88",
    title: "A failing callee is not multiplied",
    proves: ["EX-53", "EX-55"],
    sdks: MODES,
    async run(scenario) {
      const { app, fn, on, trigger, ended, runOf, mark, marks } = scenario;
      const bad = fn({ id: "bad-callee", retries: 1 }, on("never"), ({ event, runId }) => {
        mark(`bad:${event.data["for"]};`);
        mark(`run:${runId}`);
        throw new TypeError("callee broke");
      });
      const call = { function: bad.native };
      await app([
        bad,
        fn({ id: "catches", retries: 3 }, on("x"), ({ step }) =>
          step.invoke("call", { ...call, data: { for: "catches" } }).catch((error: Error) => error.message),
        ),
        fn({ id: "fails", retries: 3 }, on("x"), ({ step }) =>
          step.invoke("call", { ...call, data: { for: "fails" } }),
        ),
      ]);
      const runs = await ended(await trigger(on("x")), 2);
      expect(runOf(runs, "catches")).toMatchObject({ status: "Completed", output: "callee broke" });
      expect(runOf(runs, "fails")).toMatchObject({ status: "Failed", output: { message: "callee broke" } });
      for (const caller of ["catches", "fails"]) expect(marks(`bad:${caller};`), caller).toHaveLength(2);
      expect(runsMarked(scenario, "run:")).toBe(2);
    },
  },
  {
    id: "EX-53",
    title: "Of several callees one fails: the others' results stay",
    proves: ["EX-53", "EX-35"],
    sdks: MODES,
    async run({ app, fn, on, sdk, trigger, finished }) {
      const { NonRetriableError } = sdk;
      const odd = fn<{ n: number }>("odd", on("never"), ({ event }) => {
        if (event.data.n % 2 === 0) throw new NonRetriableError(`${event.data.n} is even`);
        return event.data.n;
      });
      await app([
        odd,
        fn("settles", on("x"), async ({ step }) => {
          const settled = await Promise.allSettled(
            [1, 2, 3].map((n) => step.invoke<number>(`call ${n}`, { function: odd.native, data: { n } })),
          );
          return settled.map((one) => (one.status === "fulfilled" ? one.value : String(one.reason.message)));
        }),
      ]);
      expect(await finished(await trigger(on("x")))).toMatchObject({
        status: "Completed",
        output: [1, "2 is even", 3],
      });
    },
  },
  {
    id: "EX-55",
    title: "Exactly one child, whenever the engine is killed",
    proves: ["EX-55", "EX-40"],
    sdks: ["v3", "v4-checkpointed"],
    alone: true,
    async run(scenario) {
      const { app, fn, on, send, finished, engine, pause, mark } = scenario;
      const child = fn<{ k: number }>("child", on("never"), async ({ event, step, runId }) => {
        mark(`${event.data.k}:${runId}`);
        await step.run("work", () => pause(30));
        return event.data.k;
      });
      await app([
        child,
        fn<{ k: number }>("parent", on("x"), ({ event, step }) =>
          step.invoke("call", { function: child.native, data: { k: event.data.k } }),
        ),
      ]);
      // One every few milliseconds until the engine dies: it dies at as many points of an invocation.
      const ids: string[] = [];
      for (let k = 0; k < 15; k++) {
        ids.push(...(await send([{ name: on("x"), data: { k } }])));
        await pause(4);
      }
      await engine.kill();
      await engine.boot();
      for (const [k, id] of ids.entries()) {
        expect(await finished(id)).toMatchObject({ status: "Completed", output: k });
        expect(runsMarked(scenario, `${k}:`), `invocation ${k}`).toBe(1);
      }
    },
  },
];

/** The scenarios. */
export const invocations: readonly Case[] = [...results, ...failures];
