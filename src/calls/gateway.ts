/**
 * Requests the engine makes for steps: `step.fetch` here, `step.ai.infer` with ai.ts (EX-57, EX-59, protocol/04 §4.4).
 * Owns what a reply or its absence means for the step; the run owns retries. Guarantees an outcome for every request, that nothing
 * of the engine's own is sent along, and that no error holds a credential of the request.
 */
import type { RequestOutcome } from "../decide/run/resolution.ts";
import type { ErrorCode } from "../errors.ts";
import { GATEWAY } from "../limits.ts";
import { maskText } from "../masking.ts";
import type { RawReply } from "../protocol/call-reply.ts";
import type { EngineRequest } from "../protocol/gateway-request.ts";
import type { TargetPolicy } from "./address.ts";
import { inferenceHop, inferenceOutcome } from "./ai.ts";
import { credentialsOf, quoteMasked } from "./credentials.ts";
import { boundedExchange, type ExchangeFault } from "./exchange.ts";
import { browserRedirect } from "./redirect.ts";

/** Bounds of one request: ms for the whole of it, and bytes of the reply after decompression. */
interface GatewayLimits {
  readonly timeout: number;
  readonly replyBytes: number;
}

/** What a request may reach, when it begins (ms since 1970), and how long and large it may become: `GATEWAY` unless given. Plain data. */
export interface RequestContext {
  readonly policy: TargetPolicy;
  readonly now: number;
  readonly limits?: GatewayLimits;
}

/**
 * Makes the request of a step. The memo has the shape of protocol/03 §3.1; errors are a `GatewayError` or an `AIGatewayError` with the
 * code, also inside the message, because SDKs show apps only that. Private addresses (SE-13) and too large replies are final. Never throws.
 */
export async function performRequest(request: EngineRequest, context: RequestContext): Promise<RequestOutcome> {
  const url = URL.parse(request.url);
  if (url === null) return refusedRequest(request.kind, "url is not an absolute URL.");
  const limits = context.limits ?? GATEWAY;
  const bounds = { ...limits, silence: limits.timeout, redirects: GATEWAY.redirects };
  const credentials = credentialsOf(request, GATEWAY.secretLength.error);
  const hop = request.kind === "ai" ? inferenceHop(request, url) : { ...request, url };
  const began = Date.now();
  const result = await boundedExchange(hop, bounds, context.policy, browserRedirect(credentials));
  if (!result.ok) {
    const { code, text, retriable } = explain(result.fault, url.host, limits);
    return failure(request.kind, code, quoteMasked(text, credentials), retriable);
  }
  if (request.kind === "ai") return inferenceOutcome(request, result.reply, context.now + Date.now() - began);
  return { ok: true, memo: { data: fetchResult(result.reply, result.url) } };
}

/** The outcome of a request that is not made because it is not well formed: final. */
export function refusedRequest(via: EngineRequest["kind"], message: string): RequestOutcome {
  return failure(via, "invalid_request", message, false);
}

// A `Response` with one of these statuses must have no body, and the SDK makes one of what it gets.
const WITHOUT_BODY = new Set([204, 205, 304]);

function fetchResult({ status, headers, body }: RawReply, url: URL) {
  const { "content-encoding": encoding, "content-length": length, ...others } = headers;
  // The text has been decompressed: what described the bytes would be wrong about it. The URL is kept with the result, its credentials are not.
  const kept = encoding === undefined ? headers : others;
  return {
    url: maskText(url.href, []),
    headers: kept,
    body: WITHOUT_BODY.has(status) ? null : body,
    status_code: status,
  };
}

interface Explanation {
  readonly code: ErrorCode;
  readonly text: string;
  readonly retriable: boolean;
}

function explain(fault: ExchangeFault, host: string, limits: GatewayLimits): Explanation {
  switch (fault.kind) {
    case "timeout":
    case "silence":
      return { code: "timeout", text: `${host} did not answer within ${limits.timeout / 1000} s.`, retriable: true };
    case "too_large": {
      const text = `The reply of ${host} is larger than ${limits.replyBytes} bytes.`;
      return { code: "reply_too_large", text, retriable: false };
    }
    case "too_many_redirects": {
      const text = `More than ${GATEWAY.redirects} redirects, starting at ${host}.`;
      return { code: "unreachable", text, retriable: true };
    }
    case "refused":
      return { code: fault.fault.code, text: fault.fault.message, retriable: false };
    case "unreachable":
      return { code: "unreachable", text: `${host} cannot be reached: ${fault.detail}`, retriable: true };
  }
}

function failure(via: EngineRequest["kind"], code: ErrorCode, text: string, retriable: boolean): RequestOutcome {
  const name = via === "gateway" ? "GatewayError" : "AIGatewayError";
  const message = `Error making gateway request: ${code}: ${text}`;
  return { ok: false, error: { name, message, code }, retryAt: null, retriable };
}
