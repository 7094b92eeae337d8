/**
 * Rerunning a step with another input (CR-27): arguments that the app executes it with, requests that the engine makes for it.
 */
import { expect } from "vitest";
import type { Case } from "../harness/cases.ts";
import type { Variant } from "../harness/scenario.ts";
import { COMPLETION } from "../steps/ai.ts";
import { withEcho } from "../steps/echo.ts";
import { endedRun, rerun } from "./running-again.ts";

const MODES: readonly Variant[] = ["v3", "v4", "v3-checkpointed", "v4-checkpointed"];

/** The scenarios. */
export const editedInput: readonly Case[] = [
  {
    id: "SC-95",
    title: "Wrapped AI call, edited and rerun",
    proves: ["EX-60", "CR-27"],
    sdks: [...MODES, "v3-optimised", "v4-plain"],
    async run(scenario) {
      const { app, fn, on, trigger, finished } = scenario;
      const ask = async (prompt: string) => `echo: ${prompt}`;
      await app([fn("wrap", on("x"), async ({ step }) => step.ai.wrap("ask", ask, "one"))]);
      const run = await finished(await trigger(on("x")));
      expect(run).toMatchObject({ status: "Completed", output: "echo: one" });
      const again = await rerun(scenario, run.run_id, { from_step: "ask", input: ["two"] });
      expect(await endedRun(scenario, again)).toMatchObject({ status: "Completed", output: "echo: two" });
      // What was edited is the new run's own: run again, it is as its function gives it.
      const third = await rerun(scenario, again, { from_step: "ask" });
      expect(await endedRun(scenario, third)).toMatchObject({ output: "echo: one" });
    },
  },
  {
    id: "CR-27",
    title:
      "Arguments in the middle of a run, beside parallel steps, through a retry; the steps after it see the result",
    proves: ["CR-27", "CR-26"],
    sdks: [...MODES, "v3-optimised", "v4-plain"],
    async run(scenario) {
      const { app, fn, on, trigger, finished, mark, names } = scenario;
      let failures = 0;
      await app([
        fn({ id: "f", retries: 2 }, on("x"), async ({ step }) => {
          const first = await step.run("first", () => {
            mark("first");
            return "first";
          });
          const both = await Promise.all([
            step.run(
              "sum",
              (a: number, b: { n: number }) => {
                mark(`sum:${a},${b.n}`);
                if (failures-- > 0) throw new Error("once");
                return a + b.n;
              },
              1,
              { n: 2 },
            ),
            step.run("beside", () => {
              mark("beside");
              return "beside";
            }),
          ]);
          return await step.run("last", () => [first, ...both]);
        }),
      ]);
      const run = await finished(await trigger(on("x")));
      expect(run).toMatchObject({ status: "Completed", output: ["first", 3, "beside"] });
      failures = 1;
      const again = await rerun(scenario, run.run_id, { from_step: "sum", input: [10, { n: 20 }] });
      expect(await endedRun(scenario, again)).toMatchObject({ status: "Completed", output: ["first", 30, "beside"] });
      expect(names("first")).toHaveLength(1);
      expect(names("sum:")).toEqual(["sum:1,2", "sum:10,20", "sum:10,20"]);
    },
  },
  {
    id: "CR-27b",
    title: "A step that failed before; an input that is empty; a step that the code no longer has",
    proves: ["CR-27"],
    sdks: MODES,
    async run(scenario) {
      const { app, fn, on, trigger, finished } = scenario;
      const functions = (gone: boolean) => [
        fn({ id: "f", retries: 0 }, on("x"), async ({ step }) => {
          if (gone) return "without";
          return await step.run(
            "parse",
            (...texts: string[]) => {
              if (texts.includes("{")) throw new Error("not JSON");
              return texts.length;
            },
            "{",
          );
        }),
      ];
      const served = await app(functions(false));
      const run = await finished(await trigger(on("x")));
      expect(run.status).toBe("Failed");
      const edited = async (input: unknown[]) =>
        await endedRun(scenario, await rerun(scenario, run.run_id, { from_step: "parse", input }));
      expect(await edited(["{}", "[]"])).toMatchObject({ status: "Completed", output: 2 });
      expect(await edited([])).toMatchObject({ status: "Completed", output: 0 });
      served.redeploy(functions(true));
      expect(await edited(["{}"])).toMatchObject({ status: "Completed", output: "without" });
    },
  },
  {
    id: "CR-27c",
    title: "The engine's own requests: a prompt, a URL and what goes with it; credentials stay the function's",
    proves: ["CR-27", "SE-14"],
    sdks: MODES,
    async run(scenario) {
      const { app, fn, on, trigger, finished, api } = scenario;
      await app([
        fn<{ url: string }>("ai", on("ai"), async ({ event, step }) => {
          const out = await step.ai.infer<typeof COMPLETION>("ask", {
            model: step.ai.models.openai({ model: "gpt-4o-mini", apiKey: "sk-secret-key", baseUrl: event.data.url }),
            body: { messages: [{ role: "user", content: "one" }] },
          });
          return out.choices[0]?.message.content;
        }),
        fn<{ url: string }>("fetch", on("fetch"), async ({ event, step }) => {
          const response = await step.fetch(`${event.data.url}/one`, { headers: { authorization: "Bearer secret" } });
          return await response.text();
        }),
      ]);
      await withEcho(
        ({ url, method, body }) =>
          url.pathname === "/v1/chat/completions"
            ? { json: COMPLETION }
            : { body: `${method} ${url.pathname} ${body}` },
        async ({ origin, asked, at }) => {
          const ai = await finished(await trigger(on("ai"), { url: `${origin}/v1/` }));
          const messages = [{ role: "user", content: "two" }];
          const again = await rerun(scenario, ai.run_id, { from_step: "ask", input: [{ messages, temperature: 0 }] });
          expect(await endedRun(scenario, again)).toMatchObject({ status: "Completed", output: "hello" });
          const [, second] = at("/v1/chat/completions");
          expect(second?.headers["authorization"]).toBe("Bearer sk-secret-key");
          expect(JSON.parse(second?.body ?? "")).toMatchObject({ model: "gpt-4o-mini", messages, temperature: 0 });

          const got = await finished(await trigger(on("fetch"), { url: origin }));
          expect(got).toMatchObject({ output: "GET /one " });
          const input = [`${origin}/two`, { method: "POST", body: "text" }];
          const step = `step.fetch: ${new URL(origin).hostname}`;
          const posted = await rerun(scenario, got.run_id, { from_step: step, input });
          expect(await endedRun(scenario, posted)).toMatchObject({ status: "Completed", output: "POST /two text" });
          expect(asked.at(-1)?.headers["authorization"]).toBe("Bearer secret");
          const wrong = await api("POST", `/v1/runs/${got.run_id}/rerun`, { from_step: step, input: [7] });
          expect(wrong).toMatchObject({ status: 400, json: { code: "invalid_request" } });
        },
      );
    },
  },
];
