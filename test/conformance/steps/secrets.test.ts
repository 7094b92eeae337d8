/**
 * What must not be kept: keys given to requests the engine makes, and what an app encrypts. Everything the engine stores, says and logs
 * is searched for canaries; what must be there is searched for as well, so that an empty search proves nothing.
 */
import { encryptionMiddleware } from "@inngest/middleware-encryption";
import { afterAll, expect } from "vitest";
import { temporaryState } from "../../../cli/state.ts";
import { type Case, conformance } from "../harness/cases.ts";
import { filesWith } from "../harness/kept.ts";
import type { Scenario } from "../harness/scenario.ts";
import { COMPLETION } from "./ai.ts";
import { withEcho } from "./echo.ts";
import { MODES } from "./modes.ts";

const state = await temporaryState();
afterAll(() => state.release());

const lines: string[] = [];

/** The files of the engine's state that contain a text, and the log lines that do. */
async function kept(text: string): Promise<string[]> {
  return [...lines.filter((line) => line.includes(text)), ...(await filesWith(state.dir, text))];
}

/** Everything the engine says about a run and its event. */
async function told({ api }: Scenario, runId: string, eventId: string): Promise<string> {
  const paths = [
    ...["", "/jobs", "/trace"].map((part) => `/v1/runs/${runId}${part}`),
    ...["/actions", "/batch"].map((part) => `/v0/runs/${runId}${part}`),
    ...["", "/runs"].map((part) => `/v1/events/${eventId}${part}`),
    "/v1/runs?limit=100",
    "/v1/events?limit=100",
    "/dev",
    "/",
  ];
  const answers = await Promise.all(paths.map((path) => api("GET", path)));
  return answers.map(({ text }) => text).join("\n");
}

const canaries: readonly Case[] = [
  {
    id: "SC-94",
    title: "Keys of inference and of fetch are kept nowhere",
    proves: ["EX-59", "EX-57", "SE-14"],
    sdks: MODES,
    async run(scenario) {
      const { app, fn, on, variant, trigger, finished, pause } = scenario;
      const canary = `sk-canary-${variant}-91`;
      const prompt = `prompt-of-${variant}`;
      await app([
        fn<{ url: string }>({ id: "ai", retries: 1 }, on("x"), async ({ event, step }) => {
          const { openai, anthropic, gemini } = step.ai.models;
          const { url } = event.data;
          const options = (path: string) => ({ model: "m", apiKey: canary, baseUrl: `${url}/${path}/` });
          const body = { messages: [{ role: "user", content: prompt }] };
          const outcomes = await Promise.allSettled([
            step.ai.infer("good", { model: openai(options("good")), body }),
            step.ai.infer("anthropic", {
              model: anthropic({ ...options("anthropic"), defaultParameters: { max_tokens: 9 } }),
              body,
            }),
            step.ai.infer("gemini", { model: gemini(options("gemini")), body: { contents: [] } }),
            step.ai.infer("refused", { model: openai(options("refused")), body }),
            step.ai.infer("gemini-refused", { model: gemini(options("refused")), body: { contents: [] } }),
            step.ai.infer("cut", { model: gemini(options("cut")), body: { contents: [] } }),
            step.fetch(`${url}/fetched`, {
              headers: { authorization: `Bearer ${canary}`, cookie: `session=${canary}`, "x-api-key": canary },
            }),
            step.fetch(`${url}/cut?api_key=${canary}`, { headers: { authorization: canary } }),
          ]);
          return outcomes.map(({ status }) => status);
        }),
      ]);
      const keys: string[] = [];
      await withEcho(
        ({ url, headers }) => {
          keys.push(JSON.stringify([url.search, headers]));
          // Providers quote the key they refuse.
          if (url.pathname.startsWith("/refused")) return { status: 401, json: { error: `Incorrect key: ${canary}` } };
          // What somebody answers to a fetch is the app's, and is kept as it is.
          if (url.pathname.startsWith("/fetched")) return {};
          return url.pathname.startsWith("/cut") ? { cut: true } : { json: { ...COMPLETION, said: canary } };
        },
        async ({ origin }) => {
          const id = await trigger(on("x"), { url: origin });
          const run = await finished(id);
          const [ok, no] = ["fulfilled", "rejected"];
          expect(run).toMatchObject({ status: "Completed", output: [ok, ok, ok, no, no, no, ok, no] });
          for (const key of keys) expect(key).toContain(canary);
          // Until history has written what it was told.
          await pause(1500);
          const replies = await told(scenario, run.run_id, id);
          expect(replies).toContain(COMPLETION.id);
          expect(replies.includes(canary), "the canary is in a reply").toBe(false);
          expect(await kept(COMPLETION.id)).not.toEqual([]);
          expect(await kept(canary)).toEqual([]);
        },
      );
    },
  },
  {
    id: "EX-59",
    title: "A crash between asking and answering repeats the request and keeps no key",
    proves: ["EX-59", "EX-40", "SE-14"],
    sdks: ["v4-checkpointed"],
    alone: true,
    async run(scenario) {
      const { app, fn, on, variant, trigger, finished, engine, until } = scenario;
      const canary = `sk-canary-${variant}-crash`;
      await app([
        fn<{ url: string }>("ai", on("x"), async ({ event, step }) => {
          const model = step.ai.models.openai({ model: "m", apiKey: canary, baseUrl: event.data.url });
          const reply = await step.ai.infer<typeof COMPLETION>("once", { model, body: { messages: [] } });
          return reply.choices[0]?.message.content;
        }),
      ]);
      await withEcho(
        (_, n) => (n === 1 ? { delayMs: 60_000 } : { json: COMPLETION }),
        async ({ origin, asked }) => {
          const id = await trigger(on("x"), { url: origin });
          await until(() => asked.length === 1);
          await engine.kill();
          await engine.boot();
          expect(await finished(id)).toMatchObject({ status: "Completed", output: "hello" });
          expect(asked).toHaveLength(2);
          expect(asked[1]?.headers["authorization"]).toBe(`Bearer ${canary}`);
          expect(await kept(canary)).toEqual([]);
        },
      );
    },
  },
  {
    id: "SC-97",
    title: "What the encryption middleware encrypts is kept as it came",
    proves: ["EX-6", "SE-22"],
    sdks: ["v4", "v4-checkpointed"],
    async run(scenario) {
      const { app, fn, on, variant, finished, newClient, pause } = scenario;
      const canary = `canary-123-${variant}`;
      const client = newClient({ middleware: [encryptionMiddleware({ key: "test-key" })] });
      const encrypted = fn<{ encrypted: { ssn: string }; plain: string }>(
        "enc",
        on("x"),
        async ({ event, step }) => {
          const seen = await step.run("read", () => event.data.encrypted.ssn);
          const again = await step.run("again", () => `${seen}!`);
          if (again !== `${canary}!`) throw new Error("The handler sees something else");
          return again;
        },
        client,
      );
      await app([encrypted], { client });
      const plain = `plain-${variant}`;
      const [id = ""] = await client.send({ name: on("x"), data: { encrypted: { ssn: canary }, plain } });
      const run = await finished(id);
      expect(run.status).toBe("Completed");
      await pause(1500);
      const replies = await told(scenario, run.run_id, id);
      expect(replies).toContain(plain);
      expect(replies.includes(canary), "the canary is in a reply").toBe(false);
      expect(await kept(plain)).not.toEqual([]);
      expect(await kept(canary)).toEqual([]);
    },
  },
];

conformance("secrets", canaries, {
  persistDir: state.dir,
  onLine: ({ level, text }) => lines.push(`log ${level}: ${text}`),
});
