/**
 * What an inference says about itself: model and tokens (OB-12), read from the provider's reply and, for the model, from the request. Pure.
 * Lenient by design: what a provider leaves out is null, so that metadata never fails a step.
 */
import { type Json, type JsonObject, objectOf } from "../json.ts";
import type { AiFormat, AiRequest } from "../protocol/gateway-request.ts";

/** Model and tokens of one inference; null where neither reply nor request tells. */
export interface AiMetadata {
  readonly model: string | null;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
}

/** Reads the metadata of a successful reply; `reply` is the provider's JSON. */
export function aiMetadata(request: AiRequest, reply: Json): AiMetadata {
  const body = objectOf(reply);
  const usage = objectOf(body[request.format === "gemini" ? "usageMetadata" : "usage"]);
  const model = body["model"] ?? body["modelVersion"] ?? objectOf(request.body)["model"];
  return {
    model: typeof model === "string" ? model : modelInPath(request.url),
    inputTokens: sum(usage, INPUT[request.format]),
    outputTokens: sum(usage, OUTPUT[request.format]),
  };
}

// Counters of a format are alternatives or parts of one whole, never the same tokens twice.
const CACHED = ["cache_creation_input_tokens", "cache_read_input_tokens"];
const INPUT: Readonly<Record<AiFormat, readonly string[]>> = {
  openai: ["prompt_tokens", "input_tokens"],
  anthropic: ["input_tokens", ...CACHED],
  gemini: ["promptTokenCount"],
  bedrock: ["inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens", "input_tokens", ...CACHED],
};
const OUTPUT: Readonly<Record<AiFormat, readonly string[]>> = {
  openai: ["completion_tokens", "output_tokens"],
  anthropic: ["output_tokens"],
  gemini: ["candidatesTokenCount", "thoughtsTokenCount"],
  bedrock: ["outputTokens", "output_tokens"],
};

function sum(usage: JsonObject, counters: readonly string[]): number | null {
  const counts = counters.map((name) => usage[name]).filter((count) => typeof count === "number");
  return counts.length === 0 ? null : counts.reduce((total, count) => total + count, 0);
}

/** Gemini has `/models/<model>:generateContent`, Bedrock `/model/<model>/converse`. */
function modelInPath(url: string): string | null {
  const named = /\/models?\/([^/:]+(?::\d+)?)/.exec(URL.parse(url)?.pathname ?? "")?.[1];
  return named === undefined ? null : named.replaceAll("%3A", ":");
}
