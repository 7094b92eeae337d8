/**
 * AI steps in a trace (OB-12): what the engine's own request says, what an SDK noted, and what the arguments and the result of a wrapped call
 * give away. Pure, and lenient: what nobody says is null.
 */
import { aiMetadata } from "../calls/ai-metadata.ts";
import type { CallFacts } from "../decide/run/call-facts.ts";
import { type Json, type JsonObject, objectOf } from "../json.ts";
import type { AiFacts, SpanMetadata } from "./span.ts";

/** The kind of metadata that describes an AI step, as SDKs write it. */
export const AI_KIND = "inngest.ai";

/** Parameters shown, as providers and SDKs spell them. */
const PARAMETERS = new Set([
  "temperature",
  "top_p",
  "topP",
  "top_k",
  "topK",
  "max_tokens",
  "maxTokens",
  "max_completion_tokens",
  "max_output_tokens",
  "maxOutputTokens",
  "frequency_penalty",
  "presence_penalty",
  "seed",
  "stop",
  "reasoning_effort",
  "generationConfig",
]);

/** What is known of a step that is about AI. `noted` is what its SDK reported. */
export interface AiSources {
  readonly call: CallFacts | null;
  readonly input: Json | undefined;
  readonly result: Json;
  /** ms from its beginning to its end; null while it goes on. */
  readonly took: number | null;
  readonly noted: JsonObject;
}

/** The AI facts of a step. */
export function aiFacts(sources: AiSources): AiFacts {
  const { noted } = sources;
  const own = sources.call?.request?.via === "ai" ? inferred(sources.call) : wrapped(sources);
  return {
    provider: textIn(noted, "provider") ?? own.provider,
    model: textIn(noted, "response_model") ?? textIn(noted, "request_model") ?? own.model,
    inputTokens: numberIn(noted, "input_tokens") ?? own.inputTokens,
    outputTokens: numberIn(noted, "output_tokens") ?? own.outputTokens,
    latency: numberIn(noted, "latency_ms") ?? sources.took,
    parameters: own.parameters,
    prompt: own.prompt,
  };
}

/** The facts as metadata, under the names SDKs use. */
function aiValues(facts: AiFacts, noted: JsonObject): JsonObject {
  const { provider, model, inputTokens, outputTokens, latency } = facts;
  const total = inputTokens === null || outputTokens === null ? null : inputTokens + outputTokens;
  const own = {
    provider,
    request_model: model,
    response_model: model,
    input_tokens: inputTokens,
    output_tokens: outputTokens,
    total_tokens: total,
    latency_ms: latency,
    ...facts.parameters,
  };
  const known = Object.entries(own).filter(([, value]) => value !== null);
  return { ...Object.fromEntries(known), ...noted };
}

/** The metadata with what the engine knows beside what the SDK noted. */
export function withAi(
  metadata: readonly SpanMetadata[],
  facts: AiFacts | null,
  updatedAt: number,
): readonly SpanMetadata[] {
  if (facts === null) return metadata;
  const noted = metadata.find(({ kind }) => kind === AI_KIND);
  const values = aiValues(facts, noted?.values ?? {});
  if (noted === undefined) return [...metadata, { scope: "step", kind: AI_KIND, values, updatedAt }];
  return metadata.map((entry) => (entry === noted ? { ...entry, values } : entry));
}

type Own = Omit<AiFacts, "latency">;

function inferred({ request }: CallFacts): Own {
  if (request?.via !== "ai") return NOTHING;
  const { url, model, inputTokens, outputTokens, prompt = null } = request;
  return { provider: providerOf(url), model, inputTokens, outputTokens, parameters: parametersOf(prompt), prompt };
}

const NOTHING: Own = {
  provider: null,
  model: null,
  inputTokens: null,
  outputTokens: null,
  parameters: {},
  prompt: null,
};

/** A call that the app wrapped: its first argument is what it was asked, its result may be a provider's reply or a library's. */
function wrapped({ input = null, result }: AiSources): Own {
  const [first = null] = Array.isArray(input) ? (input as readonly Json[]) : [];
  const asked = objectOf(first);
  const reply = objectOf(result);
  const usage = objectOf(reply["usage"] ?? reply["totalUsage"]);
  // Replies in a provider's own form are read as those of inferences; the format only tells them apart where Gemini names things its own way.
  const format = "usageMetadata" in reply ? "gemini" : "openai";
  const known = aiMetadata({ kind: "ai", url: "", format, authKey: null, headers: {}, body: first }, result);
  const model = objectOf(asked["model"]);
  return {
    provider: textIn(model, "provider"),
    model: known.model ?? textIn(model, "modelId") ?? textIn(model, "model"),
    inputTokens: known.inputTokens ?? numberIn(usage, "inputTokens") ?? numberIn(usage, "promptTokens"),
    outputTokens: known.outputTokens ?? numberIn(usage, "outputTokens") ?? numberIn(usage, "completionTokens"),
    parameters: parametersOf(first),
    prompt: input,
  };
}

function parametersOf(body: Json): JsonObject {
  return Object.fromEntries(Object.entries(objectOf(body)).filter(([name]) => PARAMETERS.has(name)));
}

/** The provider's host, without what all of them have in common: `api.openai.com` is `openai`. */
function providerOf(url: string): string | null {
  const host = URL.parse(url)?.hostname ?? null;
  if (host === null || /^[\d.]+$|^\[|^localhost$/.test(host)) return host;
  const known = /(openai|anthropic|googleapis|x\.ai|deepseek|bedrock|mistral|groq)/.exec(host)?.[1];
  if (known === "googleapis") return "gemini";
  return known === "x.ai" ? "grok" : (known ?? host);
}

function textIn(object: JsonObject, name: string): string | null {
  const value = object[name];
  return typeof value === "string" && value !== "" ? value : null;
}

function numberIn(object: JsonObject, name: string): number | null {
  const value = object[name];
  return typeof value === "number" ? value : null;
}
