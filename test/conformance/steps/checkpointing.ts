/**
 * Checkpointing, v4's default: several steps in one call, reported as they finish (EX-66, protocol/09 §9.2 and §9.3).
 */
import { expect } from "vitest";
import type { Case } from "../harness/cases.ts";
import type { Fault } from "../harness/proxy.ts";
import type { Variant } from "../harness/scenario.ts";
import { recordedClient } from "./checkpoints.ts";

/** v4's default, and what v3 can be told to do. */
const BOTH: readonly Variant[] = ["v3-checkpointed", "v4-checkpointed"];
const V4: readonly Variant[] = ["v4-checkpointed"];
const RUN = { ops: ["StepRun"], status: 200 };

const sequences: readonly Case[] = [
  {
    id: "EX-66",
    title: "Three steps need one call and three checkpoints",
    proves: ["EX-66"],
    sdks: BOTH,
    async run(scenario) {
      const { app, fn, on, trigger, finished, mark, marks } = scenario;
      const { client, checkpoints } = recordedClient(scenario);
      const three = fn(
        "three",
        on("x"),
        async ({ step }) => {
          mark("entered");
          const results: string[] = [];
          for (const id of ["a", "b", "c"]) {
            const result = await step.run(id, () => {
              mark(`body:${id}`);
              return `${id}!`;
            });
            results.push(result);
          }
          return results;
        },
        client,
      );
      const served = await app([three], { client });
      const run = await finished(await trigger(on("x")));
      expect(run).toMatchObject({ status: "Completed", output: ["a!", "b!", "c!"] });
      expect(checkpoints).toEqual([RUN, RUN, RUN]);
      expect(served.calls()).toBe(1);
      expect(marks("entered")).toHaveLength(1);
      expect(marks("body:").map(({ name }) => name)).toEqual(["body:a", "body:b", "body:c"]);
      const { json } = await scenario.api("GET", `/v0/runs/${run.run_id}/actions`);
      expect(Object.values(json as object)).toEqual([{ data: "a!" }, { data: "b!" }, { data: "c!" }]);
    },
  },
  {
    id: "EX-66b",
    title: "No step at all: one call, no checkpoint",
    proves: ["EX-66", "EX-12"],
    sdks: BOTH,
    async run(scenario) {
      const { app, fn, on, trigger, ended, runOf } = scenario;
      const { client, checkpoints } = recordedClient(scenario);
      const served = await app(
        [fn("value", on("x"), () => ({ hi: 1 }), client), fn("nothing", on("x"), () => undefined, client)],
        { client },
      );
      const runs = await ended(await trigger(on("x")), 2);
      expect(runOf(runs, "value")).toMatchObject({ status: "Completed", output: { hi: 1 } });
      expect(runOf(runs, "nothing")).toMatchObject({ status: "Completed", output: null });
      expect(checkpoints).toEqual([]);
      expect(served.calls()).toBe(2);
    },
  },
  {
    id: "EX-66c",
    title: "A step that waits ends the call; what was done before is reported first",
    proves: ["EX-66", "EX-37", "EX-50", "EX-57"],
    sdks: BOTH,
    async run(scenario) {
      const { app, fn, on, trigger, finished, mark, marks } = scenario;
      const { client, checkpoints } = recordedClient(scenario);
      const callee = fn("callee", on("never"), () => "called", client);
      const served = await app(
        [
          callee,
          fn(
            "mixed",
            on("x"),
            async ({ step }) => {
              await step.run("a", () => mark("a"));
              await step.sleep("nap", "1s");
              await step.run("b", () => mark("b"));
              const called = await step.invoke("call", { function: callee.native });
              await step.run("c", () => mark("c"));
              const none = await step.waitForEvent("w", { event: on("never"), timeout: "1s" });
              await step.run("d", () => mark("d"));
              return [called, none];
            },
            client,
          ),
        ],
        { client },
      );
      expect(await finished(await trigger(on("x")))).toMatchObject({ status: "Completed", output: ["called", null] });
      expect(marks("").map(({ name }) => name)).toEqual(["a", "b", "c", "d"]);
      expect(checkpoints).toEqual([RUN, RUN, RUN, RUN]);
      // One more for the callee.
      expect(served.calls()).toBe(5);
    },
  },
  {
    id: "EX-66d",
    title: "Parallel steps get calls of their own; what follows them is checkpointed again",
    proves: ["EX-66", "EX-31"],
    sdks: BOTH,
    async run(scenario) {
      const { app, fn, on, trigger, finished, mark, marks } = scenario;
      const { client, checkpoints } = recordedClient(scenario);
      const served = await app(
        [
          fn(
            "parallel",
            on("x"),
            async ({ step }) => {
              const one = (id: string) =>
                step.run(id, () => {
                  mark(id);
                  return id;
                });
              const a = await one("a");
              const [b, c, d] = await Promise.all([one("b"), one("c"), one("d")]);
              const e = await one("e");
              return [a, b, c, d, e, await one("f")].join("");
            },
            client,
          ),
        ],
        { client },
      );
      expect(await finished(await trigger(on("x")))).toMatchObject({ status: "Completed", output: "abcdef" });
      expect(
        marks("")
          .map(({ name }) => name)
          .sort()
          .join(""),
      ).toBe("abcdef");
      expect(checkpoints.flatMap(({ ops }) => ops)).not.toContain("StepPlanned");
      expect(checkpoints.every(({ status }) => status === 200)).toBe(true);
      // v3 speaks protocol 1, which enters the function after each of several steps.
      expect(served.calls()).toBeLessThanOrEqual(client.sdk === "v3" ? 12 : 8);
    },
  },
  {
    id: "EX-66e",
    title: "Buffered steps travel together",
    proves: ["EX-66"],
    sdks: BOTH,
    async run(scenario) {
      const { app, fn, on, trigger, finished, mark, marks } = scenario;
      const { client, checkpoints } = recordedClient(scenario, { bufferedSteps: 3 });
      const seven = fn(
        "seven",
        on("x"),
        async ({ step }) => {
          for (let n = 0; n < 7; n++) await step.run(`s${n}`, () => mark(`s${n}`));
          await step.sleep("nap", "1s");
          return "ok";
        },
        client,
      );
      const served = await app([seven], { client });
      expect(await finished(await trigger(on("x")))).toMatchObject({ status: "Completed", output: "ok" });
      expect(marks("s")).toHaveLength(7);
      expect(checkpoints.map(({ ops }) => ops.length)).toEqual([3, 3, 1]);
      expect(served.calls()).toBe(2);
    },
  },
  {
    id: "EX-66f",
    title: "After its longest run time a call hands the next step over",
    proves: ["EX-66"],
    sdks: V4,
    async run(scenario) {
      const { app, fn, on, trigger, ended, runOf, pause, mark, marks } = scenario;
      const { client } = recordedClient(scenario, { maxRuntime: 1 });
      const slow = (id: string, more: boolean) =>
        fn(
          id,
          on("x"),
          async ({ step }) => {
            mark(`${id}:entered`);
            const a = await step.run("a", () => mark(`${id}:a`));
            await pause(300);
            if (more) await step.run("b", () => mark(`${id}:b`));
            return [a, "ok"];
          },
          client,
        );
      await app([slow("goes-on", true), slow("ends", false)], { client });
      const runs = await ended(await trigger(on("x")), 2);
      expect(runOf(runs, "goes-on")).toMatchObject({ status: "Completed", output: [null, "ok"] });
      expect(runOf(runs, "ends")).toMatchObject({ status: "Completed", output: [null, "ok"] });
      expect(marks("goes-on:entered")).toHaveLength(3);
      expect(marks("ends:entered")).toHaveLength(1);
      for (const body of ["goes-on:a", "goes-on:b", "ends:a"]) expect(marks(body), body).toHaveLength(1);
    },
  },
];

