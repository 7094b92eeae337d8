import { describe, expect, it } from "vitest";
import { requestFacts } from "../../../src/calls/request-record.ts";
import { TRACE } from "../../../src/limits.ts";
import type { AiRequest, GatewayRequest } from "../../../src/protocol/gateway-request.ts";

const KEY = "sk-canary-0123456789";

const fetched: GatewayRequest = {
  kind: "gateway",
  url: `https://h.test/p?api_key=${KEY}&q=1`,
  method: "POST",
  headers: { authorization: `Bearer ${KEY}`, "x-note": `uses ${KEY}`, accept: "*/*" },
  body: "bödy",
};

function asked(over: Partial<AiRequest> = {}): AiRequest {
  const body = {
    model: "m-1",
    temperature: 0.5,
    messages: [{ content: `my key is ${KEY}` }],
    extra: { password: "p" },
  };
  return {
    kind: "ai",
    url: "https://api.openai.com/v1/chat",
    format: "openai",
    authKey: KEY,
    headers: {},
    body,
    ...over,
  };
}

describe("OB-7, OB-13: what is kept of a request", () => {
  it("says what was asked and what came, without a credential by name or value", () => {
    const memo = { data: { url: "", headers: {}, body: "four", status_code: 404 } };
    expect(requestFacts(fetched, { ok: true, memo }, 7)).toEqual({
      began: 7,
      sent: 5,
      received: 4,
      status: 404,
      request: {
        via: "gateway",
        method: "POST",
        url: "https://h.test/p?api_key=***&q=1",
        headers: { authorization: "***", "x-note": "uses ***", accept: "*/*" },
      },
    });
  });

  it("says of a request that failed what is known", () => {
    const error = { name: "GatewayError", message: "cut" };
    const facts = requestFacts(fetched, { ok: false, error, retryAt: null, retriable: true }, 7);
    expect(facts).not.toHaveProperty("status");
    expect(facts).not.toHaveProperty("received");
  });
});

describe("OB-12: what is kept of an inference", () => {
  const reply = { model: "m-1-0613", usage: { prompt_tokens: 3, completion_tokens: 1 } };

  it("has model, tokens and prompt", () => {
    const facts = requestFacts(asked(), { ok: true, memo: { data: reply } }, 7);
    expect(facts).toMatchObject({
      status: 200,
      request: {
        via: "ai",
        model: "m-1-0613",
        inputTokens: 3,
        outputTokens: 1,
        prompt: {
          model: "m-1",
          temperature: 0.5,
          messages: [{ content: "my key is ***" }],
          extra: { password: "***" },
        },
      },
    });
    expect(JSON.stringify(facts)).not.toContain(KEY);
  });

  it("leaves out a prompt that is too large to keep", () => {
    const facts = requestFacts(
      asked({ body: { text: "x".repeat(TRACE.inputBytes) } }),
      { ok: true, memo: { data: reply } },
      7,
    );
    expect(facts.request).not.toHaveProperty("prompt");
    expect(facts.sent).toBeGreaterThan(TRACE.inputBytes);
  });
});
