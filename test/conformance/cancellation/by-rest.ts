/**
 * Cancelling by REST: one run (CR-8, API-11), its children (EX-54), and many runs of a function (CR-9).
 */
import { expect } from "vitest";
import * as z from "zod";
import type { Case } from "../harness/cases.ts";
import { expectCancelled, onlyRun, sleeping } from "./cancelled.ts";

const cancellationSchema = z.looseObject({ id: z.string(), status: z.string(), count: z.number() });

const single: readonly Case[] = [
  {
    id: "CR-8",
    title: "A sleeping run is cancelled at once; unknown and ended runs are refused",
    proves: ["CR-8", "API-6", "API-11", "CR-13"],
    async run(scenario) {
      const { app, fn, on, trigger, finished, api, engine, sdk } = scenario;
      await app([fn("sleeper", on("x"), async ({ step }) => step.sleep("s", "1h")), fn("quick", on("quick"), () => 1)]);
      const { run_id } = await sleeping(scenario, await trigger(on("x")));
      const from = performance.now();
      const reply = await api("DELETE", `/v1/runs/${run_id}`);
      const replied = performance.now() - from;
      expect([reply.status, reply.text]).toEqual([200, ""]);
      expect((await engine.run(run_id)).status).toBe("Cancelled");
      const visible = performance.now() - from;
      console.info(`${sdk.name}: cancelled after ${replied.toFixed(0)} ms, visible after ${visible.toFixed(0)} ms`);
      expect(visible).toBeLessThan(3000);
      await expectCancelled(scenario, run_id, "api");
      const done = await finished(await trigger(on("quick")));
      for (const id of [run_id, done.run_id]) {
        expect(await api("DELETE", `/v1/runs/${id}`)).toMatchObject({ status: 409, json: { code: "run_ended" } });
      }
      for (const id of ["01ARZ3NDEKTSV4RRFFQ69G5FAV", "nonsense"]) {
        expect(await api("DELETE", `/v1/runs/${id}`)).toMatchObject({ status: 404, json: { code: "run_not_found" } });
      }
      const bad = await api("DELETE", `/v1/runs/${run_id}?children=perhaps`);
      expect(bad).toMatchObject({ status: 400, json: { code: "invalid_request" } });
    },
  },
  {
    id: "CR-8b",
    title: "Older tools cancel by /v0",
    proves: ["CR-8"],
    sdks: ["v4"],
    async run(scenario) {
      const { app, fn, on, trigger, api } = scenario;
      await app([fn("sleeper", on("x"), async ({ step }) => step.sleep("s", "1h"))]);
      const { run_id } = await sleeping(scenario, await trigger(on("x")));
      expect(await api("DELETE", `/v0/runs/${run_id}`)).toMatchObject({ status: 200 });
      await expectCancelled(scenario, run_id, "api");
    },
  },
  {
    id: "EX-54",
    title: "The callee of a cancelled caller goes on, unless it is to be cancelled too",
    proves: ["EX-54", "CR-12", "API-11"],
    async run(scenario) {
      const { app, fn, on, trigger, api, until, engine, pause, mark, marks } = scenario;
      const callee = fn("callee", [], async ({ step, runId }) => {
        mark(`callee:${runId}`);
        await step.sleep("s", "3s");
        return "finished";
      });
      await app([
        callee,
        fn("caller", on("x"), async ({ step }) => {
          await step.invoke("call", { function: callee.native });
          mark("after");
        }),
      ]);
      const calleeOf = async (n: number) => {
        await until(() => marks("callee:").length >= n);
        return marks("callee:")[n - 1]?.name.slice("callee:".length) ?? "";
      };
      const alone = await onlyRun(scenario, await trigger(on("x")));
      const left = await calleeOf(1);
      expect((await api("DELETE", `/v1/runs/${alone.run_id}`)).status).toBe(200);
      await expectCancelled(scenario, alone.run_id, "api");
      await until(async () => (await engine.run(left)).status === "Completed");

      const seen = new Set(marks("callee:").map(({ name }) => name)).size;
      const both = await onlyRun(scenario, await trigger(on("x")));
      await until(() => new Set(marks("callee:").map(({ name }) => name)).size > seen);
      const child = marks("callee:").at(-1)?.name.slice("callee:".length) ?? "";
      expect(child).not.toBe(left);
      expect((await api("DELETE", `/v1/runs/${both.run_id}?children=true`)).status).toBe(200);
      await expectCancelled(scenario, both.run_id, "api");
      const cancelled = await expectCancelled(scenario, child, "parent");
      expect(cancelled).toMatchObject({ cancelled_by: { run_id: both.run_id } });
      await pause(300);
      expect(marks("after")).toEqual([]);
    },
  },
  {
    id: "EX-53",
    title: "A caller catches that its callee was cancelled",
    proves: ["EX-53", "CR-1"],
    async run(scenario) {
      const { app, fn, on, trigger, finished, api, until, mark, marks, sdk } = scenario;
      const callee = fn("callee", [], async ({ step, runId }) => {
        mark(`callee:${runId}`);
        await step.sleep("s", "1h");
      });
      await app([
        callee,
        fn("caller", on("x"), async ({ step }) => {
          try {
            return await step.invoke("call", { function: callee.native });
          } catch (error) {
            return { caught: sdk.isStepError(error), message: error instanceof Error ? error.message : "" };
          }
        }),
      ]);
      const id = await trigger(on("x"));
      await until(() => marks("callee:").length > 0);
      const child = marks("callee:")[0]?.name.slice("callee:".length) ?? "";
      await until(async () => (await api("DELETE", `/v1/runs/${child}`)).status === 200);
      const run = await finished(id);
      expect(run).toMatchObject({ status: "Completed", output: { caught: true, message: "function cancelled" } });
    },
  },
];

