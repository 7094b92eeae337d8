/**
 * What lies between engine and app: lost, late, broken, slow and foreign replies, and apps that are away (EX-10, EX-11, EX-17, EX-18,
 * EX-24, EX-25, EX-64, EX-65, EX-74). The engine waits 5 s for a call, so that a deadline is something a test can see.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { type Case, conformance } from "../harness/cases.ts";
import type { Fault } from "../harness/proxy.ts";
import { failedCalls, instead, SDK_HEADERS } from "./failed-calls.ts";

const replies: readonly Case[] = [
  {
    id: "SC-103",
    title: "Lost and late replies",
    proves: ["EX-10", "EX-11", "EX-17", "SE-15"],
    async run({ app, fn, on, trigger, finished, engine, until, pause, mark, marks }) {
      const faults: Fault[] = [{ kind: "drop" }, { kind: "delay", ms: 8000 }];
      const served = await app(
        [
          fn("proxy", on("x"), ({ step }) =>
            step.run("work", () => {
              mark("work");
              return marks("work").length;
            }),
          ),
        ],
        { faults },
      );
      const run = await finished(await trigger(on("x")));
      // The first reply is lost, the second misses the deadline: the third is the one that counts.
      expect(run).toMatchObject({ status: "Completed", output: 3 });
      const [, second] = marks("work");
      await until(() => Date.now() > (second?.at ?? 0) + 9000);
      await pause(200);
      expect(await engine.run(run.run_id)).toMatchObject(run);
      expect(marks("work")).toHaveLength(3);
      expect(served.calls()).toBe(4);
    },
  },
  {
    id: "EX-10",
    title: "A dropped reply repeats the step once, and one result is stored",
    proves: ["EX-10", "EX-4"],
    async run({ app, fn, on, trigger, finished, mark, marks }) {
      const faults: Fault[] = [{ kind: "none" }, { kind: "drop" }];
      await app(
        [
          fn("dropped", on("x"), async ({ step }) => {
            const results: string[] = [];
            for (const id of ["a", "b", "c"]) {
              const result = await step.run(id, () => {
                mark(id);
                return `${id}${marks(id).length}`;
              });
              results.push(result);
            }
            return results;
          }),
        ],
        { faults },
      );
      expect(await finished(await trigger(on("x")))).toMatchObject({ status: "Completed", output: ["a1", "b2", "c1"] });
      expect(["a", "b", "c"].map((id) => marks(id).length)).toEqual([1, 2, 1]);
    },
  },
  {
    id: "SC-103b",
    title: "Garbage only fails its attempt",
    proves: ["SE-15", "EX-24", "EX-18"],
    async run({ app, fn, on, trigger, finished, mark, marks }) {
      const faults: Fault[] = [
        instead(200, "<html><body>Welcome</body></html>", { "content-type": "text/html" }),
        instead(206, '[{"id":"86f7e437", "op":"StepR', SDK_HEADERS),
        instead(502, "<h1>Bad gateway</h1>", { "content-type": "text/html" }),
        { kind: "endless", headers: SDK_HEADERS },
        instead(206, '"neither an operation nor a list"', SDK_HEADERS),
      ];
      await app([fn({ id: "garbage", retries: 5 }, on("x"), ({ step }) => step.run("a", () => mark("a")))], { faults });
      expect(await finished(await trigger(on("x")))).toMatchObject({ status: "Completed" });
      expect(marks("a")).toHaveLength(1);
    },
  },
  {
    id: "SC-103c",
    title: "An operation nobody knows fails the run or its attempt, and nothing else",
    proves: ["SE-15"],
    sdks: ["v4"],
    async run({ app, fn, on, trigger, finished }) {
      const unknown = JSON.stringify([
        { id: "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8", op: "Teleport", name: "a", opts: {} },
      ]);
      await app([fn({ id: "unknown", retries: 1 }, on("x"), () => "ok")], {
        faults: [instead(206, unknown, SDK_HEADERS)],
      });
      const run = await finished(await trigger(on("x")));
      if (run.status === "Failed") expect(JSON.stringify(run.output)).toContain("Teleport");
      else expect(run).toMatchObject({ status: "Completed", output: "ok" });
      expect(await finished(await trigger(on("x")))).toMatchObject({ status: "Completed", output: "ok" });
    },
  },
  {
    id: "EX-73b",
    title: "A call that finds nothing is repeated once and then fails",
    proves: ["EX-73"],
    async run({ app, fn, on, trigger, ended }) {
      const nothing = instead(206, "[]", SDK_HEADERS);
      const served = await app([fn({ id: "silent", retries: 0 }, on("x"), () => "ok")], {
        faults: [nothing, nothing, nothing, nothing],
      });
      const [run] = await ended(await trigger(on("x")));
      expect({ status: run?.status, output: JSON.stringify(run?.output) }).toEqual({
        status: "Failed",
        output: expect.stringMatching(/no_progress/),
      });
      expect(served.calls()).toBe(0);
    },
  },
];

const streaming: readonly Case[] = [
  {
    id: "SC-99",
    title: "Streaming",
    proves: ["EX-64"],
    async run({ app, fn, on, trigger, finished, mark, marks }) {
      const long = fn({ id: "stream", retries: 0 }, on("x"), ({ step }) =>
        step.run("long", async () => {
          await sleep(3800);
          mark("long");
          return "long";
        }),
      );
      // The SDK sends a space every 3 s; the proxy cuts what is silent for 3.4 s.
      await app([long], { streaming: true, idleCut: 3400 });
      expect(await finished(await trigger(on("x")))).toMatchObject({ status: "Completed", output: "long" });
      expect(marks("long")).toHaveLength(1);
    },
  },
  {
    id: "EX-64",
    title: "Errors, retries and no-retry travel inside a streamed reply",
    proves: ["EX-64", "EX-22", "EX-23"],
    async run({ app, fn, on, trigger, ended, runOf, mark, marks, sdk: { NonRetriableError, RetryAfterError } }) {
      await app(
        [
          fn({ id: "final", retries: 3 }, on("x"), () => {
            mark("final");
            throw new NonRetriableError("no");
          }),
          fn({ id: "later", retries: 1 }, on("x"), ({ attempt }) => {
            mark("later");
            if (attempt === 0) throw new RetryAfterError("slow", "3s");
            return "ok";
          }),
          fn({ id: "steps", retries: 1 }, on("x"), async ({ step, attempt }) => {
            const [a, b] = await Promise.all([step.run("a", () => 1), step.run("b", () => 2)]);
            const c = await step.run("c", () => {
              if (attempt === 0) throw new Error("once");
              return 3;
            });
            return [a, b, c];
          }),
        ],
        { streaming: true },
      );
      const runs = await ended(await trigger(on("x")), 3);
      expect(runOf(runs, "final")).toMatchObject({ status: "Failed", output: { message: "no" } });
      expect(marks("final")).toHaveLength(1);
      expect(runOf(runs, "later")).toMatchObject({ status: "Completed", output: "ok" });
      const [first, second] = marks("later");
      expect((second?.at ?? Number.NaN) - (first?.at ?? Number.NaN)).toBeGreaterThanOrEqual(3000);
      expect(runOf(runs, "steps")).toMatchObject({ status: "Completed", output: [1, 2, 3] });
    },
  },
  {
    id: "EX-65",
    title: "A reply that trickles in is read to its end",
    proves: ["EX-65"],
    async run({ app, fn, on, trigger, finished, mark, marks }) {
      await app([fn({ id: "trickle", retries: 0 }, on("x"), ({ step }) => step.run("a", () => mark("a")))], {
        faults: [
          { kind: "trickle", ms: 2500 },
          { kind: "trickle", ms: 500 },
        ],
      });
      expect(await finished(await trigger(on("x")))).toMatchObject({ status: "Completed" });
      expect(marks("a")).toHaveLength(1);
    },
  },
];

conformance("Between engine and app", [...replies, ...failedCalls, ...streaming], {
  bindings: { MILLRACE_CALL_TIMEOUT: "5s", MILLRACE_MAX_STEPS: "100" },
});
