import { describe, expect, it, vi } from "vitest";
import type { TargetPolicy } from "../../../src/calls/address.ts";
import { performRequest } from "../../../src/calls/gateway.ts";
import type { RequestOutcome } from "../../../src/decide/run/resolution.ts";
import type { Json, JsonObject } from "../../../src/json.ts";
import { type EngineRequest, parseGatewayRequest } from "../../../src/protocol/gateway-request.ts";
import { publish, serve } from "./loopback.ts";

const NOW = 1_800_000_000_000;
const DEV: TargetPolicy = { allowPrivate: true, ownHost: null };
const KEY = "sk-canary-91/abc+def";

/** A request from the options an SDK sends. */
function infer(opts: JsonObject): EngineRequest {
  const parsed = parseGatewayRequest("ai", { auth_key: KEY, body: { model: "m" }, ...opts });
  return parsed.ok ? parsed.request : expect.fail(parsed.message);
}

function perform(opts: JsonObject): Promise<RequestOutcome> {
  return performRequest(infer(opts), { policy: DEV, now: NOW });
}

function errorOf(outcome: RequestOutcome) {
  return outcome.ok ? expect.fail("was a success") : outcome;
}

const answering = (status: number, body: Json | string, headers: Record<string, string> = {}) =>
  serve((_, reply) => reply.writeHead(status, headers).end(typeof body === "string" ? body : JSON.stringify(body)));

describe("protocol/04 §4.4: authentication by format", () => {
  it.each<[string, string, string]>([
    ["openai-chat", "authorization", `Bearer ${KEY}`],
    ["openai-responses", "authorization", `Bearer ${KEY}`],
    ["grok", "authorization", `Bearer ${KEY}`],
    ["azure-openai", "authorization", `Bearer ${KEY}`],
    ["unheard-of", "authorization", `Bearer ${KEY}`],
    ["bedrock", "authorization", KEY],
    ["anthropic", "x-api-key", KEY],
  ])("%s: %s", async (format, header, value) => {
    const server = await answering(200, {});
    await perform({ url: `${server.url}/v1/x?a=b`, format, headers: { "anthropic-version": "2023-06-01" } });
    expect(server.received[0]?.headers).toMatchObject({
      [header]: value,
      "content-type": "application/json",
      "anthropic-version": "2023-06-01",
    });
    expect(server.received[0]).toMatchObject({ method: "POST", path: "/v1/x?a=b", body: '{"model":"m"}' });
    const authenticating = ["authorization", "x-api-key"].filter((name) => name in (server.received[0]?.headers ?? {}));
    expect(authenticating).toEqual([header]);
  });

  it.each(["", "?key=old&alt=json"])("gemini: the query's key, once (%j)", async (query) => {
    const server = await answering(200, {});
    await perform({ url: `${server.url}/v1beta/models/g:generateContent${query}`, format: "gemini" });
    const { searchParams } = new URL(server.received[0]?.path ?? "", server.url);
    expect(searchParams.getAll("key")).toEqual([KEY]);
    expect(server.received[0]?.headers.authorization).toBeUndefined();
  });

  it("headers of the app win, and without a key nothing is added", async () => {
    const server = await answering(200, {});
    await perform({
      url: server.url,
      headers: { Authorization: "Custom x", "Content-Type": "application/vnd.x+json" },
    });
    await perform({ url: server.url, auth_key: "" });
    expect(server.received[0]?.headers).toMatchObject({
      authorization: "Custom x",
      "content-type": "application/vnd.x+json",
    });
    expect(server.received[1]?.headers.authorization).toBeUndefined();
  });
});

describe("EX-59: the result of step.ai.infer", () => {
  it("is the provider's JSON", async () => {
    const body = { choices: [{ message: { content: "hi" } }], usage: { prompt_tokens: 1 } };
    const server = await answering(201, body);
    expect(await perform({ url: server.url })).toEqual({ ok: true, memo: { data: body } });
  });

  it("null is a result", async () => {
    const server = await answering(200, "null");
    expect(await perform({ url: server.url })).toEqual({ ok: true, memo: { data: null } });
  });

  it("is never streamed: a body that asks for a stream asks for the whole", async () => {
    const server = await answering(200, {});
    await perform({ url: server.url, body: { model: "m", stream: true, stream_options: { include_usage: true } } });
    await perform({ url: server.url, body: { model: "m", stream: "kept" } });
    expect(server.received.map(({ body }) => body)).toEqual(['{"model":"m"}', '{"model":"m","stream":"kept"}']);
  });
});

