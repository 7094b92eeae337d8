/**
 * One HTTP exchange with an app: a call or a sync (EX-17, EX-18, EX-25).
 * Owns what such an exchange sends on redirects and how its faults read; knows nothing of runs. Guarantees a value for every outcome.
 */
import type { ErrorCode } from "../errors.ts";
import { CALL } from "../limits.ts";
import type { RawReply } from "../protocol/call-reply.ts";
import type { TargetPolicy } from "./address.ts";
import { boundedExchange, type ExchangeBounds, type ExchangeFault, type RedirectRule } from "./exchange.ts";

/** What to send, and how far to go. Plain data, because it may cross to another entrypoint. */
export interface HttpExchange {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** ms for the whole exchange. */
  readonly timeout: number;
  /** ms between two pieces of the reply's body; default `CALL.silence`. */
  readonly silence?: number;
  /** Bytes of the reply after decompression. */
  readonly replyBytes: number;
  /** Which hosts may be reached, on every hop. */
  readonly policy: TargetPolicy;
}

type Bounds = Pick<ExchangeBounds, "timeout" | "silence" | "replyBytes">;

/** A reply, or why there is none. */
export type HttpOutcome =
  | { readonly ok: true; readonly reply: RawReply }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string };

/** Performs the exchange. */
export async function exchange(request: HttpExchange): Promise<HttpOutcome> {
  const url = URL.parse(request.url);
  if (url === null) return failure("app_unreachable", "The app's URL is not one that can be called.");
  const { method, headers, body, timeout, replyBytes, silence = CALL.silence.default } = request;
  const bounds = { timeout, replyBytes, silence, redirects: CALL.redirects };
  const result = await boundedExchange({ url, method, headers, body }, bounds, request.policy, keepAll(url, headers));
  return result.ok ? { ok: true, reply: result.reply } : explain(result.fault, url, bounds);
}

/** Method and body are kept; a signature proves the engine's identity to one site only. */
function keepAll(first: URL, headers: Readonly<Record<string, string>>): RedirectRule {
  return ({ method, body }, _, url) => {
    return { url, method, body, headers: sameSite(first, url) ? headers : withoutSignature(headers) };
  };
}

function explain(fault: ExchangeFault, url: URL, { timeout, silence, replyBytes }: Bounds): HttpOutcome {
  switch (fault.kind) {
    case "timeout":
      return failure("call_timeout", timeoutText(timeout));
    case "silence":
      return failure("call_timeout", `The app's reply was silent for ${silence / 1000} s.`);
    case "too_large":
      return failure("reply_too_large", `The reply is larger than ${replyBytes} bytes.`);
    case "too_many_redirects":
      return failure("app_unreachable", `More than ${CALL.redirects} redirects, starting at ${url.origin}.`);
    case "refused":
      return failure(fault.fault.code, fault.fault.message);
    case "unreachable":
      return failure("app_unreachable", `The app at ${url.origin} cannot be reached: ${fault.detail}`);
  }
}

function sameSite(a: URL, b: URL): boolean {
  return a.hostname === b.hostname && (a.protocol === b.protocol || b.protocol === "https:");
}

function withoutSignature(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.toLowerCase() !== "x-inngest-signature"));
}

function timeoutText(ms: number): string {
  return `The app did not answer within ${ms / 1000} s. Steps that take longer need a connect worker.`;
}

function failure(code: ErrorCode, message: string): HttpOutcome {
  return { ok: false, code, message };
}
