/**
 * `step.ai.infer` (EX-59, protocol/04 §4.4): how each provider's format authenticates, and what its reply means for the step. Pure.
 * Guarantees that the key is in the one request only: neither results nor errors hold it, even where a provider repeats it.
 */
import type { RequestOutcome } from "../decide/run/resolution.ts";
import { type Json, objectOf, parseJson } from "../json.ts";
import { CALL, GATEWAY } from "../limits.ts";
import { type RawReply, retryTime } from "../protocol/call-reply.ts";
import type { AiRequest } from "../protocol/gateway-request.ts";
import { credentialsOf, maskJson, quoteMasked } from "./credentials.ts";
import type { Hop } from "./exchange.ts";

/** The request as it is sent to `url`, which is the request's own. Headers the app gave come last and win. */
export function inferenceHop(request: AiRequest, url: URL): Hop {
  const authorized = new URL(url);
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (request.authKey !== null) authorize(request, request.authKey, headers, authorized);
  return {
    url: authorized,
    method: "POST",
    headers: { ...headers, ...request.headers },
    body: JSON.stringify(unstreamed(request.body)),
  };
}

/** A step has one result: a reply in pieces would be no JSON, so a request for one asks for the whole instead. */
function unstreamed(body: Json): Json {
  if (objectOf(body)["stream"] !== true) return body;
  const { stream: _, stream_options: __, ...whole } = objectOf(body);
  return whole;
}

function authorize({ format }: AiRequest, key: string, headers: Record<string, string>, url: URL): void {
  switch (format) {
    case "anthropic":
      headers["x-api-key"] = key;
      return;
    case "gemini":
      url.searchParams.set("key", key);
      return;
    case "bedrock":
      headers["authorization"] = key;
      return;
    case "openai":
      headers["authorization"] = `Bearer ${key}`;
  }
}

/** A 2xx with JSON is the step's result; anything else is to be tried again, at the time the provider asked for. `now` in ms. */
export function inferenceOutcome(request: AiRequest, reply: RawReply, now: number): RequestOutcome {
  const parsed = parseJson(reply.body);
  const answered = reply.status >= 200 && reply.status < 300;
  if (answered && parsed.ok) {
    const credentials = credentialsOf(request, GATEWAY.secretLength.result);
    return { ok: true, memo: { data: maskJson(parsed.value, credentials) } };
  }
  const credentials = credentialsOf(request, GATEWAY.secretLength.error);
  const said = parsed.ok ? maskJson(parsed.value, credentials) : quoteMasked(reply.body, credentials);
  const text = typeof said === "string" ? said : JSON.stringify(said);
  const quoted = quoteMasked(text, credentials);
  const problem = answered
    ? `The provider's reply (${reply.status}) is not JSON`
    : `The provider answered ${reply.status}`;
  const message = `Error making gateway request: ${problem}${quoted === "" ? "." : `: ${quoted}`}`;
  const data: Json = text.length <= CALL.quotedBytes ? said : quoted;
  return {
    ok: false,
    error: { name: "AIGatewayError", message, data, stack: `AIGatewayError: ${message}`, status_code: reply.status },
    retryAt: retryTime(reply.headers["retry-after"], now),
    retriable: true,
  };
}
