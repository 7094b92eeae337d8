/**
 * The requests an app asks the engine to make (protocol/04 §4.3, §4.4): the options of `Gateway` and `AIGateway`, parsed into a closed union.
 * Owns which requests are well formed; where they may go is judged when they are made. Guarantees that no message quotes a header's value,
 * a key, a URL or a body: messages are stored and shown, these are not.
 */
import * as z from "zod";
import type { Json } from "../json.ts";
import { anyJson } from "./any-json.ts";

/** A request of `step.fetch`. Header names are in lower case; `body` is null where the method carries none. */
export interface GatewayRequest {
  readonly kind: "gateway";
  /** Absolute, without user name and password. */
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** How a provider is spoken to; every format without rules of its own is compatible with OpenAI's. */
export type AiFormat = "openai" | "anthropic" | "gemini" | "bedrock";

/** A request of `step.ai.infer`, always a POST of JSON. `authKey` is a secret, and so may be headers and the URL's query. */
export interface AiRequest {
  readonly kind: "ai";
  readonly url: string;
  readonly format: AiFormat;
  /** Null when the app gave none: `headers` may then authenticate. */
  readonly authKey: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Json;
}

/** A request the engine makes for a step. Plain data; holds credentials, so that it is performed and never stored or logged. */
export type EngineRequest = GatewayRequest | AiRequest;

/** The parsed request, or why there is none: a sentence that names the option and holds no secret. */
export type ParsedGatewayRequest =
  | { readonly ok: true; readonly request: EngineRequest }
  | { readonly ok: false; readonly kind: EngineRequest["kind"]; readonly message: string };

const text = z.string({ error: "must be a string" });

const url = text
  .transform((given, context) => {
    const parsed = URL.parse(given);
    if (parsed !== null) return parsed;
    context.addIssue("is not an absolute URL");
    return z.NEVER;
  })
  .refine((parsed) => parsed.username === "" && parsed.password === "", {
    error: "must not carry a user name or password: use an authorization header",
  })
  .transform((parsed) => parsed.href);

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const FORBIDDEN_METHODS = new Set(["CONNECT", "TRACE", "TRACK"]);

const method = text
  .transform((given) => (given === "" ? "POST" : given.toUpperCase()))
  .refine((given) => TOKEN.test(given) && !FORBIDDEN_METHODS.has(given), { error: "is not a method that can be sent" });

// These describe the connection, which is the engine's own.
const OF_THE_CONNECTION = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

const headers = z
  .record(z.string(), z.union([z.string(), z.number(), z.boolean()], { error: "must be text" }).nullable(), {
    error: "must be an object of names and texts",
  })
  .transform((given, context) => {
    const named: Record<string, string> = {};
    for (const [name, value] of Object.entries(given)) {
      if (value === null || OF_THE_CONNECTION.has(name.toLowerCase())) continue;
      const trimmed = String(value).trim();
      if (!TOKEN.test(name)) context.addIssue("hold a name that HTTP does not allow");
      else if (!isHeaderValue(trimmed)) context.addIssue(`hold a value for "${name}" that HTTP does not allow`);
      else named[name.toLowerCase()] = trimmed;
    }
    return named;
  });

const gatewayOptions = z.looseObject({
  url,
  method: method.nullish(),
  headers: headers.nullish(),
  body: z.string({ error: "must be a string; encode other kinds of bodies first" }).nullish(),
});

const aiOptions = z.looseObject({
  url,
  format: text.nullish(),
  auth_key: text
    .transform((key) => key.trim())
    .refine(isHeaderValue, { error: "holds characters that HTTP does not allow" })
    .nullish(),
  headers: headers.nullish(),
  body: anyJson.nullish(),
});

/** Parses the `opts` of a `Gateway` or `AIGateway` operation (EX-57, EX-59). Never throws. */
export function parseGatewayRequest(via: "gateway" | "ai", opts: Json): ParsedGatewayRequest {
  switch (via) {
    case "gateway":
      return parseFetch(opts);
    case "ai":
      return parseInference(opts);
  }
}

function parseFetch(opts: Json): ParsedGatewayRequest {
  const parsed = gatewayOptions.safeParse(opts);
  if (!parsed.success) return refusal("gateway", "step.fetch", parsed.error);
  const { data } = parsed;
  const chosen = data.method ?? "POST";
  const body = chosen === "GET" || chosen === "HEAD" ? null : (data.body ?? null);
  return {
    ok: true,
    request: { kind: "gateway", url: data.url, method: chosen, headers: data.headers ?? {}, body },
  };
}

function parseInference(opts: Json): ParsedGatewayRequest {
  const parsed = aiOptions.safeParse(opts);
  if (!parsed.success) return refusal("ai", "step.ai.infer", parsed.error);
  const { data } = parsed;
  const authKey = data.auth_key === undefined || data.auth_key === "" ? null : data.auth_key;
  const request: AiRequest = {
    kind: "ai",
    url: data.url,
    format: formatOf(data.format ?? ""),
    authKey,
    headers: data.headers ?? {},
    body: data.body ?? {},
  };
  return { ok: true, request };
}

function formatOf(name: string): AiFormat {
  const known = name.toLowerCase();
  return known === "anthropic" || known === "gemini" || known === "bedrock" ? known : "openai";
}

// Header values are bytes; anything beyond would be refused by the platform with an error that quotes the value.
function isHeaderValue(value: string): boolean {
  return !/[\0\r\n]/.test(value) && !/[^\0-\xff]/.test(value);
}

function refusal(kind: EngineRequest["kind"], tool: string, error: z.ZodError): ParsedGatewayRequest {
  const faults = error.issues.map((issue) => `${String(issue.path[0] ?? "opts")} ${issue.message}`);
  return { ok: false, kind, message: `${tool} cannot be made: ${faults.join("; ")}.` };
}
