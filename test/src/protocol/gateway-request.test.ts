import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Json, JsonObject } from "../../../src/json.ts";
import { type EngineRequest, parseGatewayRequest } from "../../../src/protocol/gateway-request.ts";
import { opsSchema } from "../../../src/protocol/opcodes.ts";

const CANARY = "sk-canary-91\u0007\n\u2603";

function parsed(via: "gateway" | "ai", opts: Json): EngineRequest {
  const result = parseGatewayRequest(via, opts);
  return result.ok ? result.request : expect.fail(result.message);
}

function refused(via: "gateway" | "ai", opts: Json): string {
  const result = parseGatewayRequest(via, opts);
  if (result.ok) return expect.fail("was accepted");
  expect(result.kind).toBe(via);
  return result.message;
}

describe("captured operations (protocol/04 §4.3)", () => {
  const fixtures = ["js-v3.54.2-execution", "js-v4.24.0-execution", "js-v4.24.0-execution-checkpointing"];
  const captured = (fixture: string, name: string): EngineRequest => {
    const path = new URL(`../../fixtures/execution/${fixture}.json`, import.meta.url);
    const [op] = opsSchema.parse(JSON.parse(readFileSync(path, "utf8"))[name].body);
    return op?.op === "request" ? parsed(op.via, op.opts) : expect.fail(`${name} is no request`);
  };

  it.each(fixtures)("%s: step.fetch", (fixture) => {
    expect(captured(fixture, "fetch")).toEqual({
      kind: "gateway",
      url: "http://127.0.0.1:1/x",
      method: "POST",
      headers: { "x-a": "b" },
      body: '{"z":1}',
    });
  });

  it.each(fixtures)("%s: step.ai.infer with OpenAI and with Anthropic", (fixture) => {
    expect(captured(fixture, "infer")).toEqual({
      kind: "ai",
      url: "https://api.openai.com/v1/chat/completions",
      format: "openai",
      authKey: "sk-test",
      headers: {},
      body: { messages: [{ role: "user", content: "hi" }], model: "gpt-4o-mini" },
    });
    expect(captured(fixture, "infera")).toMatchObject({
      url: "https://api.anthropic.com/v1/messages",
      format: "anthropic",
      authKey: "ak",
      headers: { "anthropic-version": "2023-06-01" },
    });
  });
});

describe("EX-57: options of step.fetch", () => {
  const url = "https://example.com/a?b=c";

  it("protocol/04 §4.4: the method is POST unless given", () => {
    for (const method of [undefined, null, "", "post"]) {
      const opts: JsonObject = method === undefined ? { url, body: "x" } : { url, method, body: "x" };
      expect(parsed("gateway", opts)).toEqual({ kind: "gateway", url, method: "POST", headers: {}, body: "x" });
    }
  });

  it.each(["GET", "head"])("%s carries no body, whatever was given", (method) => {
    expect(parsed("gateway", { url, method, body: "x" })).toMatchObject({ body: null });
  });

  it("header names become lower case, other values text, and what describes the connection stays behind", () => {
    const headers = {
      "X-A": " b ",
      N: 1,
      T: true,
      gone: null,
      Host: "evil",
      "Content-Length": "9",
      "transfer-encoding": "x",
    };
    expect(parsed("gateway", { url, headers })).toMatchObject({ headers: { "x-a": "b", n: "1", t: "true" } });
    expect(Object.keys(parsed("gateway", { url, headers }).headers)).toEqual(["x-a", "n", "t"]);
  });

  it.each<[string, JsonObject, string]>([
    ["no URL", {}, "url"],
    ["a relative URL", { url: "/x" }, "url is not an absolute URL"],
    ["a URL that is no text", { url: 1 }, "url must be a string"],
    ["a user name in the URL", { url: "https://user:secret-word@example.com" }, "authorization header"],
    ["a body that is no text", { url, body: { a: 1 } }, "body must be a string"],
    ["headers in a list", { url, headers: ["a"] }, "headers must be an object"],
    ["a header that is no text", { url, headers: { a: ["b"] } }, "headers must be text"],
    ["a header name with a space", { url, headers: { "a b": "c" } }, "a name that HTTP does not allow"],
    ["a header split over lines", { url, headers: { "x-a": "b\r\nx-c: d" } }, 'a value for "x-a"'],
    ["CONNECT", { url, method: "CONNECT" }, "method is not a method that can be sent"],
    ["TRACE", { url, method: "trace" }, "method is not a method that can be sent"],
    ["a method with a space", { url, method: "GET /" }, "method is not a method that can be sent"],
  ])("refuses %s with a sentence that names the option", (_, opts, reason) => {
    const message = refused("gateway", opts);
    expect(message).toMatch(/^step\.fetch cannot be made: /);
    expect(message).toContain(reason);
    expect(message).not.toContain("secret-word");
  });
});