const attempts: readonly Case[] = [
  {
    id: "SC-100",
    title: "Checkpointing",
    proves: ["EX-66"],
    sdks: BOTH,
    async run({ app, fn, on, trigger, finished, mark, marks }) {
      const callsAtError: number[] = [];
      const served = await app([
        fn("cp", on("x"), async ({ step }) => {
          await step.run("a", () => mark("cp:a"));
          await step.run("b", () => mark("cp:b"));
          await step.run("c", () => {
            mark("cp:c");
            if (marks("cp:c").length > 1) return;
            callsAtError.push(served.calls());
            throw new Error("once");
          });
          return "ok";
        }),
      ]);
      expect(await finished(await trigger(on("x")))).toMatchObject({ status: "Completed", output: "ok" });
      expect(marks("cp:").map(({ name }) => name)).toEqual(["cp:a", "cp:b", "cp:c", "cp:c"]);
      expect(callsAtError).toEqual([1]);
    },
  },
  {
    id: "EX-66g",
    title: "Every step has all attempts for itself, and the next one begins with the first",
    proves: ["EX-66", "EX-9", "EX-20"],
    sdks: BOTH,
    async run({ app, fn, on, trigger, finished, mark, marks }) {
      await app([
        fn({ id: "flaky", retries: 2 }, on("x"), async ({ step, attempt }) => {
          for (const id of ["a", "b", "c"]) {
            await step.run(`${id}-smooth`, () => mark(`${id}-smooth`));
            await step.run(id, () => {
              mark(`${id}:${attempt}`);
              if (marks(`${id}:`).length < 3) throw new Error("not yet");
            });
          }
          return "ok";
        }),
      ]);
      expect(await finished(await trigger(on("x")))).toMatchObject({ status: "Completed", output: "ok" });
      for (const id of ["a", "b", "c"]) {
        expect(marks(`${id}-smooth`)).toHaveLength(1);
        expect(marks(`${id}:`).map(({ name }) => name)).toEqual([`${id}:0`, `${id}:1`, `${id}:2`]);
      }
    },
  },
  {
    id: "EX-29",
    title: "An error of the body repeats no checkpointed step",
    proves: ["EX-66", "EX-29"],
    sdks: BOTH,
    async run({ app, fn, on, trigger, finished, mark, marks }) {
      const served = await app([
        fn("body", on("x"), async ({ step }) => {
          await step.run("a", () => mark("a"));
          await step.run("b", () => mark("b"));
          mark("between");
          if (marks("between").length === 1) throw new Error("once");
          return "ok";
        }),
      ]);
      expect(await finished(await trigger(on("x")))).toMatchObject({ status: "Completed", output: "ok" });
      expect(marks("").map(({ name }) => name)).toEqual(["a", "b", "between", "between"]);
      expect(served.calls()).toBe(2);
    },
  },
  {
    id: "EX-13",
    title: "A result that is too large fails its step, once, and can be caught",
    proves: ["EX-66", "EX-13", "EX-26"],
    sdks: BOTH,
    async run({ app, fn, on, trigger, ended, runOf, mark, marks }) {
      const large = (id: string, caught: boolean) =>
        fn({ id, retries: 2 }, on("x"), async ({ step }) => {
          await step.run("small", () => mark(`${id}:small`));
          const promise = step.run("large", () => {
            mark(`${id}:large`);
            return "x".repeat(4 * 1024 * 1024);
          });
          return caught ? promise.catch((error: Error) => error.message) : promise;
        });
      await app([large("uncaught", false), large("caught", true)]);
      const runs = await ended(await trigger(on("x")), 2);
      expect(runOf(runs, "uncaught")).toMatchObject({
        status: "Failed",
        output: { message: expect.stringMatching(/4 MiB/) },
      });
      expect(runOf(runs, "caught")).toMatchObject({ status: "Completed", output: expect.stringMatching(/4 MiB/) });
      for (const body of ["uncaught:small", "uncaught:large", "caught:small", "caught:large"])
        expect(marks(body), body).toHaveLength(1);
    },
  },
];

