/**
 * What an app answered to a call (protocol/03 §3.2, §3.3): any HTTP reply becomes one of three things.
 * Owns statuses, the headers that steer retries, and the streaming envelope. Guarantees that no reply, however broken, throws:
 * what cannot be understood is an error of the attempt.
 */
import * as z from "zod";
import { parseMoment } from "../duration.ts";
import type { ErrorCode } from "../errors.ts";
import { type Json, parseJson } from "../json.ts";
import { CALL, RUN } from "../limits.ts";
import { type Op, opsSchema, type StepError, toError } from "./opcodes.ts";

/** The reply as read from the network, headers in lower case. */
export interface RawReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** How the exchange was, for traces: HTTP status and bytes of the bodies. What is not known is absent. */
interface ExchangeFacts {
  readonly status?: number;
  readonly sent?: number;
  readonly received?: number;
}

/** What the reply means for the attempt. `version` is the protocol version the SDK speaks, when it said so. */
export type CallReply = { readonly exchange?: ExchangeFacts } & Meaning;

type Meaning =
  | { readonly kind: "output"; readonly output: Json; readonly version: number | null }
  | ({ readonly kind: "ops"; readonly ops: readonly Op[]; readonly version: number | null } & RetryAdvice)
  | ({ readonly kind: "error"; readonly error: StepError; readonly version: number | null } & RetryAdvice);

/** `retryAt` is ms since 1970, already clamped; null leaves the time to the back-off. */
interface RetryAdvice {
  readonly noRetry: boolean;
  readonly retryAt: number | null;
}

/** A failed attempt that no SDK reported: the engine's own error with one of its codes. */
export function failedAttempt(code: ErrorCode, message: string, retryAt: number | null = null): CallReply {
  return { kind: "error", error: { name: code, message, code }, version: null, noRetry: false, retryAt };
}

/** Interprets a reply received at `now` (ms). */
export function parseReply(raw: RawReply, now: number): CallReply {
  const retryAt = retryTime(raw.headers["retry-after"], now);
  if (raw.headers["x-inngest-sdk"] === undefined && raw.headers["x-inngest-sdk-handled"] === undefined) {
    return foreign(raw, retryAt);
  }
  if (raw.status === 201) {
    const inner = envelope(raw.body, now);
    if (inner !== null)
      return parseSdk(inner.reply, inner.retryAt ?? retryTime(inner.reply.headers["retry-after"], now));
  }
  return parseSdk(raw, retryAt);
}

function parseSdk(raw: RawReply, retryAt: number | null): CallReply {
  const version = versionOf(raw.headers["x-inngest-req-version"]);
  const noRetry = raw.headers["x-inngest-no-retry"] === "true";
  const body = bodyOf(raw.body);
  if (raw.status === 401)
    return failedAttempt("signature_rejected", "The app rejected the signature of the call (401).");
  if (raw.status === 206) {
    const ops = opsSchema.safeParse(body);
    if (!ops.success)
      return failedAttempt("bad_reply", `The app's operations are malformed: ${quote(raw.body)}`, retryAt);
    return { kind: "ops", ops: ops.data, version, noRetry, retryAt };
  }
  if (raw.status >= 200 && raw.status < 300) {
    if (body === undefined)
      return failedAttempt("bad_reply", `The app's reply is not JSON: ${quote(raw.body)}`, retryAt);
    return { kind: "output", output: body, version };
  }
  const error = body === undefined || body === null ? { name: "Error", message: transportText(raw) } : toError(body);
  return { kind: "error", error, version, noRetry, retryAt };
}

// Somebody else answered at the app's URL: a proxy, a host's error page, another program (EX-24).
function foreign(raw: RawReply, retryAt: number | null): CallReply {
  if (raw.status >= 200 && raw.status < 300) {
    return failedAttempt("not_sdk", `The reply does not come from an Inngest SDK (${raw.status}): ${quote(raw.body)}`);
  }
  const advice = raw.status === 429 || raw.status === 503 ? retryAt : null;
  return failedAttempt("app_unreachable", transportText(raw), advice);
}

function transportText(raw: RawReply): string {
  const detail = raw.body.trim() === "" ? "" : `: ${quote(raw.body)}`;
  return `invalid status code: ${raw.status}${detail}`;
}

const envelopeSchema = z.looseObject({
  status: z.number().int(),
  headers: z.record(z.string(), z.unknown()).nullish(),
  body: z.unknown().optional(),
  retryAt: z.string().nullish(),
  noRetry: z.boolean().nullish(),
});

/** The envelope at the end of a streamed reply; null when the body is an ordinary output. */
function envelope(body: string, now: number): { reply: RawReply; retryAt: number | null } | null {
  const parsed = envelopeSchema.safeParse(bodyOf(body.trim()));
  if (!parsed.success || !("body" in parsed.data)) return null;
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(parsed.data.headers ?? {}))
    headers[name.toLowerCase()] = headerText(value);
  if (parsed.data.noRetry === true) headers["x-inngest-no-retry"] = "true";
  const inner = parsed.data.body;
  return {
    // Python and JavaScript send the body as text; Go, which sends no headers, as the value itself, which may be a text too.
    reply: {
      status: parsed.data.status,
      headers,
      body: typeof inner === "string" && parsed.data.headers ? inner : JSON.stringify(inner ?? null),
    },
    retryAt: retryTime(parsed.data.retryAt ?? undefined, now),
  };
}

// A value of an object's own making cannot always be made into text.
function headerText(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** `Retry-After`: seconds when short, a date otherwise (protocol/03 §3.2), clamped to the range of EX-23. */
export function retryTime(header: string | undefined, now: number): number | null {
  if (header === undefined || header.trim() === "") return null;
  const text = header.trim();
  const time = text.length <= 7 && /^\d+(?:\.\d+)?$/.test(text) ? now + Number(text) * 1000 : dateOf(text);
  if (time === null) return null;
  return clamped(time, now);
}

function clamped(time: number, now: number): number {
  return Math.min(Math.max(time, now + RUN.retryAfter.min), now + RUN.retryAfter.max);
}

// Left to itself, the platform finds a date in "-5" and in "5 apples".
function dateOf(text: string): number | null {
  const time = HTTP_DATE.test(text) ? Date.parse(text) : parseMoment(text);
  return time === null || Number.isNaN(time) ? null : time;
}

const HTTP_DATE = /^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? .*\d{2}:\d{2}:\d{2}/i;

function versionOf(header: string | undefined): number | null {
  return header !== undefined && /^[0-9]$/.test(header) ? Number(header) : null;
}

/** The parsed body, `undefined` when it is not JSON; an empty body counts as not JSON. */
function bodyOf(text: string): Json | undefined {
  const parsed = parseJson(text);
  return parsed.ok ? parsed.value : undefined;
}

function quote(text: string): string {
  return text.length <= CALL.quotedBytes ? text : `${text.slice(0, CALL.quotedBytes)}…`;
}
