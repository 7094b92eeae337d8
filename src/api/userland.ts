/**
 * `POST /v1/traces/userland` and, in dev mode, `POST /dev/traces` (API-34, OB-14): spans of apps, as OTLP over HTTP in protobuf or JSON. Owns the
 * routes and their statuses: 200 also when some spans were not kept, which the reply says; 400 malformed, 413 too large.
 */
import { type Context, Hono } from "hono";
import * as z from "zod";
import type { Bindings } from "../bindings.ts";
import { settingsIn } from "../environments/settings.ts";
import { MillraceError, messageOf } from "../errors.ts";
import { inParallel } from "../events/parallel.ts";
import { parseJson } from "../json.ts";
import { FANOUT, USERLAND } from "../limits.ts";
import { parseTraceExport } from "../protocol/otlp.ts";
import { decodeTraceRequest, encodeTraceResponse } from "../protocol/otlp-wire.ts";
import { askRun } from "../runs/ask.ts";
import type { Settings } from "../settings.ts";
import type { UserlandSpan } from "../traces/userland.ts";
import type { Api } from "./api.ts";
import { authenticate } from "./authentication.ts";
import { described } from "./openapi/described.ts";

/** To be mounted at `/`. */
export const userland = new Hono<Api>();

const note = {
  id: "sendSpans",
  summary: "Spans of apps, as OTLP in JSON or protobuf.",
  body: z.looseObject({}),
  answers: { 200: z.looseObject({}) },
};

userland.post("/v1/traces/userland", described(note), authenticate, (context) => receive(context));

userland.post("/dev/traces", authenticate, (context) => {
  if (context.get("settings").mode !== "dev") throw new MillraceError("not_found", "No route /dev/traces");
  return receive(context);
});

const PROTOBUF = "application/x-protobuf";

async function receive(context: Context<Api>): Promise<Response> {
  const { raw } = context.req;
  const binary = (raw.headers.get("content-type") ?? "").startsWith(PROTOBUF);
  const body = await readBytes(raw, USERLAND.requestBytes);
  const environmentId = context.get("environment").id;
  const settings = await settingsIn(context.env, environmentId, Date.now());
  const parsed = parseTraceExport(binary ? decoded(body) : textual(body), secretsOf(settings));
  if (!parsed.ok) throw new MillraceError("body_invalid", parsed.message);
  const { byRun, strangers } = parsed.spans;
  const runs = [...byRun].slice(0, USERLAND.runs);
  const beyond = [...byRun].slice(USERLAND.runs).reduce((sum, [, spans]) => sum + spans.length, 0);
  const lost = await inParallel(FANOUT.inline, runs, ([runId, spans]) =>
    keep(context.env, environmentId, runId, spans),
  );
  const rejected = lost.reduce((sum, count) => sum + count, strangers + beyond);
  const message = rejected === 0 ? "" : "Spans that belong to no run of this environment are not kept.";
  if (binary) return context.body(encodeTraceResponse(rejected, message), 200, { "content-type": PROTOBUF });
  return context.json(rejected === 0 ? {} : { partialSuccess: { rejectedSpans: rejected, errorMessage: message } });
}

/** Gives the run its spans; how many were lost because there is no such run. */
async function keep(
  bindings: Bindings,
  environmentId: string,
  runId: string,
  spans: readonly UserlandSpan[],
): Promise<number> {
  const kept = await askRun(bindings, environmentId, runId, (run) => run.keepSpans(spans));
  return kept ? 0 : spans.length;
}

function decoded(body: Uint8Array): unknown {
  try {
    return decodeTraceRequest(body);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new MillraceError("body_invalid", `The traces are not OTLP in protobuf: ${messageOf(error)}.`);
  }
}

function textual(body: Uint8Array): unknown {
  const parsed = parseJson(new TextDecoder().decode(body));
  if (parsed.ok) return parsed.value;
  throw new MillraceError("body_invalid", `The traces are not JSON: ${parsed.reason}.`);
}

/** The keys of the deployment and the environment, which an app's HTTP spans may quote (OB-13). */
function secretsOf({ signingKeys, eventKeys, secrets }: Settings): string[] {
  return [...signingKeys, ...eventKeys, ...secrets];
}

/** The whole body, decompressed, of at most `limit` bytes. Throws `request_too_large` and `body_invalid`. */
async function readBytes(request: Request, limit: number): Promise<Uint8Array> {
  const encoding = request.headers.get("content-encoding")?.trim().toLowerCase() ?? "identity";
  if (encoding !== "identity" && encoding !== "gzip" && encoding !== "deflate") {
    throw new MillraceError("body_invalid", `The encoding "${encoding}" is not understood: gzip, deflate or none.`);
  }
  const body = encoding === "identity" ? request.body : request.body?.pipeThrough(new DecompressionStream(encoding));
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body ?? []) {
      bytes += chunk.byteLength;
      if (bytes > limit) break;
      chunks.push(chunk);
    }
  } catch (error) {
    throw new MillraceError("body_invalid", `The body cannot be read: ${messageOf(error)}.`);
  }
  if (bytes > limit) throw new MillraceError("request_too_large", `Traces may have ${limit} bytes per request.`);
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}