describe("EX-59: failures", () => {
  it.each([400, 401, 403, 404, 429, 500, 529])(
    "status %i is retried, and its error has the provider's reply",
    async (status) => {
      const body = { error: { type: "overloaded", message: "slow down" } };
      const server = await answering(status, body);
      expect(await perform({ url: server.url })).toEqual({
        ok: false,
        retryAt: null,
        retriable: true,
        error: {
          name: "AIGatewayError",
          message: `Error making gateway request: The provider answered ${status}: ${JSON.stringify(body)}`,
          data: body,
          stack: expect.stringMatching(/^AIGatewayError: /),
          status_code: status,
        },
      });
    },
  );

  it.each<[string, number, number]>([
    ["7", 7000, 9000],
    ["0", 1000, 3000],
    ["9999999", 86_400_000, 86_402_000],
    [new Date(NOW + 60_000).toUTCString(), 60_000, 60_000],
    [new Date(NOW - 60_000).toUTCString(), 1000, 3000],
  ])("EX-23: Retry-After %s is respected within its range", async (header, least, most) => {
    const server = await answering(429, {}, { "retry-after": header });
    const { retryAt } = errorOf(await perform({ url: server.url }));
    expect(retryAt).toBeGreaterThanOrEqual(NOW + least);
    expect(retryAt).toBeLessThan(NOW + most + 1);
  });

  it.each(["<html>hello</html>", "", "data: {}\n\n", `${"[".repeat(101)}${"]".repeat(101)}`])(
    "a 200 that is not JSON is retried: %j",
    async (body) => {
      const server = await answering(200, body);
      const { error, retriable } = errorOf(await perform({ url: server.url }));
      expect(error).toMatchObject({
        name: "AIGatewayError",
        message: expect.stringContaining("is not JSON"),
        data: body,
      });
      expect(retriable).toBe(true);
    },
  );

  it("a long reply is quoted in part", async () => {
    for (const body of ["x".repeat(100_000), { error: "x".repeat(100_000) }]) {
      const server = await answering(500, body);
      const { error } = errorOf(await perform({ url: server.url }));
      expect(JSON.stringify(error).length).toBeLessThan(10_000);
    }
  });

  it("a transport failure is an AIGatewayError", async () => {
    expect(await perform({ url: "http://127.0.0.1:1/" })).toMatchObject({
      ok: false,
      retriable: true,
      error: { name: "AIGatewayError", code: "unreachable" },
    });
  });

  it("SE-13: a private address is refused for good", async () => {
    const called = publish({});
    const policy = { allowPrivate: false, ownHost: null };
    const outcome = await performRequest(infer({ url: "https://10.0.0.1/v1" }), { policy, now: NOW });
    expect(outcome).toMatchObject({
      ok: false,
      retriable: false,
      error: { name: "AIGatewayError", code: "private_address" },
    });
    expect(called).toEqual([]);
  });
});

describe("SE-14: the key is in the one request only", () => {
  const formats = ["openai-chat", "anthropic", "gemini", "bedrock", "azure-openai"];
  const quotings: readonly (readonly [string, string])[] = [
    ["as it is", `Incorrect API key provided: ${KEY}.`],
    ["in JSON", JSON.stringify({ error: { message: `bad key ${KEY}`, [KEY]: [KEY] } })],
    ["in JSON with escaped slashes", JSON.stringify({ error: `bad key ${KEY}` }).replaceAll("/", "\\/")],
    ["in JSON with escaped letters", JSON.stringify({ error: `bad key ${KEY}` }).replaceAll("sk-", "\\u0073k-")],
    ["percent-encoded", `bad request: /v1?key=${encodeURIComponent(KEY)}`],
    ["as a header", `{"authorization":"Bearer ${KEY}","x-api-key":"${KEY}"}`],
    ["where the quotation ends", `${"x".repeat(2040)}${KEY}`],
    ["in JSON where the quotation ends", JSON.stringify({ error: `${"x".repeat(2030)}${KEY}` })],
  ];

  it.each(quotings)("errors that repeat it %s", async (_, body) => {
    for (const format of formats) {
      for (const status of [401, 200]) {
        const server = await answering(status, body);
        const outcome = await perform({ url: server.url, format, headers: { "api-key": KEY } });
        // The request had it, so that the test would notice a key that was never sent.
        expect(decodeURIComponent(JSON.stringify(server.received))).toContain(KEY);
        expect(JSON.stringify(outcome)).not.toMatch(/canary|sk-c/);
      }
    }
  });

  it("results that repeat it", async () => {
    const server = await serve(({ headers, path }, reply) =>
      reply.end(JSON.stringify({ headers, path, nested: [[KEY]], n: 1 })),
    );
    const outcome = await perform({
      url: server.url,
      format: "anthropic",
      headers: { authorization: `Bearer other-${KEY}` },
    });
    expect(outcome).toMatchObject({ ok: true, memo: { data: { n: 1, nested: [["***"]] } } });
    expect(JSON.stringify(outcome)).not.toContain("canary");
  });

  it("a placeholder for a key does not deface the result", async () => {
    const server = await answering(200, { model: "ollama", text: "none of these are not-needed" });
    for (const auth_key of ["ollama", "none", "not-needed", "e"]) {
      expect(await perform({ url: server.url, auth_key })).toMatchObject({
        memo: { data: { model: "ollama", text: "none of these are not-needed" } },
      });
    }
  });

  it("another host it redirects to does not get it, in the query neither", async () => {
    const other = await answering(200, {});
    const first = await serve(({ path }, reply) => reply.writeHead(307, { location: `${other.url}${path}` }).end());
    for (const format of formats) await perform({ url: `${first.url}/v1`, format, headers: { "api-key": KEY } });
    expect(first.received.length).toBe(formats.length);
    expect(other.received).toHaveLength(formats.length);
    expect(JSON.stringify(other.received)).not.toContain("canary");
    expect(other.received[0]?.body).toBe('{"model":"m"}');
  });

  it("logs have nothing of it", async () => {
    const methods = ["log", "info", "warn", "error", "debug"] as const;
    const written = methods.map((method) => vi.spyOn(console, method));
    const server = await answering(401, `no ${KEY}`);
    await perform({ url: server.url });
    await perform({ url: `http://127.0.0.1:1/?key=${KEY}` });
    const lines = written.flatMap((spy) => spy.mock.calls);
    vi.restoreAllMocks();
    expect(lines).toEqual([]);
  });
});
