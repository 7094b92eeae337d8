/**
 * The tools for AI assistants as an assistant uses them: through the official client of the Model Context Protocol, and by single requests.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { expect } from "vitest";
import * as z from "zod";
import { type Case, conformance } from "../harness/cases.ts";
import type { TestEngine } from "../harness/engine.ts";

const ROOT = resolve(import.meta.dirname, "../../..");
/** The tools with documents of their own (API-31 … API-33). */
const DOCUMENTED = [
  "send_event",
  "list_functions",
  "invoke_function",
  "get_run_status",
  "poll_run_status",
  "grep_docs",
  "read_doc",
  "list_docs",
];

const answerSchema = z.object({ content: z.array(z.object({ type: z.literal("text"), text: z.string() })).min(1) });

interface Assistant {
  readonly client: Client;
  /** What a tool answers; `refused` when it is an error. */
  use(tool: string, input?: Record<string, unknown>): Promise<unknown>;
}

async function assistant({ url }: Pick<TestEngine, "url">): Promise<Assistant> {
  const client = new Client({ name: "test", version: "1" });
  await client.connect(new StreamableHTTPClientTransport(new URL("/mcp", url)));
  const use: Assistant["use"] = async (name, input = {}) => {
    const answer = await client.callTool({ name, arguments: input });
    const text = answerSchema.parse(answer).content[0]?.text ?? "";
    return answer.isError === true ? { refused: text } : JSON.parse(text);
  };
  return { client, use };
}

const sent = z.object({ eventId: z.string(), runIds: z.array(z.string()) });
const matches = z.object({ matches: z.array(z.object({ path: z.string(), line: z.number(), text: z.string() })) });

