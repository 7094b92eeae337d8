/**
 * One HTTP exchange, bounded in time, silence, size and redirects (EX-17, EX-18, EX-25, EX-57, SE-13), whoever it is with.
 * Owns the bounds; what a redirect keeps and what an error says are its callers'. Guarantees a value for every outcome:
 * it never throws and never hangs past its deadline, and it judges every hop before it is taken.
 */
import { messageOf } from "../errors.ts";
import type { RawReply } from "../protocol/call-reply.ts";
import { type TargetFault, type TargetPolicy, targetFault } from "./address.ts";

/** What is sent to one URL. */
export interface Hop {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** How far an exchange may go. */
export interface ExchangeBounds {
  /** ms for the whole exchange. */
  readonly timeout: number;
  /** ms between two pieces of the reply's body. */
  readonly silence: number;
  /** Bytes of the reply after decompression. */
  readonly replyBytes: number;
  readonly redirects: number;
}

/** What is sent to `target` when `sent` was answered with a redirect of this status. */
export type RedirectRule = (sent: Hop, status: number, target: URL) => Hop;

/** Why there is no reply. */
export type ExchangeFault =
  | { readonly kind: "timeout" | "silence" | "too_large" | "too_many_redirects" }
  | { readonly kind: "refused"; readonly fault: TargetFault }
  /** `detail` is the platform's text, which may quote what was sent. */
  | { readonly kind: "unreachable"; readonly detail: string };

/** A reply and the URL that gave it, or why there is none. */
export type ExchangeResult =
  | { readonly ok: true; readonly reply: RawReply; readonly url: URL }
  | { readonly ok: false; readonly fault: ExchangeFault };

/** Performs the exchange: `first` and every redirect must satisfy `policy`. */
export async function boundedExchange(
  first: Hop,
  bounds: ExchangeBounds,
  policy: TargetPolicy,
  redirect: RedirectRule,
): Promise<ExchangeResult> {
  const abort = new AbortController();
  const deadline = setTimeout(() => abort.abort(TIMEOUT), bounds.timeout);
  try {
    return await follow(first, bounds, policy, redirect, abort);
  } catch (error) {
    if (abort.signal.reason === TIMEOUT) return failed({ kind: "timeout" });
    if (abort.signal.reason === SILENCE) return failed({ kind: "silence" });
    return failed({ kind: "unreachable", detail: messageOf(error) });
  } finally {
    clearTimeout(deadline);
  }
}

const TIMEOUT = "timeout";
const SILENCE = "silence";
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

async function follow(
  first: Hop,
  bounds: ExchangeBounds,
  policy: TargetPolicy,
  redirect: RedirectRule,
  abort: AbortController,
): Promise<ExchangeResult> {
  let hop = first;
  for (let count = 0; count <= bounds.redirects; count++) {
    const fault = targetFault(hop.url, policy);
    if (fault !== null) return failed({ kind: "refused", fault });
    const { url, method, headers, body } = hop;
    const response = await fetch(url, { method, headers, body, redirect: "manual", signal: abort.signal });
    const location = response.headers.get("location");
    if (!REDIRECTS.has(response.status) || location === null) return await read(url, response, bounds, abort);
    await response.body?.cancel();
    hop = redirect(hop, response.status, new URL(location, url));
  }
  return failed({ kind: "too_many_redirects" });
}

async function read(
  url: URL,
  response: Response,
  bounds: ExchangeBounds,
  abort: AbortController,
): Promise<ExchangeResult> {
  const announced = response.headers.get("content-length");
  // A body of announced length that is not compressed cannot grow: read whole, it costs neither timers nor pieces.
  if (announced !== null && Number(announced) <= bounds.replyBytes && !response.headers.has("content-encoding")) {
    const reply = { status: response.status, headers: headersOf(response), body: await response.text() };
    return { ok: true, reply, url };
  }
  const decoder = new TextDecoder();
  let body = "";
  let bytes = 0;
  const reader = response.body?.getReader();
  while (reader !== undefined) {
    const silence = setTimeout(() => abort.abort(SILENCE), bounds.silence);
    const chunk = await reader.read().finally(() => clearTimeout(silence));
    if (chunk.done) break;
    bytes += chunk.value.byteLength;
    if (bytes > bounds.replyBytes) {
      await reader.cancel();
      return failed({ kind: "too_large" });
    }
    body += decoder.decode(chunk.value, { stream: true });
  }
  return {
    ok: true,
    reply: { status: response.status, headers: headersOf(response), body: body + decoder.decode() },
    url,
  };
}

// Cookies are the one header the platform hands out in several pieces.
function headersOf(response: Response): Record<string, string> {
  const headers: Record<string, string> = {};
  response.headers.forEach((value, mixed) => {
    const name = mixed.toLowerCase();
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before},${value}`;
  });
  return headers;
}

function failed(fault: ExchangeFault): ExchangeResult {
  return { ok: false, fault };
}
