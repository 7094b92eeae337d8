/**
 * What test suites may change and ask of an engine in dev mode (DEV-19, protocol/12 §12.2).
 */
import { expect } from "vitest";
import * as z from "zod";
import { type Case, conformance } from "../harness/cases.ts";
import type { Scenario } from "../harness/scenario.ts";

const FORM = { "content-type": "application/x-www-form-urlencoded" };

function form({ api }: Scenario, method: string, path: string, fields: Readonly<Record<string, string>>) {
  return api(method, path, new URLSearchParams(fields).toString(), FORM);
}

const cases: readonly Case[] = [
  {
    id: "DEV-19",
    title: "A limit of steps, set for one function and taken back",
    proves: ["DEV-19", "EX-15"],
    async run(scenario) {
      const { app, fn, on, slug, trigger, finished } = scenario;
      const four = async ({ step }: { step: { run(id: string, body: () => number): Promise<number> } }) => {
        for (const n of [1, 2, 3, 4]) await step.run(`step-${n}`, () => n);
        return "done";
      };
      await app([fn("limited", on("limited"), four), fn("free", on("free"), four)]);
      const functionId = slug("limited");
      const set = await form(scenario, "POST", "/fn/step-limit", { functionId, limit: "3" });
      expect(set.status).toBe(200);
      expect(await finished(await trigger(on("limited")))).toMatchObject({
        status: "Failed",
        output: { code: "step_limit_exceeded", message: expect.stringContaining("3 steps") },
      });
      expect(await finished(await trigger(on("free")))).toMatchObject({ status: "Completed", output: "done" });
      expect((await form(scenario, "DELETE", "/fn/step-limit", { functionId })).status).toBe(200);
      expect(await finished(await trigger(on("limited")))).toMatchObject({ status: "Completed", output: "done" });
    },
  },
  {
    id: "DEV-19b",
    title: "A limit of state, set for one function",
    proves: ["DEV-19", "EX-14"],
    sdks: ["v4"],
    async run(scenario) {
      const { app, fn, on, slug, trigger, finished } = scenario;
      await app([fn("large", on("large"), ({ step }) => step.run("fill", () => "x".repeat(5000)))]);
      const functionId = slug("large");
      expect((await form(scenario, "POST", "/fn/state-size-limit", { functionId, limit: "4000" })).status).toBe(200);
      expect(await finished(await trigger(on("large")))).toMatchObject({
        status: "Failed",
        output: { code: "state_too_large", message: expect.stringContaining("4000 bytes") },
      });
      expect((await form(scenario, "DELETE", "/fn/state-size-limit", { functionId })).status).toBe(200);
      expect((await finished(await trigger(on("large")))).status).toBe("Completed");
      expect((await form(scenario, "POST", "/fn/step-limit", { functionId, limit: "many" })).status).toBe(400);
      expect((await form(scenario, "POST", "/fn/step-limit", { functionId })).status).toBe(400);
      const unknown = await form(scenario, "POST", "/fn/step-limit", { functionId: "nobody", limit: "3" });
      expect(unknown).toMatchObject({ status: 404, json: { code: "function_not_found" } });
    },
  },
  {
    id: "DEV-19c",
    title: "Pausing, cancelling, counting and starting over",
    proves: ["DEV-19"],
    sdks: ["v4"],
    alone: true,
    async run(scenario) {
      const { app, fn, on, slug, trigger, engine, api, until } = scenario;
      await app([fn("sleeps", on("sleeps"), ({ step }) => step.sleep("nap", "1h"))]);
      expect((await api("GET", "/test")).status).toBe(200);
      const fnId = slug("sleeps");
      const size = async () => {
        const { json } = await api("GET", `/test/queue/function-queue-size?accountId=any&fnId=${fnId}`);
        return z.object({ count: z.number() }).parse(json).count;
      };
      const [one, two] = [await trigger(on("sleeps")), await trigger(on("sleeps"))];
      await until(async () => (await size()) === 2);
      const runId = await until(async () => (await engine.runsOf(one))[0]?.run_id);
      expect((await form(scenario, "POST", "/test/function/runs/cancel", { accountId: "", fnId, runId })).status).toBe(
        200,
      );
      await until(async () => (await size()) === 1);
      expect((await form(scenario, "POST", "/test/function/pause", { accountId: "", fnId })).status).toBe(200);
      expect((await api("GET", `/v1/functions/${fnId}`)).json).toMatchObject({ data: { status: "paused" } });
      const [kept] = await engine.runsOf(two);
      expect((await api("POST", "/test/reset")).status).toBe(200);
      expect((await api("GET", `/v1/functions/${fnId}`)).status).toBe(404);
      expect((await api("GET", "/v1/apps")).json).toMatchObject({ data: [] });
      await until(async () => (await engine.run(kept?.run_id ?? "")).status === "Cancelled");
    },
  },
];

conformance("test hooks", cases, { bindings: { TEST_MODE: "true" } });