const cases: readonly Case[] = [
  {
    id: "API-30",
    title: "An assistant finds the tools, those made of v2 among them",
    proves: ["API-30", "DEV-25"],
    sdks: ["v4"],
    async run({ engine }) {
      const { client, use } = await assistant(engine);
      const { tools } = await client.listTools();
      const names = tools.map(({ name }) => name);
      expect(names).toEqual(expect.arrayContaining([...DOCUMENTED, "get_run", "list_runs", "get_run_trace"]));
      expect(new Set(names).size).toBe(names.length);
      for (const { description, inputSchema } of tools) {
        expect(description).not.toBe("");
        expect(inputSchema.type).toBe("object");
      }
      await expect(use("no_such_tool")).rejects.toThrow("no_such_tool");
      await client.close();
      const plain = await engine.api("GET", "/mcp");
      expect([plain.status, plain.json]).toMatchObject([200, { name: "millrace" }]);
      expect((await engine.api("GET", "/mcp", undefined, { origin: "https://evil.example" })).status).toBe(403);
      expect((await engine.api("GET", "/mcp", undefined, { origin: "http://localhost:3000" })).status).toBe(200);
    },
  },
  {
    id: "SC-147",
    title: "Single requests are answered in JSON",
    proves: ["API-30", "API-31", "API-33"],
    sdks: ["v4"],
    async run(scenario) {
      const { engine, app, fn, on } = scenario;
      await app([fn("mcp-fn", on("x"), ({ event }) => event.data)]);
      const call = async (name: string, input: object): Promise<unknown> => {
        const request = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: input } };
        const accept = { accept: "application/json, text/event-stream" };
        const { json } = await engine.api("POST", "/mcp", request, accept);
        return z.object({ result: z.object({ structuredContent: z.unknown() }) }).parse(json).result.structuredContent;
      };
      const { functions } = z
        .object({ functions: z.array(z.looseObject({ slug: z.string() })) })
        .parse(await call("list_functions", {}));
      expect(functions.map(({ slug }) => slug)).toContain(scenario.slug("mcp-fn"));
      const event = { name: on("x"), data: { a: 1 }, eventIdSeed: `test-${scenario.appId}` };
      const first = sent.parse(await call("send_event", event));
      expect(first.runIds).toHaveLength(1);
      expect(await call("send_event", event)).toEqual(expect.objectContaining(first));
      expect(await engine.ended(first.eventId)).toHaveLength(1);
      const invoked = await call("invoke_function", { functionId: scenario.slug("mcp-fn"), data: { b: 2 } });
      expect(invoked).toMatchObject({ status: "COMPLETED", output: { b: 2 } });
      const docs = matches.parse(await call("grep_docs", { pattern: "step\\.run|durable" }));
      expect(docs.matches.length).toBeGreaterThan(0);
      expect(docs.matches.length).toBeLessThanOrEqual(10);
    },
  },
  {
    id: "API-32",
    title: "Runs are shown with steps and errors, and waited for",
    proves: ["API-31", "API-32"],
    sdks: ["v4"],
    async run(scenario) {
      const { engine, app, fn, on, slug } = scenario;
      const fails = fn({ id: "fails", retries: 0 }, on("bad"), async ({ step }) => {
        await step.run("fine", () => "fine");
        await step.run("broken", () => {
          throw new Error("as told");
        });
      });
      const sleeps = fn("sleeps", on("slow"), ({ step }) => step.sleep("a while", "1h"));
      await app([fails, sleeps]);
      const { client, use } = await assistant(engine);
      const started = async (event: string) => sent.parse(await use("send_event", { name: event })).runIds[0] ?? "";
      const [bad, slow] = [await started(on("bad")), await started(on("slow"))];
      expect(await use("poll_run_status", { runIds: [bad], timeout: 30 })).toMatchObject({ failed: 1, running: 0 });
      const mixed = await use("poll_run_status", { runIds: [bad, slow, "nonsense"], timeout: 0.2 });
      expect(mixed).toMatchObject({ completed: 0, running: 1, failed: 1, runs: [{}, {}, { status: "NOT_FOUND" }] });
      expect(await use("get_run_status", { runId: bad })).toMatchObject({
        runId: bad,
        status: "FAILED",
        error: { message: "as told" },
        steps: [
          { stepName: "fine", status: "COMPLETED", output: "fine" },
          { stepName: "broken", status: "FAILED", error: { message: "as told", stack: expect.any(String) } },
        ],
      });
      expect(await use("get_run_status", { runId: "nonsense" })).toMatchObject({
        refused: expect.stringMatching(/^run_not_found/),
      });
      const waited = await use("invoke_function_sync", { functionId: slug("sleeps"), timeout: 0.2 });
      expect(waited).toMatchObject({ status: "RUNNING", runId: expect.any(String) });
      expect(await use("invoke_function", { functionId: "nobody" })).toMatchObject({
        refused: expect.stringMatching(/^function_not_found/),
      });
      expect(await use("send_event", { data: {} })).toMatchObject({
        refused: expect.stringMatching(/^invalid_request/),
      });
      expect(await use("get_run", { runId: bad })).toMatchObject({ data: { id: bad, status: "FAILED" } });
      await client.close();
    },
  },
  {
    id: "API-33",
    title: "The documentation is all there, and can be searched and read",
    proves: ["API-33"],
    sdks: ["v4"],
    async run({ engine }) {
      const { client, use } = await assistant(engine);
      const { files } = z.object({ files: z.array(z.looseObject({ path: z.string() })) }).parse(await use("list_docs"));
      const guides = readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" });
      const pages = ["README.md", ...guides.filter((path) => path.endsWith(".md")).map((path) => `docs/${path}`)];
      expect(files.map(({ path }) => path).toSorted()).toEqual(pages.toSorted());
      const text = readFileSync(join(ROOT, "docs/architecture.md"), "utf8");
      expect(await use("read_doc", { path: "docs/architecture.md" })).toMatchObject({ text });
      expect(await use("read_doc", { path: "../package.json" })).toMatchObject({
        refused: expect.stringMatching(/^not_found/),
      });
      const few = matches.parse(await use("grep_docs", { pattern: "a", limit: 3 }));
      expect(few.matches).toHaveLength(3);
      for (const { path, line, text: shown } of few.matches) {
        expect(readFileSync(join(ROOT, path), "utf8").split("\n")[line - 1]?.trim()).toBe(shown);
      }
      expect(await use("grep_docs", { pattern: "(" })).toMatchObject({
        refused: expect.stringMatching(/^invalid_request/),
      });
      await client.close();
    },
  },
];

conformance("MCP", cases);
