import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aiMetadata } from "../../../src/calls/ai-metadata.ts";
import type { Json } from "../../../src/json.ts";
import type { AiFormat, AiRequest } from "../../../src/protocol/gateway-request.ts";

function request(format: AiFormat, url: string, body: Json = {}): AiRequest {
  return { kind: "ai", url, format, authKey: "key", headers: {}, body };
}

describe("OB-12: model and tokens", () => {
  const openai = "https://api.openai.com/v1/chat/completions";
  const gemini = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.0-flash:generateContent?key=k";
  const bedrock = "https://bedrock-runtime.eu-west-1.amazonaws.com/model/anthropic.claude-v1%3A0/converse";
  it.each<[string, AiRequest, Json, string | null, number | null, number | null]>([
    [
      "OpenAI chat",
      request("openai", openai),
      { model: "gpt-4o-mini", usage: { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 } },
      "gpt-4o-mini",
      9,
      3,
    ],
    [
      "OpenAI responses",
      request("openai", openai),
      { model: "o4", usage: { input_tokens: 5, output_tokens: 6 } },
      "o4",
      5,
      6,
    ],
    [
      "Anthropic with cached input",
      request("anthropic", "https://api.anthropic.com/v1/messages"),
      {
        model: "claude",
        usage: { input_tokens: 1, cache_creation_input_tokens: 10, cache_read_input_tokens: 100, output_tokens: 4 },
      },
      "claude",
      111,
      4,
    ],
    [
      "Gemini with thoughts",
      request("gemini", gemini),
      {
        modelVersion: "gemini-2.0-flash-001",
        usageMetadata: { promptTokenCount: 7, candidatesTokenCount: 2, thoughtsTokenCount: 30 },
      },
      "gemini-2.0-flash-001",
      7,
      32,
    ],
    ["Gemini's model in the path", request("gemini", gemini), {}, "gemini-2.0-flash", null, null],
    [
      "Bedrock converse",
      request("bedrock", bedrock),
      { usage: { inputTokens: 8, outputTokens: 2 } },
      "anthropic.claude-v1:0",
      8,
      2,
    ],
    [
      "Anthropic on Bedrock",
      request("bedrock", bedrock),
      { usage: { input_tokens: 8, output_tokens: 2 } },
      "anthropic.claude-v1:0",
      8,
      2,
    ],
    ["the request's model", request("openai", openai, { model: "asked" }), { usage: null }, "asked", null, null],
    ["zero tokens", request("openai", openai), { model: "m", usage: { prompt_tokens: 0 } }, "m", 0, null],
  ])("%s", (_, asked, reply, model, inputTokens, outputTokens) => {
    expect(aiMetadata(asked, reply)).toEqual({ model, inputTokens, outputTokens });
  });

  it("no reply, however odd, throws or gives anything but text and numbers", () => {
    const formats = fc.constantFrom<AiFormat>("openai", "anthropic", "gemini", "bedrock");
    fc.assert(
      fc.property(formats, fc.jsonValue(), fc.jsonValue(), (format, reply, usage) => {
        // Safe: these are the values that the type Json describes.
        for (const given of [reply, { usage, usageMetadata: usage, model: usage }] as Json[]) {
          const { model, inputTokens, outputTokens } = aiMetadata(request(format, "no url"), given);
          expect(model === null || typeof model === "string").toBe(true);
          for (const count of [inputTokens, outputTokens])
            expect(count === null || typeof count === "number").toBe(true);
        }
      }),
    );
  });
});