const losses: readonly Case[] = [
  {
    id: "EX-66h",
    title: "A reply that is lost after its checkpoints repeats nothing",
    proves: ["EX-66", "EX-10"],
    sdks: BOTH,
    async run({ app, fn, on, trigger, finished, mark, marks }) {
      const faults: Fault[] = [{ kind: "drop" }];
      const three = fn("three", on("x"), async ({ step }) => {
        for (const id of ["a", "b", "c"]) await step.run(id, () => mark(id));
        mark("end");
        return "ok";
      });
      const served = await app([three], { faults });
      expect(await finished(await trigger(on("x")))).toMatchObject({ status: "Completed", output: "ok" });
      expect(marks("").map(({ name }) => name)).toEqual(["a", "b", "c", "end", "end"]);
      expect(served.calls()).toBe(2);
    },
  },
  {
    id: "EX-66i",
    title: "A crash of the app after the second step repeats only the third",
    proves: ["EX-66", "EX-10"],
    sdks: BOTH,
    async run({ app, fn, on, trigger, finished, mark, marks }) {
      const served = await app([
        fn("three", on("x"), async ({ step }) => {
          for (const id of ["a", "b"]) await step.run(id, () => mark(id));
          await step.run("c", async () => {
            mark("c");
            if (marks("c").length > 1) return;
            await served.stop();
            await served.start();
            // What crashed says nothing any more.
            await new Promise(() => undefined);
          });
          return "ok";
        }),
      ]);
      expect(await finished(await trigger(on("x")))).toMatchObject({ status: "Completed", output: "ok" });
      expect(marks("").map(({ name }) => name)).toEqual(["a", "b", "c", "c"]);
    },
  },
  {
    id: "EX-11",
    title: "A call that was superseded is told so: its step runs twice, later ones once",
    proves: ["EX-66", "EX-11", "EX-4"],
    sdks: V4,
    async run(scenario) {
      const { app, fn, on, trigger, finished, until, pause, mark, marks, engine } = scenario;
      const { client, checkpoints } = recordedClient(scenario);
      const stale = fn(
        "stale",
        on("x"),
        async ({ step }) => {
          const slow = await step.run("slow", async () => {
            mark("slow");
            const first = marks("slow").length === 1;
            // The proxy gives up on a silent reply after one second; the app does not know.
            if (first) await pause(3500);
            return first ? "first" : "second";
          });
          await step.run("later", () => mark("later"));
          return slow;
        },
        client,
      );
      await app([stale], { client, idleCut: 1000 });
      const run = await finished(await trigger(on("x")));
      expect(run).toMatchObject({ status: "Completed", output: "second" });
      await until(() => checkpoints.some(({ status }) => status === 409));
      await pause(500);
      expect(marks("slow")).toHaveLength(2);
      expect(marks("later")).toHaveLength(1);
      expect(checkpoints.filter(({ status }) => status === 409)).toHaveLength(1);
      expect(await engine.run(run.run_id)).toMatchObject(run);
    },
  },
  {
    id: "EX-66j",
    title: "Checkpoints that cannot be sent: the call's own reply brings the steps",
    proves: ["EX-66"],
    sdks: BOTH,
    async run(scenario) {
      const { app, fn, on, trigger, finished, mark, marks } = scenario;
      const { client, checkpoints } = recordedClient(scenario, true, () => "refuse");
      const two = fn(
        "two",
        on("x"),
        async ({ step }) => {
          const a = await step.run("a", () => {
            mark("a");
            return 1;
          });
          const b = await step.run("b", () => {
            mark("b");
            return 2;
          });
          return a + b;
        },
        client,
      );
      await app([two], { client });
      expect(await finished(await trigger(on("x")))).toMatchObject({ status: "Completed", output: 3 });
      expect(marks("").map(({ name }) => name)).toEqual(["a", "b"]);
      expect(checkpoints.length).toBeGreaterThan(1);
    },
  },
  {
    id: "EX-66k",
    title: "Checkpoints whose replies are lost arrive twice and count once",
    proves: ["EX-66", "EX-4"],
    sdks: BOTH,
    async run(scenario) {
      const { app, fn, on, trigger, finished, mark, marks } = scenario;
      const { client, checkpoints } = recordedClient(scenario, true, (n) => (n % 2 === 1 ? "lose" : "pass"));
      const three = fn(
        "three",
        on("x"),
        async ({ step }) => {
          for (const id of ["a", "b", "c"]) await step.run(id, () => mark(id));
          return "ok";
        },
        client,
      );
      const served = await app([three], { client });
      const run = await finished(await trigger(on("x")));
      expect(run).toMatchObject({ status: "Completed", output: "ok" });
      expect(marks("").map(({ name }) => name)).toEqual(["a", "b", "c"]);
      expect(checkpoints.map(({ status }) => status)).toEqual([503, 200, 503, 200, 503, 200]);
      expect(served.calls()).toBe(1);
      const { json } = await scenario.api("GET", `/v0/runs/${run.run_id}/actions`);
      expect(Object.values(json as object)).toEqual([{ data: null }, { data: null }, { data: null }]);
    },
  },
  {
    id: "EX-40",
    title: "A crash of the engine between checkpoints",
    proves: ["EX-66", "EX-40", "EX-10"],
    sdks: BOTH,
    alone: true,
    async run({ app, fn, on, trigger, finished, engine, until, pause, mark, marks }) {
      await app([
        fn("long", on("x"), async ({ step }) => {
          for (let n = 0; n < 6; n++)
            await step.run(`s${n}`, async () => {
              mark(`s${n}`);
              await pause(150);
              return n;
            });
          return "ok";
        }),
      ]);
      const id = await trigger(on("x"));
      await until(() => marks("s3").length > 0);
      await engine.kill();
      await engine.boot();
      expect(await finished(id)).toMatchObject({ status: "Completed", output: "ok" });
      for (const done of ["s0", "s1", "s2"]) expect(marks(done), done).toHaveLength(1);
      for (const step of ["s3", "s4", "s5"]) expect(marks(step).length, step).toBeLessThanOrEqual(2);
    },
  },
  {
    id: "SC-99",
    title: "Streaming",
    proves: ["EX-66", "EX-64"],
    sdks: V4,
    async run({ app, fn, on, trigger, finished, pause, mark, marks }) {
      const long = fn({ id: "stream", retries: 0 }, on("x"), async ({ step }) => {
        await step.run("before", () => mark("before"));
        return step.run("long", async () => {
          await pause(3800);
          mark("long");
          return "long";
        });
      });
      // The SDK sends a space every 3 s; the proxy cuts what is silent for 3.4 s.
      const served = await app([long], { streaming: true, idleCut: 3400 });
      expect(await finished(await trigger(on("x")))).toMatchObject({ status: "Completed", output: "long" });
      expect(marks("").map(({ name }) => name)).toEqual(["before", "long"]);
      expect(served.calls()).toBe(1);
    },
  },
  {
    id: "SC-103",
    title: "Lost and late replies",
    proves: ["EX-66", "EX-10", "EX-11"],
    sdks: V4,
    async run({ app, fn, on, trigger, finished, engine, pause, mark, marks }) {
      const faults: Fault[] = [{ kind: "drop" }, { kind: "delay", ms: 1500 }];
      const work = fn("proxy", on("x"), ({ step }) =>
        step.run("work", () => {
          mark("work");
          return marks("work").length;
        }),
      );
      await app([work], { faults });
      const run = await finished(await trigger(on("x")));
      // The result was reported before the reply was lost.
      expect(run).toMatchObject({ status: "Completed", output: 1 });
      await pause(2000);
      expect(await engine.run(run.run_id)).toMatchObject(run);
      expect(marks("work")).toHaveLength(1);
    },
  },
];

