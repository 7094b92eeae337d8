/**
 * One HTTP exchange with somebody else's server, bounded in time, size and redirects (EX-17, EX-18, EX-25, SE-13).
 * Owns the bounds; knows nothing of runs. Guarantees a value for every outcome: it never throws and never hangs past the deadline.
 */
import { type ErrorCode, messageOf } from "../errors.ts";
import { CALL } from "../limits.ts";
import type { RawReply } from "../protocol/call-reply.ts";
import { type TargetPolicy, targetFault } from "./address.ts";

/** What to send, and how far to go. Plain data, because it may cross to another entrypoint. */
export interface HttpExchange {
  readonly url: string;
  readonly method: "POST" | "PUT" | "GET";
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** ms for the whole exchange. */
  readonly timeout: number;
  /** Bytes of the reply after decompression. */
  readonly replyBytes: number;
  /** Which hosts may be reached, on every hop. */
  readonly policy: TargetPolicy;
}

/** A reply, or why there is none. */
export type HttpOutcome =
  | { readonly ok: true; readonly reply: RawReply }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string };

/** Performs the exchange. */
export async function exchange(request: HttpExchange): Promise<HttpOutcome> {
  const abort = new AbortController();
  const deadline = setTimeout(() => abort.abort(TIMEOUT), request.timeout);
  try {
    return await follow(request, abort);
  } catch (error) {
    if (abort.signal.reason === TIMEOUT) return failure("call_timeout", timeoutText(request.timeout));
    if (abort.signal.reason === SILENCE) {
      return failure("call_timeout", `The app's reply was silent for ${CALL.silence / 1000} s.`);
    }
    return failure("app_unreachable", `The app at ${originOf(request.url)} cannot be reached: ${messageOf(error)}`);
  } finally {
    clearTimeout(deadline);
  }
}

const TIMEOUT = "timeout";
const SILENCE = "silence";
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

async function follow(request: HttpExchange, abort: AbortController): Promise<HttpOutcome> {
  const first = new URL(request.url);
  let url = first;
  for (let hop = 0; hop <= CALL.redirects; hop++) {
    const fault = targetFault(url, request.policy);
    if (fault !== null) return failure(fault.code, fault.message);
    const response = await fetch(url, {
      method: request.method,
      // A signature proves the engine's identity to one site only.
      headers: sameSite(first, url) ? request.headers : withoutSignature(request.headers),
      body: request.body,
      redirect: "manual",
      signal: abort.signal,
    });
    const location = response.headers.get("location");
    if (!REDIRECTS.has(response.status) || location === null) return await read(response, request.replyBytes, abort);
    await response.body?.cancel();
    url = new URL(location, url);
  }
  return failure("app_unreachable", `More than ${CALL.redirects} redirects, starting at ${originOf(request.url)}.`);
}

async function read(response: Response, limit: number, abort: AbortController): Promise<HttpOutcome> {
  const headers: Record<string, string> = {};
  for (const [name, value] of response.headers) headers[name.toLowerCase()] = value;
  const decoder = new TextDecoder();
  let body = "";
  let bytes = 0;
  const reader = response.body?.getReader();
  while (reader !== undefined) {
    const silence = setTimeout(() => abort.abort(SILENCE), CALL.silence);
    const chunk = await reader.read().finally(() => clearTimeout(silence));
    if (chunk.done) break;
    bytes += chunk.value.byteLength;
    if (bytes > limit) {
      await reader.cancel();
      return failure("reply_too_large", `The reply is larger than ${limit} bytes.`);
    }
    body += decoder.decode(chunk.value, { stream: true });
  }
  return { ok: true, reply: { status: response.status, headers, body: body + decoder.decode() } };
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

function originOf(url: string): string {
  return new URL(url).origin;
}

function failure(code: ErrorCode, message: string): HttpOutcome {
  return { ok: false, code, message };
}
