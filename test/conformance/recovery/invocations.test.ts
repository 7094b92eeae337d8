/**
 * Invoking over REST (API-14), with and without waiting for the end.
 */
import { expect } from "vitest";
import { type Case, conformance } from "../harness/cases.ts";
import { endedRun } from "./running-again.ts";

interface Reply {
  readonly data: { readonly run_id: string; readonly event_id: string };
}

const invocations: readonly Case[] = [
  {
    id: "API-14",
    title: "Starts a run by the function's name, whatever its triggers, and says which",
    proves: ["API-14", "TR-17"],
    async run(scenario) {
      const { app, fn, on, slug, api, engine } = scenario;
      await app([
        fn<{ x: number }>("f", on("x"), ({ event }) => [event.name, event.data.x, event.user]),
        fn("none", [], () => null),
      ]);
      const { status, json } = await api("POST", `/v1/functions/${slug("f")}/invoke`, {
        data: { x: 1 },
        user: { id: "u" },
      });
      expect(status).toBe(200);
      expect(json).toEqual({
        data: { run_id: expect.any(String), event_id: expect.any(String) },
        metadata: { fetched_at: expect.any(String), cached_until: null },
      });
      const { run_id, event_id } = (json as Reply).data;
      const output = ["inngest/function.invoked", 1, { id: "u" }];
      expect(await endedRun(scenario, run_id)).toMatchObject({ status: "Completed", output, event_ids: [event_id] });
      expect(await engine.runsOf(event_id)).toMatchObject([{ run_id }]);
      const byId = (await engine.run(run_id)).function_id;
      expect((await api("POST", `/v1/functions/${byId}/invoke`, {})).status).toBe(200);
      const empty = await api("POST", `/v1/functions/${slug("none")}/invoke`);
      expect(await endedRun(scenario, (empty.json as Reply).data.run_id)).toMatchObject({ output: null });
    },
  },
  {
    id: "API-14b",
    title: "The same idempotency key starts one run, also when it comes at the same time or for a batch",
    proves: ["API-14", "CR-28"],
    async run(scenario) {
      const { app, fn, on, slug, api, mark, names, until, pause } = scenario;
      await app([
        fn<{ n: number }>("f", on("x"), ({ event }) => mark(`f:${event.data.n}`)),
        fn({ id: "b", batchEvents: { maxSize: 10, timeout: "2s" } }, on("b"), ({ events }) =>
          mark(`b:${events.length}`),
        ),
      ]);
      const invoke = async (id: string, idempotency_key: string, n = 1) => {
        const reply = await api("POST", `/v1/functions/${slug(id)}/invoke`, { data: { n }, idempotency_key });
        expect(reply.status).toBe(200);
        return (reply.json as Reply).data.run_id;
      };
      const all = await Promise.all([1, 2, 3].map((n) => invoke("f", "k", n)));
      expect(new Set(all).size).toBe(1);
      await endedRun(scenario, all[0] ?? "");
      expect(await invoke("f", "k", 9)).toBe(all[0]);
      expect(await invoke("f", "other", 5)).not.toBe(all[0]);
      const [first, second] = [await invoke("b", "k"), await invoke("b", "k")];
      expect(second).toBe(first);
      await until(() => names("b:").length === 1 && names("f:").length === 2);
      await pause(300);
      expect(names("b:")).toEqual(["b:1"]);
      expect(names("f:")).toHaveLength(2);
    },
  },
  {
    id: "API-14c",
    title: "Waits for the end as long as it is told, and answers 202 when that is not long enough",
    proves: ["API-14"],
    async run(scenario) {
      const { app, fn, on, slug, api } = scenario;
      await app([
        fn<{ s: string }>({ id: "f", retries: 0 }, on("x"), async ({ event, step }) => {
          await step.sleep("s", event.data.s);
          return "done";
        }),
        fn({ id: "bad", retries: 0 }, on("x"), () => {
          throw new Error("bug");
        }),
        fn({ id: "b", batchEvents: { maxSize: 10, timeout: "2s" } }, on("b"), ({ events }) => events.length),
      ]);
      const invoke = (id: string, body: object) => api("POST", `/v1/functions/${slug(id)}/invoke`, body);
      const done = await invoke("f", { data: { s: "1s" }, wait: 30 });
      expect(done).toMatchObject({ status: 200, json: { data: { status: "Completed", output: "done" } } });
      expect(await invoke("bad", { wait: 30 })).toMatchObject({
        status: 200,
        json: { data: { status: "Failed", output: { message: "bug" } } },
      });
      expect(await invoke("b", { wait: 30 })).toMatchObject({ status: 200, json: { data: { output: 1 } } });
      const from = performance.now();
      const late = await invoke("f", { data: { s: "1h" }, wait: 1 });
      expect(late).toMatchObject({ status: 202, json: { data: { run_id: expect.any(String) } } });
      expect(performance.now() - from).toBeGreaterThan(900);
    },
  },
  {
    id: "API-14d",
    title: "What is skipped says so; what is malformed or unknown is refused",
    proves: ["API-14", "FC-43", "API-4"],
    sdks: ["v4"],
    async run(scenario) {
      const { app, fn, on, slug, api } = scenario;
      await app([
        fn({ id: "rated", rateLimit: { limit: 1, period: "1h" } }, on("x"), () => 1),
        fn("paused", on("y"), () => 1),
      ]);
      const invoke = (id: string, body: unknown = {}) => api("POST", `/v1/functions/${slug(id)}/invoke`, body);
      expect(await invoke("rated")).toMatchObject({ status: 200, json: { data: { run_id: expect.any(String) } } });
      expect(await invoke("rated", { wait: 5 })).toMatchObject({
        status: 200,
        json: { data: { run_id: null, skipped: "rate_limited" } },
      });
      expect((await api("POST", `/v1/functions/${slug("paused")}/pause`)).status).toBe(200);
      const skipped = await invoke("paused", { wait: 5 });
      expect(skipped).toMatchObject({ status: 200, json: { data: { skipped: "function_paused" } } });
      const entry = await api("GET", `/v1/runs/${(skipped.json as Reply).data.run_id}`);
      expect(entry).toMatchObject({ json: { data: { status: "Skipped" } } });
      for (const [body, code] of [
        [{ data: [] }, "invalid_request"],
        [{ data: "x" }, "invalid_request"],
        [{ user: 7 }, "invalid_request"],
        [{ wait: 301 }, "invalid_request"],
        [{ wait: -1 }, "invalid_request"],
        [{ idempotency_key: "" }, "invalid_request"],
        ["nonsense", "body_invalid"],
      ] as const) {
        expect(await invoke("rated", body)).toMatchObject({ status: 400, json: { code } });
      }
      const large = await invoke("rated", { data: { x: "x".repeat(4_000_000) } });
      expect(large).toMatchObject({ status: 413, json: { code: "event_too_large" } });
      expect(await invoke("nobody")).toMatchObject({ status: 404, json: { code: "function_not_found" } });
      expect((await api("POST", `/v1/functions/${slug("rated")}/archive`)).status).toBe(200);
      expect(await invoke("rated")).toMatchObject({ status: 404, json: { code: "function_not_found" } });
    },
  },
];

conformance("invocations", invocations);