/** On an engine that waits three seconds for a call and allows twenty steps. */
export const bounded: readonly Case[] = [
  {
    id: "SC-104",
    title: "A step inside a step",
    proves: ["EX-66", "EX-74"],
    sdks: BOTH,
    async run({ app, fn, on, trigger, finished, until, mark, marks }) {
      await app([
        fn({ id: "nested", retries: 0 }, on("x"), ({ step }) => step.run("outer", () => step.run("inner", () => 1))),
        fn("next", on("y"), () => mark("normal")),
      ]);
      const run = await finished(await trigger(on("x")));
      expect(["Completed", "Failed"]).toContain(run.status);
      await trigger(on("y"));
      await until(() => marks("normal").length === 1);
    },
  },
  {
    id: "EX-73",
    title: "Dynamic step ids in a loop, with code between them",
    proves: ["EX-66", "EX-73"],
    sdks: BOTH,
    async run({ app, fn, on, trigger, finished, pause }) {
      const served = await app([
        fn("paged-import", on("x"), async ({ step }) => {
          const items: number[] = [];
          for (let page = 0; ; page++) {
            await pause(20);
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
      expect(served.calls()).toBe(1);
    },
  },
  {
    id: "EX-15",
    title: "One step too many fails the run",
    proves: ["EX-66", "EX-15"],
    sdks: BOTH,
    async run({ app, fn, on, trigger, ended, runOf, mark, marks }) {
      const steps = (id: string, count: number) =>
        fn({ id, retries: 0 }, on("x"), async ({ step }) => {
          for (let n = 0; n < count; n++) await step.run(`s${n}`, () => mark(`${id}:${n};`));
          return "ok";
        });
      await app([steps("fits", 20), steps("overflows", 30)]);
      const runs = await ended(await trigger(on("x")), 2);
      expect(runOf(runs, "fits")).toMatchObject({ status: "Completed", output: "ok" });
      const overflown = runOf(runs, "overflows");
      expect(overflown).toMatchObject({ status: "Failed", output: { code: "step_limit_exceeded" } });
      expect(JSON.stringify(overflown.output)).toContain("20");
      // The body of the step too many has run when the engine hears of it; nothing after it runs.
      expect(marks("overflows:").length).toBeLessThanOrEqual(21);
    },
  },
];

/** The scenarios. */
export const checkpointing: readonly Case[] = [...sequences, ...attempts, ...losses];
