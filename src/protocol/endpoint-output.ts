/**
 * The result of an endpoint's run as HTTP (EX-69, protocol/09 §9.4): the endpoint's own status, headers and body. Owns how they are
 * put together, because the JavaScript SDK reports the text of a response as a JSON string with status 200, and status and headers
 * beside it, in the stream it tees (`response-event.ts`). Guarantees that a result shown under the engine's origin can neither set its cookies nor run
 * script in its name (SE-19).
 */
import * as z from "zod";
import type { ResponseHead } from "../decide/run/state.ts";
import { type Json, parseJson } from "../json.ts";

/** How an endpoint's run stands. `head` null: the SDK said nothing about status and headers. */
export type EndpointResult =
  | { readonly state: "unknown" | "running" }
  | {
      readonly state: "ended";
      readonly completed: boolean;
      readonly output: Json;
      readonly head: ResponseHead | null;
      readonly sdk: string;
    };

/** An HTTP response as plain data. */
export interface PlainResponse extends ResponseHead {
  readonly body: string;
}

const reported = z.object({
  status: z.int().min(200).max(599),
  headers: z.record(z.string(), z.string()).catch({}),
  body: z.string(),
});

const JSON_TYPE = { "content-type": "application/json" };

/**
 * The response of a run that has ended; a run that did not complete answers 500 with its error as JSON.
 * `verbatim` leaves what the SDK reported as it is: its own proxy for results expects that.
 */
export function responseOf(
  { completed, output, head, sdk }: Extract<EndpointResult, { readonly state: "ended" }>,
  verbatim: boolean,
): PlainResponse {
  if (!completed) return { status: 500, headers: JSON_TYPE, body: JSON.stringify(output) };
  const { data } = reported.safeParse(output);
  if (data === undefined) return { status: 200, headers: JSON_TYPE, body: JSON.stringify(output) };
  if (verbatim || !sdk.startsWith("inngest-js")) return data;
  const text = textIn(data.body);
  if (head !== null) return { ...head, body: text ?? data.body };
  if (text === null) return data;
  const type = parseJson(text).ok ? "application/json" : "text/plain;charset=UTF-8";
  return { ...data, headers: { ...data.headers, "content-type": type }, body: text };
}

function textIn(body: string): string | null {
  const parsed = parseJson(body);
  return parsed.ok && typeof parsed.value === "string" ? parsed.value : null;
}

/** Headers that speak about one connection, or that would act on the engine's origin instead of the endpoint's. */
const WITHHELD = new Set([
  ...[
    "connection",
    "content-encoding",
    "content-length",
    "date",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
  ],
  ...[
    "alt-svc",
    "clear-site-data",
    "nel",
    "report-to",
    "service-worker-allowed",
    "set-cookie",
    "strict-transport-security",
  ],
]);

/** The response as it leaves the engine. */
export function httpResponse({ status, headers, body }: PlainResponse): Response {
  const sent = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    if (!WITHHELD.has(lower) && !lower.startsWith("access-control-") && isHeader(lower, value)) sent.set(lower, value);
  }
  // Page or script of an endpoint get an origin of their own, without the engine's cookies and storage.
  sent.append("content-security-policy", "sandbox allow-downloads allow-forms allow-popups allow-scripts");
  sent.set("x-content-type-options", "nosniff");
  const empty = status === 204 || status === 205 || status === 304;
  return new Response(empty ? null : body, { status, headers: sent });
}

function isHeader(name: string, value: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
}