const bulk: readonly Case[] = [
  {
    id: "SC-131",
    title: "Bulk cancel",
    proves: ["CR-9", "CR-11", "API-12", "CR-13"],
    async run(scenario) {
      const { app, appId, fn, on, send, api, until, engine } = scenario;
      await app([fn("bulk", on("x"), async ({ step }) => step.sleep("s", "1h"))]);
      const from = new Date().toISOString();
      const ids = await send([1, 1, 2].map((user) => ({ name: on("x"), data: { userId: `user_${user}` } })));
      // Young runs are not in history yet: the cancellation finds them all the same.
      await Promise.all(ids.map((id) => sleeping(scenario, id)));
      const wish = {
        app_id: appId,
        function_id: "bulk",
        started_after: from,
        started_before: new Date().toISOString(),
        if: "event.data.userId == 'user_1'",
      };
      const { status, json } = await api("POST", "/v1/cancellations", wish);
      expect(status).toBe(200);
      const { app_id: _, ...expected } = wish;
      expect(json).toMatchObject({ ...expected, data: expected });
      const { id } = cancellationSchema.parse(json);
      const [fresh = ""] = await send([{ name: on("x"), data: { userId: "user_1" } }]);
      for (const event of ids.slice(0, 2)) {
        const run = await expectCancelled(scenario, (await onlyRun(scenario, event)).run_id, "bulk");
        expect(run).toMatchObject({ cancelled_by: { cancellation_id: id } });
      }
      await until(async () => {
        const { data } = z
          .object({ data: cancellationSchema })
          .parse((await api("GET", `/v1/cancellations/${id}`)).json);
        return data.status === "completed" && data.count === 2;
      });
      for (const event of [ids[2] ?? "", fresh]) {
        expect((await engine.run((await onlyRun(scenario, event)).run_id)).status).toBe("Running");
      }
    },
  },
];

/** The scenarios. */
export const byRest: readonly Case[] = [...single, ...bulk];
