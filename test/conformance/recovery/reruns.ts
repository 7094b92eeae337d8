/**
 * Running one run again (CR-21, CR-26, CR-28, BY-13): from its beginning, from a step, beside a run that goes on.
 */
import { expect } from "vitest";
import type { Case } from "../harness/cases.ts";
import type { Variant } from "../harness/scenario.ts";
import { endedRun, rerun } from "./running-again.ts";

/** In every mode (CR-26): step by step, with both ways of parallelism, with checkpoints. */
const MODES: readonly Variant[] = ["v3", "v4", "v3-checkpointed", "v4-checkpointed"];

const NOBODY = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

/** The scenarios. */
export const reruns: readonly Case[] = [
  {
    id: "CR-21",
    title: "A rerun is a run of its own with the same event and the newest code; the original stays as it was",
    proves: ["CR-21", "API-13", "AP-30"],
    async run(scenario) {
      const { app, fn, on, trigger, finished, ended, engine } = scenario;
      const functions = (answer: string, retries: number) => [
        fn<{ n: number }>({ id: "f", retries }, on("x"), ({ event }) => `${answer} ${event.data.n} ${event.id}`),
      ];
      const served = await app(functions("old", 1));
      const event = await trigger(on("x"), { n: 7 });
      const original = await finished(event);
      await served.resync(functions("new", 2));
      const id = await rerun(scenario, original.run_id);
      const again = await endedRun(scenario, id);
      expect(id).not.toBe(original.run_id);
      expect(again).toMatchObject({
        status: "Completed",
        output: `new 7 ${event}`,
        event_ids: [event],
        original_run_id: original.run_id,
        replay_id: null,
        function_version: 2,
      });
      expect(await engine.run(original.run_id)).toEqual({ ...original, metadata: [] });
      const both = await ended(event, 2);
      expect(both.map(({ run_id }) => run_id)).toEqual([id, original.run_id]);
      const third = await rerun(scenario, id);
      expect((await ended(event, 3)).map(({ run_id }) => run_id)).toEqual([third, id, original.run_id]);
    },
  },
  {
    id: "CR-21b",
    title: "All events of a batch are kept, and the batch is not gathered again",
    proves: ["CR-21", "FC-43"],
    async run(scenario) {
      const { app, fn, on, send, ended, engine } = scenario;
      await app([
        fn<{ n: number }>({ id: "b", batchEvents: { maxSize: 3, timeout: "30s" } }, on("x"), ({ events }) =>
          events.map(({ data }) => data.n),
        ),
      ]);
      const ids = await send([1, 2, 3].map((n) => ({ name: on("x"), data: { n } })));
      const [original] = await ended(ids[0] ?? "");
      if (original === undefined) throw new Error("The batch did not run");
      const again = await endedRun(scenario, await rerun(scenario, original.run_id));
      expect(again).toMatchObject({ output: [1, 2, 3], event_ids: original.event_ids });
      for (const id of ids) {
        await ended(id, 2);
        expect(await engine.event(id)).toMatchObject({ outcomes: [{ outcome: "batched", run_id: original.run_id }] });
      }
    },
  },
  {
    id: "CR-21c",
    title: "Failed, cancelled, skipped and invoked runs can be rerun; a rerun answers nobody",
    proves: ["CR-21", "EX-55"],
    async run(scenario) {
      const { app, fn, on, trigger, finished, until, engine, api, slug, mark, marks } = scenario;
      let broken = true;
      const callee = fn("callee", [], async ({ step, runId }) => {
        mark(`callee:${runId}`);
        return await step.run("one", () => 1);
      });
      await app([
        callee,
        fn({ id: "f", retries: 0 }, on("x"), () => {
          if (broken) throw new Error("bug");
          return "fixed";
        }),
        fn("sleeper", on("sleep"), async ({ step }) => step.sleep("s", broken ? "1h" : "1s")),
        fn("caller", on("call"), async ({ step }) => step.invoke("i", { function: callee.native })),
      ]);
      const failed = await finished(await trigger(on("x")));
      expect(failed.status).toBe("Failed");
      const asleep = await until(async () => (await engine.runsOf(await trigger(on("sleep"))))[0]);
      expect((await api("DELETE", `/v1/runs/${asleep.run_id}`)).status).toBe(200);
      expect((await api("POST", `/v1/functions/${slug("f")}/pause`)).status).toBe(200);
      const [skipped] = await engine.runsOf(await trigger(on("x")));
      expect(skipped).toMatchObject({ status: "Skipped" });
      const paused = await api("POST", `/v1/runs/${skipped?.run_id}/rerun`);
      expect(paused).toMatchObject({
        status: 409,
        json: { code: "conflict", error: expect.stringContaining("paused") },
      });
      expect((await api("POST", `/v1/functions/${slug("f")}/resume`)).status).toBe(200);
      broken = false;
      for (const run_id of [failed.run_id, asleep.run_id, skipped?.run_id ?? ""]) {
        const again = await endedRun(scenario, await rerun(scenario, run_id));
        expect(again).toMatchObject({ status: "Completed", original_run_id: run_id });
      }
      const caller = await finished(await trigger(on("call")));
      const child = marks("callee:")[0]?.name.slice("callee:".length) ?? "";
      const again = await endedRun(scenario, await rerun(scenario, child));
      expect(again).toMatchObject({ status: "Completed", output: 1, parent_run_id: null });
      expect(await engine.run(caller.run_id)).toMatchObject({ status: "Completed", output: 1 });
      expect(new Set(marks("callee:").map(({ name }) => name)).size).toBe(2);
    },
  },
  {
    id: "CR-28",
    title: "A request that arrives twice starts one run; another request starts another",
    proves: ["CR-28"],
    async run(scenario) {
      const { app, fn, on, trigger, finished, ended, api } = scenario;
      await app([fn("f", on("x"), async ({ step }) => step.run("a", () => 1))]);
      const event = await trigger(on("x"));
      const { run_id } = await finished(event);
      const ids = await Promise.all([1, 2, 3].map(() => rerun(scenario, run_id, { request_id: "click-1" })));
      expect(new Set(ids).size).toBe(1);
      await endedRun(scenario, ids[0] ?? "");
      expect(await rerun(scenario, run_id, { request_id: "click-1" })).toBe(ids[0]);
      const header = async (name: string) =>
        (await api("POST", `/v1/runs/${run_id}/rerun`, {}, { [name]: "click-2" })).json as { data: { run_id: string } };
      const second = (await header("idempotency-key")).data.run_id;
      expect((await header("x-request-id")).data.run_id).toBe(second);
      expect(second).not.toBe(ids[0]);
      const [third, fourth] = [await rerun(scenario, run_id), await rerun(scenario, run_id)];
      expect(new Set([ids[0], second, third, fourth]).size).toBe(4);
      expect(await ended(event, 5)).toHaveLength(5);
    },
  },
  {
    id: "SC-136",
    title: "Rerun from a step",
    proves: ["CR-26", "BY-13"],
    sdks: [...MODES, "v3-optimised", "v4-plain"],
    async run(scenario) {
      const { app, fn, on, trigger, finished, mark, marks } = scenario;
      let fixed = false;
      await app([
        fn({ id: "resume", retries: 0 }, on("x"), async ({ step }) => {
          const a = await step.run("one", () => {
            mark("one");
            return 1;
          });
          const b = await step.run("two", () => {
            mark("two");
            return 2;
          });
          return await step.run("three", () => {
            if (!fixed) throw new Error("bug");
            return a + b;
          });
        }),
      ]);
      const failed = await finished(await trigger(on("x")));
      expect(failed.status).toBe("Failed");
      fixed = true;
      const again = await endedRun(scenario, await rerun(scenario, failed.run_id, { from_step: "three" }));
      expect(again).toMatchObject({ status: "Completed", output: 3, original_run_id: failed.run_id });
      expect([marks("one").length, marks("two").length]).toEqual([1, 1]);
      const second = await endedRun(scenario, await rerun(scenario, failed.run_id, { from_step: "two" }));
      expect(second).toMatchObject({ status: "Completed", output: 3 });
      expect([marks("one").length, marks("two").length]).toEqual([1, 2]);
    },
  },
  {
    id: "CR-26",
    title: "Any step of any kind: repetitions, parallel ones, sleeps, waits, by name and by hash",
    proves: ["CR-26", "API-13"],
    sdks: [...MODES, "v3-optimised", "v4-plain"],
    async run(scenario) {
      const { app, fn, on, trigger, finished, mark, names, api } = scenario;
      await app([
        fn("f", on("x"), async ({ step }) => {
          const say = (name: string) => () => {
            mark(name);
            return name;
          };
          const first = await step.run("loop", say("loop"));
          const second = await step.run("loop", say("loop:1"));
          await step.sleep("nap", "1s");
          const both = await Promise.all([step.run("p", say("p")), step.run("q", say("q"))]);
          const none = await step.waitForEvent("w", { event: on("never"), timeout: "1s" });
          return [first, second, ...both, none, await step.run("last", say("last"))];
        }),
      ]);
      const output = ["loop", "loop:1", "p", "q", null, "last"];
      const original = await finished(await trigger(on("x")));
      expect(original).toMatchObject({ status: "Completed", output });
      const from = async (from_step: string) => {
        const before = names("").length;
        const again = await endedRun(scenario, await rerun(scenario, original.run_id, { from_step }));
        expect(again).toMatchObject({ status: "Completed", output });
        return names("").slice(before).sort();
      };
      expect(await from("last")).toEqual(["last"]);
      expect(await from("w")).toEqual(["last"]);
      expect(await from("nap")).toEqual(["last", "p", "q"]);
      expect(await from("loop:1")).toEqual(["last", "loop:1", "p", "q"]);
      // The hash of "loop:1" (protocol/03 §3.7).
      expect(await from("a0cb75f0a464ed6731caadd18aa9932daf00bb50")).toEqual(["last", "loop:1", "p", "q"]);
      expect(await from("loop")).toEqual(["last", "loop", "loop:1", "p", "q"]);
      // Of two that ran side by side the one that ended first has nothing of the other.
      const parallel = [await from("p"), await from("q")];
      expect(parallel.map((ran) => ran.join()).sort()).toEqual(
        parallel[0]?.includes("q") === true ? ["last,p,q", "last,q"] : ["last,p", "last,p,q"],
      );
      for (const from_step of ["nobody", "loop:2", "a".repeat(40)]) {
        const refused = await api("POST", `/v1/runs/${original.run_id}/rerun`, { from_step });
        expect(refused).toMatchObject({ status: 404, json: { code: "step_not_found" } });
      }
    },
  },
  {
    id: "CR-26b",
    title: "Errors that were caught are taken over; new steps before the chosen one are executed",
    proves: ["CR-26", "EX-26"],
    sdks: MODES,
    async run(scenario) {
      const { app, fn, on, trigger, finished, mark, names } = scenario;
      const functions = (added: boolean) => [
        fn({ id: "f", retries: 0 }, on("x"), async ({ step }) => {
          const caught = await step
            .run("bad", () => {
              mark("bad");
              throw new Error("no");
            })
            .catch((error: Error) => error.message);
          if (added) await step.run("added", () => mark("added"));
          return await step.run("good", () => `${caught} ${added}`);
        }),
      ];
      const served = await app(functions(false));
      const original = await finished(await trigger(on("x")));
      expect(original).toMatchObject({ status: "Completed", output: "no false" });
      served.redeploy(functions(true));
      const again = await endedRun(scenario, await rerun(scenario, original.run_id, { from_step: "good" }));
      expect(again).toMatchObject({ status: "Completed", output: "no true" });
      expect(names("")).toEqual(["bad", "added"]);
    },
  },
  {
    id: "BY-13",
    title: "A run that goes on is forked; both come to their own end",
    proves: ["BY-13", "CR-26"],
    sdks: MODES,
    async run(scenario) {
      const { app, fn, on, trigger, until, api, mark, names } = scenario;
      await app([
        fn("f", on("x"), async ({ step, runId }) => {
          const one = await step.run("one", () => {
            mark("one");
            return 1;
          });
          const two = await step.run("two", (n: number) => n, 2);
          const found = await step.waitForEvent<{ n: number }>("w", {
            event: on("go"),
            if: `async.data.run == "${runId}"`,
            timeout: "1h",
          });
          return [one, two, found?.data.n];
        }),
      ]);
      const event = await trigger(on("x"));
      const waiting = async (run_id: string) =>
        await until(async () => {
          const { json } = await api("GET", `/v1/runs/${run_id}/jobs`);
          return (json as { data: { kind: string }[] }).data.some(({ kind }) => kind === "wait");
        });
      const original = (await until(async () => (await scenario.engine.runsOf(event))[0])).run_id;
      await waiting(original);
      const fork = await rerun(scenario, original, { from_step: "two", input: [20] });
      await waiting(fork);
      for (const [run, n] of [
        [fork, 1],
        [original, 2],
      ] as const)
        await trigger(on("go"), { run, n });
      expect(await endedRun(scenario, original)).toMatchObject({ status: "Completed", output: [1, 2, 2] });
      expect(await endedRun(scenario, fork)).toMatchObject({
        status: "Completed",
        output: [1, 20, 1],
        original_run_id: original,
      });
      expect(names("one")).toHaveLength(1);
    },
  },
  {
    id: "CR-26c",
    title: "Several MB of results are taken over",
    proves: ["CR-26", "EX-16"],
    sdks: ["v4"],
    async run(scenario) {
      const { app, fn, on, trigger, finished, mark, names } = scenario;
      await app([
        fn("f", on("x"), async ({ step }) => {
          const parts: string[] = [];
          for (const n of [1, 2, 3, 4]) {
            parts.push(
              await step.run(`part-${n}`, () => {
                mark(`part-${n}`);
                return String(n).repeat(3_000_000);
              }),
            );
          }
          return await step.run("sum", () => parts.map((part) => part.length + Number(part[0])));
        }),
      ]);
      const output = [3_000_001, 3_000_002, 3_000_003, 3_000_004];
      const original = await finished(await trigger(on("x")));
      expect(original).toMatchObject({ status: "Completed", output });
      const again = await endedRun(scenario, await rerun(scenario, original.run_id, { from_step: "sum" }));
      expect(again).toMatchObject({ status: "Completed", output });
      expect(names("part")).toHaveLength(4);
    },
  },
  {
    id: "CR-21d",
    title: "What cannot be rerun is refused, each with its own code, and leaves nothing behind",
    proves: ["CR-21", "API-4"],
    sdks: ["v4"],
    async run(scenario) {
      const { app, fn, on, trigger, finished, api, slug, engine } = scenario;
      await app([fn("f", on("x"), async ({ step }) => step.run("a", () => 1)), fn("g", on("x"), () => 1)]);
      const event = await trigger(on("x"));
      const runs = await scenario.ended(event, 2);
      const { run_id } = scenario.runOf(runs, "f");
      const ask = async (id: string, body: unknown = {}) => await api("POST", `/v1/runs/${id}/rerun`, body);
      for (const id of [NOBODY, "nonsense"]) {
        expect(await ask(id)).toMatchObject({ status: 404, json: { code: "run_not_found" } });
      }
      for (const [body, code] of [
        [{ from_step: 7 }, "invalid_request"],
        [{ from_step: "" }, "invalid_request"],
        [{ from_step: "a", input: "x" }, "invalid_request"],
        [{ input: [1] }, "invalid_request"],
        [{ from_step: "a", input: [1] }, "invalid_request"],
        [{ request_id: "" }, "invalid_request"],
        [{ request_id: "x".repeat(2000) }, "invalid_request"],
        ["nonsense", "body_invalid"],
      ] as const) {
        expect(await ask(run_id, body)).toMatchObject({ status: 400, json: { code } });
      }
      expect((await api("POST", `/v1/functions/${slug("f")}/archive`)).status).toBe(200);
      const archived = await ask(run_id);
      expect(archived).toMatchObject({
        status: 409,
        json: { code: "conflict", error: expect.stringContaining("archived") },
      });
      expect(await engine.runsOf(event)).toHaveLength(2);
      await finished(await trigger(on("x")));
    },
  },
];
