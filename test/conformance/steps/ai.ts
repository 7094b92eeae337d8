/**
 * AI steps: inference by the engine, with each provider's way of authenticating, and calls wrapped in the app (EX-59, EX-60).
 */
import { expect } from "vitest";
import * as z from "zod";
import type { Case } from "../harness/cases.ts";
import { withEcho } from "./echo.ts";
import { MODES, took } from "./modes.ts";

/** The reply of a fake provider in OpenAI's form. */
export const COMPLETION = {
  id: "c-1",
  model: "gpt-4o-mini",
  choices: [{ index: 0, message: { role: "assistant", content: "hello" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 },
};

const messages = [{ role: "user", content: "hi" }];

/** The scenarios. */
export const inference: readonly Case[] = [
  {
    id: "SC-94",
    title: "Inference",
    proves: ["EX-59"],
    sdks: MODES,
    async run({ app, fn, on, trigger, finished }) {
      await app([
        fn<{ url: string }>("ai", on("x"), async ({ event, step }) => {
          const out = await step.ai.infer<typeof COMPLETION>("summarize", {
            model: step.ai.models.openai({ model: "gpt-4o-mini", apiKey: "sk-key", baseUrl: event.data.url }),
            body: { messages },
          });
          return out.choices[0]?.message.content;
        }),
      ]);
      await withEcho(
        () => ({ json: COMPLETION }),
        async ({ origin, asked }) => {
          const run = await finished(await trigger(on("x"), { url: `${origin}/v1/` }));
          expect(run).toMatchObject({ status: "Completed", output: "hello" });
          expect(asked).toMatchObject([
            {
              method: "POST",
              url: expect.objectContaining({ pathname: "/v1/chat/completions" }),
              headers: { authorization: "Bearer sk-key", "content-type": expect.stringContaining("application/json") },
            },
          ]);
          expect(JSON.parse(asked[0]?.body ?? "")).toMatchObject({ model: "gpt-4o-mini", messages });
        },
      );
    },
  },
  {
    id: "EX-59",
    title: "Every provider is spoken to in its own way",
    proves: ["EX-59"],
    sdks: MODES,
    async run({ app, fn, on, trigger, finished }) {
      await app([
        fn<{ url: string }>("providers", on("x"), async ({ event, step }) => {
          const { openai, anthropic, gemini, deepseek, grok } = step.ai.models;
          const options = (name: string) => ({
            model: name,
            apiKey: `key-${name}`,
            baseUrl: `${event.data.url}/${name}/`,
          });
          const body = { messages };
          return await Promise.all([
            step.ai.infer("openai", { model: openai(options("openai")), body }),
            step.ai.infer("deepseek", { model: deepseek(options("deepseek")), body }),
            step.ai.infer("grok", { model: grok(options("grok")), body }),
            step.ai.infer("anthropic", {
              model: anthropic({ ...options("anthropic"), defaultParameters: { max_tokens: 10 } }),
              body,
            }),
            step.ai.infer("gemini", { model: gemini(options("gemini")), body: { contents: [] } }),
          ]);
        }),
      ]);
      await withEcho(
        ({ url }) => ({ json: url.pathname.split("/")[1] }),
        async ({ origin, asked }) => {
          const run = await finished(await trigger(on("x"), { url: origin }));
          const names = ["openai", "deepseek", "grok", "anthropic", "gemini"];
          expect(run).toMatchObject({ status: "Completed", output: names });
          const of = (name: string) => asked.filter(({ url }) => url.pathname.startsWith(`/${name}/`));
          for (const name of names) expect(of(name), name).toHaveLength(1);
          for (const name of ["openai", "deepseek", "grok"])
            expect(of(name)[0]?.headers["authorization"], name).toBe(`Bearer key-${name}`);
          expect(of("anthropic")[0]?.headers).toMatchObject({
            "x-api-key": "key-anthropic",
            "anthropic-version": expect.any(String),
          });
          expect(of("gemini")[0]?.url.searchParams.get("key")).toBe("key-gemini");
        },
      );
    },
  },
  {
    id: "EX-59b",
    title: "A provider's refusal is retried when it says, then fails the step",
    proves: ["EX-59", "EX-23", "EX-26"],
    sdks: MODES,
    async run({ app, fn, on, trigger, finished }) {
      const model = z.object({ url: z.string() });
      await app([
        fn<{ url: string }>({ id: "limited", retries: 2 }, on("x"), async ({ event, step }) => {
          const infer = (name: string) =>
            step.ai
              .infer(name, {
                model: step.ai.models.openai({ model: "m", apiKey: "sk", baseUrl: `${event.data.url}/${name}/` }),
                body: { messages },
              })
              .catch((error: Error) => error.message);
          return [await infer("limited"), await infer("broken"), await infer("html")];
        }),
      ]);
      const times: number[] = [];
      await withEcho(
        ({ url }, n) => {
          const { url: path } = model.parse({ url: url.pathname });
          if (path.startsWith("/broken")) return { status: 500, json: { error: { message: "overloaded" } } };
          if (path.startsWith("/html")) return { body: "<html>no JSON</html>" };
          times.push(Date.now());
          return n === 1 ? { status: 429, headers: { "retry-after": "2" }, json: {} } : { json: "in time" };
        },
        async ({ origin, asked }) => {
          const sent = Date.now();
          const run = await finished(await trigger(on("x"), { url: origin }));
          expect(run).toMatchObject({
            status: "Completed",
            output: ["in time", expect.stringMatching(/500.*overloaded/), expect.stringMatching(/not JSON/)],
          });
          expect(asked.filter(({ url }) => url.pathname.startsWith("/broken"))).toHaveLength(3);
          const [first = 0, second = 0] = times;
          expect(second - first).toBeGreaterThanOrEqual(1990);
          expect(took(run, sent)).toBeGreaterThanOrEqual(2000);
        },
      );
    },
  },
  {
    id: "SC-95",
    title: "A wrapped AI call",
    proves: ["EX-60"],
    sdks: MODES,
    async run({ app, fn, on, trigger, finished, mark, marks }) {
      const ask = async (prompt: string, times: number) => {
        mark("asked");
        return `echo: ${prompt.repeat(times)}`;
      };
      await app([
        fn("wrap", on("x"), async ({ step }) => {
          const said = await step.ai.wrap("ask", ask, "one", 2);
          await step.sleep("s", "1s");
          return said;
        }),
      ]);
      expect(await finished(await trigger(on("x")))).toMatchObject({ status: "Completed", output: "echo: oneone" });
      expect(marks("asked")).toHaveLength(1);
    },
  },
];
