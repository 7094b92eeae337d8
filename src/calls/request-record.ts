/**
 * What is kept of a request that the engine made for a step (OB-7, OB-12): enough to see what was asked and what it cost. Pure.
 * Guarantees that it holds no credential of the request (SE-14), neither by its name nor by its value.
 */
import type { CallFacts, RequestRecord } from "../decide/run/call-facts.ts";
import type { RequestOutcome } from "../decide/run/resolution.ts";
import { jsonBytes } from "../decide/run/turn.ts";
import { objectOf } from "../json.ts";
import { GATEWAY, TRACE } from "../limits.ts";
import { maskAll, maskHeaders, maskText } from "../masking.ts";
import type { EngineRequest } from "../protocol/gateway-request.ts";
import { aiMetadata } from "./ai-metadata.ts";
import { credentialsOf } from "./credentials.ts";

/** The facts of a request that began at `began` (ms since 1970). */
export function requestFacts(request: EngineRequest, outcome: RequestOutcome, began: number): CallFacts {
  return { began, ...sizesOf(request, outcome), request: recordOf(request, outcome) };
}

function recordOf(request: EngineRequest, outcome: RequestOutcome): RequestRecord {
  const credentials = credentialsOf(request, GATEWAY.secretLength.error);
  const url = maskText(request.url, credentials);
  if (request.kind === "gateway") {
    const headers = Object.entries(maskHeaders(request.headers)).map(([name, value]) => [
      name,
      maskText(value, credentials),
    ]);
    return { via: "gateway", method: request.method, url, headers: Object.fromEntries(headers) };
  }
  const reply = outcome.ok ? (outcome.memo["data"] ?? null) : null;
  const prompt = maskAll(request.body, credentials);
  return {
    via: "ai",
    url,
    format: request.format,
    ...aiMetadata(request, reply),
    ...(jsonBytes(prompt) <= TRACE.inputBytes ? { prompt } : {}),
  };
}

function sizesOf(request: EngineRequest, outcome: RequestOutcome): Pick<CallFacts, "status" | "sent" | "received"> {
  const sent = request.kind === "ai" ? jsonBytes(request.body) : utf8(request.body ?? "");
  const reply = objectOf(outcome.ok ? outcome.memo["data"] : outcome.error);
  const status = request.kind === "ai" && outcome.ok ? 200 : reply["status_code"];
  const body = request.kind === "ai" ? outcome.ok && jsonBytes(outcome.memo["data"] ?? null) : reply["body"];
  return {
    sent,
    ...(typeof status === "number" ? { status } : {}),
    ...(typeof body === "number" ? { received: body } : typeof body === "string" ? { received: utf8(body) } : {}),
  };
}

function utf8(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}