describe("EX-59: options of step.ai.infer", () => {
  const url = "https://ai.example.com/v1";

  it.each([
    ["openai-chat", "openai"],
    ["openai-responses", "openai"],
    ["azure-openai", "openai"],
    ["grok", "openai"],
    ["something-new", "openai"],
    [null, "openai"],
    ["anthropic", "anthropic"],
    ["gemini", "gemini"],
    ["bedrock", "bedrock"],
    ["Bedrock", "bedrock"],
  ])("format %s is spoken to as %s", (format, expected) => {
    expect(parsed("ai", { url, format })).toMatchObject({ kind: "ai", format: expected });
  });

  it("a key is trimmed, as keys from files end in a line break; an empty one is none", () => {
    expect(parsed("ai", { url, auth_key: "sk-1\n" })).toMatchObject({ authKey: "sk-1" });
    expect(parsed("ai", { url, auth_key: " " })).toMatchObject({ authKey: null });
    expect(parsed("ai", { url })).toMatchObject({ authKey: null, body: {} });
  });

  it.each(["auto_tool_call", "publish"])("ignores %s", (option) => {
    expect(parsed("ai", { url, [option]: { channel: "c" }, body: { a: 1 } })).toMatchObject({ body: { a: 1 } });
  });

  it("SE-14: no refusal quotes a key, a header or the URL", () => {
    for (const opts of [
      { url, auth_key: CANARY },
      { url, headers: { authorization: `Bearer ${CANARY}` } },
      { url, headers: { [`sk canary-91 ${CANARY}`]: "x" } },
      { url: `not a url ${CANARY}` },
      { url: `https://${encodeURIComponent(CANARY)}:x@h/` },
      { url, auth_key: { nested: CANARY } },
    ]) {
      expect(refused("ai", opts)).not.toContain("canary");
    }
  });
});

describe("SE-15: input of any kind", () => {
  const via = fc.constantFrom("gateway" as const, "ai" as const);

  it("never throws", () => {
    fc.assert(
      fc.property(via, fc.jsonValue(), fc.jsonValue(), (tool, opts, value) => {
        // Safe: these are the values that the type Json describes.
        for (const given of [
          opts,
          { url: value },
          { url: "https://h.example/", headers: value, body: value },
        ] as Json[]) {
          expect(typeof parseGatewayRequest(tool, given).ok).toBe("boolean");
        }
      }),
    );
  });

  it("accepts only headers that can be sent", () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: "binary", maxLength: 3 }),
      fc.stringMatching(/^[A-Za-z-]{1,5}$/),
    );
    fc.assert(
      fc.property(via, fc.dictionary(text, text), (tool, headers) => {
        const result = parseGatewayRequest(tool, { url: "https://h.example/", headers });
        if (!result.ok) return;
        const accepted = result.request.headers;
        const sent = new Headers(Object.entries(accepted));
        for (const [name, value] of Object.entries(accepted)) expect(sent.get(name)).toBe(value);
      }),
      { numRuns: 500 },
    );
  });
});
