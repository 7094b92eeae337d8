/**
 * The trace of each kind of step, by a real run, in the fields that public test suites ask for (OB-7, protocol/12 §12.5).
 */
import { expect } from "vitest";
import * as z from "zod";
import type { Case } from "../harness/cases.ts";
import { COMPLETION } from "../steps/ai.ts";
import { withEcho } from "../steps/echo.ts";
import { MODES, waiting } from "../steps/modes.ts";
import { child, outputOf, traceOf } from "./gql.ts";

const modelFigures = z.object({ data: z.object({ models: z.array(z.record(z.string(), z.unknown())) }) });

/** What a function asked of models, by model. */
const modelsIn = (json: unknown) => modelFigures.parse(json).data.models;

const isLike = (one: Readonly<Record<string, unknown>>, wanted: object) =>
  Object.entries(wanted).every(([name, value]) => one[name] === value);

/** The scenarios. */
export const kinds: readonly Case[] = [
  {
    id: "OB-6",
    title: "A run's trace shows start, steps and end",
    proves: ["OB-6", "OB-7", "API-23"],
    sdks: MODES,
    async run({ app, fn, on, trigger, finished, engine, variant }) {
      await app([
        fn("plain", on("x"), async ({ step }) => {
          await step.run("first", () => 1);
          await step.run("grüße / 你好", () => null);
          return "done";
        }),
      ]);
      const run = await finished(await trigger(on("x")));
      const { status, output, traceID, trace } = await traceOf(engine, run.run_id);
      expect({ status, output, traceID }).toEqual({
        status: "COMPLETED",
        output: '"done"',
        traceID: expect.stringMatching(/^[0-9a-f]{32}$/),
      });
      expect(trace).toMatchObject({ isRoot: true, status: "COMPLETED", stepOp: null, duration: expect.any(Number) });
      expect(trace.childrenSpans.map(({ name }) => name)).toEqual(["first", "grüße / 你好", "Finalization"]);
      const first = child(trace, "first");
      expect(first).toMatchObject({
        isRoot: false,
        status: "COMPLETED",
        stepOp: "RUN",
        stepType: "RUN",
        stepID: expect.stringMatching(/^[0-9a-f]{40}$/),
        attempts: 0,
        stepInfo: { __typename: "RunStepInfo", type: null },
        childrenSpans: [],
      });
      for (const [before, after] of [
        ["queuedAt", "startedAt"],
        ["startedAt", "endedAt"],
      ] as const) {
        expect(Date.parse(String(first[after]))).toBeGreaterThanOrEqual(Date.parse(String(first[before])));
      }
      expect(child(trace, "Finalization")).toMatchObject({
        stepType: "FINALIZATION",
        status: "COMPLETED",
        stepOp: null,
      });
      expect(await outputOf(engine, first)).toEqual({ data: "1", input: null, error: null });
      expect(await outputOf(engine, child(trace, "grüße / 你好"))).toMatchObject({ data: "null", error: null });
      expect(await outputOf(engine, trace)).toMatchObject({ data: '"done"' });
      expect(variant).toBeTruthy();
    },
  },
  {
    id: "OB-8",
    title: "Attempts of a step are listed, and the last one is counted from 0",
    proves: ["OB-8", "OB-4"],
    sdks: MODES,
    async run({ app, fn, on, trigger, finished, engine, mark, marks }) {
      await app([
        fn({ id: "retried", retries: 2 }, on("again"), async ({ step }) =>
          step.run("flaky", () => {
            mark("flaky");
            if (marks("flaky").length < 3) throw new TypeError(`no ${marks("flaky").length}`);
            return "yes";
          }),
        ),
        fn({ id: "failed", retries: 1 }, on("never"), async ({ step }) => {
          await step.run("good", () => "good");
          await step.run("broken", () => {
            throw new Error("broken for good");
          });
          await step.run("unreached", () => "never");
        }),
      ]);
      const again = await finished(await trigger(on("again")));
      const flaky = child((await traceOf(engine, again.run_id)).trace, "flaky");
      expect(flaky).toMatchObject({ status: "COMPLETED", attempts: 2 });
      expect(flaky.childrenSpans.map(({ name, status }) => [name, status])).toEqual([
        ["Attempt 0", "FAILED"],
        ["Attempt 1", "FAILED"],
        ["Attempt 2", "COMPLETED"],
      ]);
      expect(await outputOf(engine, child(flaky, "Attempt 1"))).toMatchObject({
        data: null,
        error: { message: "no 2", stack: expect.stringContaining("no 2"), cause: null },
      });
      expect(await outputOf(engine, child(flaky, "Attempt 2"))).toMatchObject({ data: '"yes"', error: null });

      const failed = await finished(await trigger(on("never")));
      const { status, trace } = await traceOf(engine, failed.run_id);
      expect([status, trace.status]).toEqual(["FAILED", "FAILED"]);
      expect(trace.childrenSpans.map(({ name }) => name)).toEqual(["good", "broken", "Finalization"]);
      const broken = child(trace, "broken");
      expect(broken).toMatchObject({ status: "FAILED", attempts: 1 });
      expect(broken.childrenSpans.map(({ name, status }) => [name, status])).toEqual([
        ["Attempt 0", "FAILED"],
        ["Attempt 1", "FAILED"],
      ]);
      expect(await outputOf(engine, broken)).toMatchObject({ error: { message: "broken for good" } });
      expect(child(trace, "Finalization")).toMatchObject({ status: "FAILED", stepType: "FINALIZATION" });
      expect(await outputOf(engine, trace)).toMatchObject({ data: null, error: { message: "broken for good" } });
    },
  },
  {
    id: "OB-8b",
    title: "An error outside steps fails the finalization, with its attempts",
    proves: ["OB-8", "OB-7"],
    sdks: MODES,
    async run({ app, fn, on, trigger, finished, engine }) {
      await app([
        fn({ id: "throws", retries: 1 }, on("x"), async ({ step }) => {
          await step.run("fine", () => 1);
          throw new Error("unhandled");
        }),
      ]);
      const run = await finished(await trigger(on("x")));
      const { trace } = await traceOf(engine, run.run_id);
      expect(trace.childrenSpans.map(({ name }) => name)).toEqual(["fine", "Finalization"]);
      const end = child(trace, "Finalization");
      expect(end).toMatchObject({ status: "FAILED", attempts: 1, stepType: "FINALIZATION" });
      expect(end.childrenSpans.map(({ name, status }) => [name, status])).toEqual([
        ["Attempt 0", "FAILED"],
        ["Attempt 1", "FAILED"],
      ]);
      expect(await outputOf(engine, end)).toMatchObject({ error: { message: "unhandled" } });
      expect(await outputOf(engine, child(end, "Attempt 0"))).toMatchObject({ error: { message: "unhandled" } });
    },
  },
  {
    id: "OB-7",
    title: "Sleeps, waits and signals say what they waited for and what came",
    proves: ["OB-7", "OB-10"],
    sdks: MODES,
    async run(scenario) {
      const { app, fn, on, trigger, send, finished, engine, until, slug } = scenario;
      const signal = slug("go");
      await app([
        fn("waits", on("x"), async ({ step }) => {
          await step.sleep("nap", "1s");
          const found = await step.waitForEvent("answer", { event: on("yes"), if: "async.data.n == 1", timeout: "1h" });
          const none = await step.waitForEvent("nothing", { event: on("no"), timeout: "1s" });
          const sign = await step.waitForSignal("sign", { signal, timeout: "1h", onConflict: "replace" });
          return [found?.data, none, sign?.data];
        }),
        fn("signals", on("signal"), async ({ step }) => step.sendSignal("send", { signal, data: { s: 1 } })),
      ]);
      const eventId = await trigger(on("x"));
      const runId = await waiting(scenario, eventId);
      const live = (await traceOf(engine, runId)).trace;
      expect(live).toMatchObject({ status: "RUNNING" });
      expect(child(live, "answer")).toMatchObject({
        status: "WAITING",
        outputID: null,
        stepInfo: { timedOut: null, foundEventID: null },
      });
      const [yes] = await send({ name: on("yes"), data: { n: 1 } });
      await until(async () => {
        const { trace } = await traceOf(engine, runId);
        return trace.childrenSpans.some(({ name }) => name === "sign");
      });
      await waiting(scenario, eventId);
      const sender = await finished(await trigger(on("signal")));
      const run = await finished(eventId);
      expect(run).toMatchObject({ status: "Completed", output: [{ n: 1 }, null, { s: 1 }] });
      const { trace } = await traceOf(engine, runId);
      expect(trace.childrenSpans.map(({ name }) => name)).toEqual(["nap", "answer", "nothing", "sign", "Finalization"]);
      const nap = child(trace, "nap");
      expect(nap).toMatchObject({ stepOp: "SLEEP", stepType: "SLEEP", status: "COMPLETED" });
      expect(nap.stepInfo).toMatchObject({ __typename: "SleepStepInfo", sleepUntil: expect.any(String) });
      expect(nap.duration).toBeGreaterThanOrEqual(990);
      expect(child(trace, "answer")).toMatchObject({
        stepOp: "WAIT_FOR_EVENT",
        status: "COMPLETED",
        stepInfo: {
          __typename: "WaitForEventStepInfo",
          eventName: on("yes"),
          expression: "async.data.n == 1",
          foundEventID: yes,
          timedOut: false,
        },
      });
      expect(child(trace, "nothing")).toMatchObject({
        stepOp: "WAIT_FOR_EVENT",
        status: "COMPLETED",
        stepInfo: { eventName: on("no"), foundEventID: null, timedOut: true },
      });
      expect(child(trace, "sign")).toMatchObject({
        stepOp: "WAIT_FOR_SIGNAL",
        stepInfo: { __typename: "WaitForSignalStepInfo", signal, timedOut: false },
      });
      expect(child((await traceOf(engine, sender.run_id)).trace, "send")).toMatchObject({
        stepOp: "RUN",
        stepType: "step.sendSignal",
      });
    },
  },
  {
    id: "OB-10",
    title: "An invocation names its child, and sent events their ids",
    proves: ["OB-10", "OB-7"],
    sdks: MODES,
    async run({ app, fn, on, trigger, finished, ended, engine, slug, api }) {
      const childFn = fn("child", on("never"), ({ event }) => event.data["n"]);
      const slow = fn("slow", on("never"), ({ step }) => step.sleep("s", "1h"));
      await app([
        childFn,
        slow,
        fn("parent", on("x"), async ({ step }) => {
          const n = await step.invoke<number>("call", { function: childFn.native, data: { n: 7 } });
          await step.invoke("late", { function: slow.native, timeout: "1s" }).catch(() => null);
          const sent = await step.sendEvent("tell", { name: on("told"), data: { n } });
          return sent.ids;
        }),
      ]);
      const run = await finished(await trigger(on("x")));
      const { trace } = await traceOf(engine, run.run_id);
      const call = child(trace, "call");
      expect(call).toMatchObject({ stepOp: "INVOKE", stepType: "INVOKE", status: "COMPLETED" });
      expect(call.stepInfo).toMatchObject({
        __typename: "InvokeStepInfo",
        functionID: slug("child"),
        triggeringEventID: expect.any(String),
        runID: expect.any(String),
        timedOut: false,
      });
      const invoked = await ended(String(call.stepInfo?.["triggeringEventID"]));
      expect(invoked).toMatchObject([{ run_id: call.stepInfo?.["runID"], output: 7 }]);
      expect(await outputOf(engine, call)).toMatchObject({ data: "7", input: '{"n":7}' });
      expect(child(trace, "late")).toMatchObject({
        status: "FAILED",
        stepInfo: { timedOut: true, runID: expect.any(String), triggeringEventID: expect.any(String) },
      });
      const tell = child(trace, "tell");
      expect(tell).toMatchObject({ stepOp: "RUN", stepType: "step.sendEvent", stepInfo: { type: "step.sendEvent" } });
      expect(JSON.parse((await outputOf(engine, tell))?.data ?? "")).toEqual({ ids: run.output });
      // The child knows its parent.
      const { json } = await api("GET", `/v1/runs/${String(call.stepInfo?.["runID"])}/trace`);
      expect(json).toMatchObject({ data: { parent: { run_id: run.run_id, step_id: call.stepID } } });
    },
  },
  {
    id: "OB-12",
    title: "Requests of the engine: fetches and inferences, with models and tokens and without keys",
    proves: ["OB-12", "OB-13", "OB-7", "EX-57", "EX-59"],
    sdks: MODES,
    async run({ app, fn, on, trigger, finished, until, engine, api, variant }) {
      const canary = `sk-canary-${variant}-trace`;
      await app([
        fn<{ url: string }>({ id: "asks", retries: 1 }, on("x"), async ({ event, step }) => {
          const { url } = event.data;
          const model = step.ai.models.openai({ model: "gpt-4o-mini", apiKey: canary, baseUrl: `${url}/v1/` });
          const out = await step.ai.infer<typeof COMPLETION>("summarize", {
            model,
            body: { messages: [{ role: "user", content: "hi there" }], temperature: 0.5 },
          });
          await step.fetch(`${url}/page?api_key=${canary}`, {
            headers: { authorization: `Bearer ${canary}`, "x-a": "b" },
          });
          await step.fetch(`${url}/404`).catch(() => null);
          return out.choices[0]?.message.content;
        }),
      ]);
      await withEcho(
        ({ url }, n) => {
          if (url.pathname.startsWith("/v1")) return n === 1 ? { status: 500, json: {} } : { json: COMPLETION };
          return { status: url.pathname === "/404" ? 404 : 200, body: "four" };
        },
        async ({ origin }) => {
          const run = await finished(await trigger(on("x"), { url: origin }));
          expect(run).toMatchObject({ status: "Completed", output: "hello" });
          const { trace } = await traceOf(engine, run.run_id);
          const ai = child(trace, "summarize");
          expect(ai).toMatchObject({
            stepOp: "AI_GATEWAY",
            stepType: "step.ai.infer",
            attempts: 1,
            status: "COMPLETED",
          });
          expect(ai.childrenSpans.map(({ status }) => status)).toEqual(["FAILED", "COMPLETED"]);
          expect(ai.metadata).toMatchObject([
            {
              scope: "step",
              kind: "inngest.ai",
              values: { response_model: "gpt-4o-mini", input_tokens: 3, output_tokens: 1, temperature: 0.5 },
            },
          ]);
          expect(JSON.parse((await outputOf(engine, ai))?.input ?? "")).toMatchObject({
            messages: [{ role: "user", content: "hi there" }],
          });
          expect(JSON.parse((await outputOf(engine, ai))?.data ?? "")).toMatchObject(COMPLETION);
          const { json, text } = await api("GET", `/v1/runs/${run.run_id}/trace`);
          expect(text).not.toContain(canary);
          const spans = (json as { data: { root: { children: Record<string, unknown>[] } } }).data.root.children;
          expect(json).toMatchObject({ data: { tokens: { input: 3, output: 1 } } });
          expect(spans.map(({ kind }) => kind)).toEqual(["ai", "fetch", "fetch", "finalization"]);
          expect(spans[1]).toMatchObject({
            request: {
              method: "GET",
              url: `${origin}/page?api_key=***`,
              headers: { authorization: "***", "x-a": "b" },
              http_status: 200,
              response_bytes: 4,
            },
          });
          expect(spans[2]).toMatchObject({ status: "completed", request: { http_status: 404 } });
          // Both of its calls, once history has heard of them.
          const asked = { model: "gpt-4o-mini", calls: 2, input_tokens: 3, output_tokens: 1 };
          await until(async () => {
            const figures = await api("GET", `/v1/metrics/ai?function_id=${run.function_id}`);
            return modelsIn(figures.json).some((one) => isLike(one, asked));
          });
        },
      );
    },
  },
  {
    id: "OB-12b",
    title: "A wrapped AI call shows what it was asked, what it answered, and its tokens",
    proves: ["OB-12", "EX-60"],
    sdks: MODES,
    async run({ app, fn, on, trigger, finished, until, engine, api }) {
      const ask = async (request: { model: string; prompt: string; temperature: number; apiKey: string }) => ({
        text: `echo: ${request.prompt}`,
        model: request.model,
        usage: { inputTokens: 5, outputTokens: 2 },
      });
      await app([
        fn("wraps", on("x"), async ({ step }) => {
          const said = await step.ai.wrap("ask", ask, {
            model: "m-1",
            prompt: "one",
            temperature: 1,
            apiKey: "canary-wrap",
          });
          return said.text;
        }),
      ]);
      const run = await finished(await trigger(on("x")));
      const wrapped = child((await traceOf(engine, run.run_id)).trace, "ask");
      expect(wrapped).toMatchObject({ stepOp: "RUN", stepType: "step.ai.wrap", status: "COMPLETED" });
      expect(wrapped.metadata).toMatchObject([
        { kind: "inngest.ai", values: { response_model: "m-1", input_tokens: 5, output_tokens: 2, temperature: 1 } },
      ]);
      const output = await outputOf(engine, wrapped);
      expect(JSON.parse(output?.input ?? "")).toEqual([{ model: "m-1", prompt: "one", temperature: 1, apiKey: "***" }]);
      expect(JSON.parse(output?.data ?? "")).toMatchObject({ text: "echo: one" });
      const asked = { model: "m-1", calls: 1, input_tokens: 5, output_tokens: 2 };
      await until(async () => {
        const figures = await api("GET", `/v1/metrics/ai?function_id=${run.function_id}`);
        return modelsIn(figures.json).some((one) => isLike(one, asked));
      });
    },
  },
  {
    id: "OB-7b",
    title: "Parallel steps each appear once, with their own attempts",
    proves: ["OB-7", "OB-8"],
    async run({ app, fn, on, trigger, finished, engine, mark, marks }) {
      await app([
        fn({ id: "parallel", retries: 1 }, on("x"), async ({ step }) =>
          Promise.all([
            step.run("a", () => "a"),
            step.run("b", () => {
              mark("b");
              if (marks("b").length === 1) throw new Error("first");
              return "b";
            }),
            step.sleep("c", "1s").then(() => "c"),
          ]),
        ),
      ]);
      const run = await finished(await trigger(on("x")));
      expect(run.output).toEqual(["a", "b", "c"]);
      const { trace } = await traceOf(engine, run.run_id);
      expect(trace.childrenSpans.map(({ name }) => name).sort()).toEqual(["Finalization", "a", "b", "c"]);
      expect(child(trace, "a").childrenSpans).toEqual([]);
      expect(child(trace, "b")).toMatchObject({ attempts: 1, status: "COMPLETED" });
      expect(child(trace, "b").childrenSpans.map(({ status }) => status)).toEqual(["FAILED", "COMPLETED"]);
      expect(child(trace, "c")).toMatchObject({ stepOp: "SLEEP" });
    },
  },
  {
    id: "OB-7c",
    title: "A cancelled run: what had begun is cancelled, what never ran does not appear",
    proves: ["OB-7", "CR-1"],
    async run(scenario) {
      const { app, fn, on, trigger, finished, engine, api } = scenario;
      await app([
        fn("cancelled", on("x"), async ({ step }) => {
          await step.run("first", () => 1);
          await step.waitForEvent("answer", { event: on("yes"), timeout: "1h" });
          await step.run("never", () => 1);
        }),
      ]);
      const eventId = await trigger(on("x"));
      const runId = await waiting(scenario, eventId);
      await api("DELETE", `/v1/runs/${runId}`);
      await finished(eventId);
      const { status, trace } = await traceOf(engine, runId);
      expect([status, trace.status]).toEqual(["CANCELLED", "CANCELLED"]);
      expect(trace.childrenSpans.map(({ name, status }) => [name, status])).toEqual([
        ["first", "COMPLETED"],
        ["answer", "CANCELLED"],
      ]);
    },
  },
  {
    id: "OB-7d",
    title: "Publishing to a channel is a kind of its own",
    proves: ["OB-7"],
    sdks: ["v4", "v4-checkpointed"],
    async run({ app, fn, on, trigger, finished, engine, api }) {
      await app([
        fn("publishes", on("x"), async ({ step }) => {
          // The tool of v4 only; its channel is what its helpers make of a definition.
          const { realtime } = step as unknown as Publishing;
          await realtime.publish("tell", { channel: on("channel"), topic: "news", config: {} }, { ok: true });
          return "told";
        }),
      ]);
      const run = await finished(await trigger(on("x")));
      expect(run).toMatchObject({ status: "Completed", output: "told" });
      const { trace } = await traceOf(engine, run.run_id);
      expect(child(trace, "tell")).toMatchObject({ stepOp: "RUN", stepType: "step.realtime.publish" });
      const { json } = await api("GET", `/v1/runs/${run.run_id}/trace`);
      expect(json).toMatchObject({
        data: { root: { children: [{ kind: "realtime_publish" }, { kind: "finalization" }] } },
      });
    },
  },
  {
    id: "EX-72",
    title: "Metadata of steps and of the run is on its spans",
    proves: ["EX-72", "OB-7", "API-16"],
    async run({ app, fn, on, trigger, finished, engine, api }) {
      await app([fn("noted", on("x"), ({ step }) => step.run("a", () => 1))]);
      const run = await finished(await trigger(on("x")));
      const before = child((await traceOf(engine, run.run_id)).trace, "a");
      const note = (target: object, kind: string, values: object) =>
        api("POST", `/v1/runs/${run.run_id}/metadata`, { target, metadata: [{ kind, op: "merge", values }] });
      await note({ step_id: before.stepID }, "userland.note", { x: 1 });
      await note({ step_id: before.stepID }, "userland.note", { y: 2 });
      await note({}, "inngest.score", { good: { value: 1 } });
      const { trace } = await traceOf(engine, run.run_id);
      expect(trace.metadata).toMatchObject([{ scope: "run", kind: "inngest.score", values: { good: { value: 1 } } }]);
      expect(child(trace, "a").metadata).toMatchObject([
        { scope: "step", kind: "userland.note", values: { x: 1, y: 2 } },
      ]);
    },
  },
  {
    id: "OB-15",
    title: "What an app logs stays with the app",
    proves: ["OB-15"],
    async run({ app, fn, on, trigger, finished, engine, api }) {
      await app([
        fn("talks", on("x"), async ({ step, logger }) => {
          logger.info("canary-log");
          return await step.run("a", () => logger.error("canary-log"));
        }),
      ]);
      const run = await finished(await trigger(on("x")));
      const { json } = await api("GET", `/v1/runs/${run.run_id}/trace`);
      expect(JSON.stringify([run, json, await traceOf(engine, run.run_id)])).not.toMatch(/canary-log|"logs"/);
    },
  },
  {
    id: "OB-10b",
    title: "A failed run leads to the run of its failure handler",
    proves: ["OB-10"],
    async run({ app, fn, on, trigger, ended, api, slug, until, runOf, engine }) {
      const fails = { id: "fails", retries: 0, onFailure: () => "handled" };
      await app([
        fn(fails, on("x"), () => {
          throw new Error("no");
        }),
      ]);
      const run = runOf(await ended(await trigger(on("x"))), "fails");
      const { json } = await api("GET", `/v1/runs/${run.run_id}/trace`);
      const { end_events } = (json as { data: { end_events: { name: string; id: string }[] } }).data;
      expect(end_events.map(({ name }) => name)).toEqual(["inngest/function.finished", "inngest/function.failed"]);
      const handled = await until(async () => {
        const runs = await engine.runsOf(end_events[1]?.id ?? "");
        return runs.find(
          ({ function_slug, output }) => function_slug === slug("fails-failure") && output === "handled",
        );
      });
      expect(handled.status).toBe("Completed");
    },
  },
  {
    id: "OB-7e",
    title: "A step says how long a limit kept it from its call",
    proves: ["OB-7", "FC-1"],
    sdks: ["v4"],
    async run({ app, fn, on, trigger, finished, api, pause }) {
      await app([
        fn({ id: "limited", concurrency: { limit: 1, key: "event.data.k" } }, on("x"), ({ step }) =>
          step.run("hold", () => pause(700).then(() => null)),
        ),
      ]);
      const ids = [await trigger(on("x"), { k: "K" }), await trigger(on("x"), { k: "K" })];
      const limited: number[] = [];
      for (const id of ids) {
        const run = await finished(id);
        const { json } = await api("GET", `/v1/runs/${run.run_id}/trace`);
        const [hold] = (json as { data: { root: { children: { limited_ms: number }[] } } }).data.root.children;
        limited.push(hold?.limited_ms ?? -1);
      }
      expect(Math.max(...limited)).toBeGreaterThanOrEqual(500);
      expect(Math.min(...limited)).toBeLessThan(Math.max(...limited) - 300);
    },
  },
  {
    id: "OB-11",
    title: "A large output is loaded by itself, a small one comes along",
    proves: ["OB-11"],
    sdks: ["v4"],
    async run({ app, fn, on, trigger, finished, engine, api }) {
      await app([
        fn("sizes", on("x"), async ({ step }) => {
          await step.run("small", () => "s");
          await step.run("large", () => "l".repeat(70_000));
        }),
      ]);
      const run = await finished(await trigger(on("x")));
      const { json } = await api("GET", `/v1/runs/${run.run_id}/trace`);
      const [small, large] = (json as { data: { root: { children: Record<string, unknown>[] } } }).data.root.children;
      expect(small).toMatchObject({ output: "s" });
      expect(large).toMatchObject({ output_bytes: 70_011, output_id: expect.any(String) });
      expect(large).not.toHaveProperty("output");
      const loaded = await api("GET", `/v1/runs/${run.run_id}/outputs/${String(large?.["output_id"])}`);
      expect(loaded.json).toMatchObject({ data: { ok: true, output: "l".repeat(70_000) } });
      expect((await api("GET", `/v1/runs/${run.run_id}/outputs/none`)).status).toBe(404);
      const span = child((await traceOf(engine, run.run_id)).trace, "large");
      expect((await outputOf(engine, span))?.data).toHaveLength(70_002);
    },
  },
];

interface Publishing {
  readonly realtime: { publish(id: string, topic: object, data: unknown): Promise<unknown> };
}
