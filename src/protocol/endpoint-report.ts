/**
 * What an app's own HTTP handler reports about its run (protocol/09 §9.4): the first checkpoint, which describes the request, and the
 * ones after it. Owns the bodies' shapes and how a request is read back out of one; what the operations do is the run's to decide.
 */
import * as z from "zod";
import type { Thrown } from "../decide/run/endpoint.ts";
import type { Json, JsonObject } from "../json.ts";
import { ENDPOINT, REGISTRATION, RUN } from "../limits.ts";
import { anyJson } from "./any-json.ts";
import { retryTime } from "./call-reply.ts";
import { type Op, opsSchema } from "./opcodes.ts";

/** The operations of one report. */
interface Steps {
  readonly ops: readonly Op[];
  readonly thrown: Thrown | null;
}

/** The first report: the request that began the run, and what was finished since. */
export interface NewRun extends Steps {
  /** Made by the SDK; not yet checked. */
  readonly runId: string;
  readonly request: EndpointRequest;
  readonly version: number;
  readonly retries: number;
}

/** A request to an endpoint, as the SDK describes it. */
export interface EndpointRequest {
  readonly method: string;
  /** `https://shop.test:8443` and the like. */
  readonly origin: string;
  readonly path: string;
  /** Absolute, with the query. */
  readonly url: string;
  readonly contentType: string;
  /** The endpoint's own id, when its author gave it one. */
  readonly functionId: string | null;
  /** The whole description: the data of the run's trigger event. */
  readonly data: JsonObject;
}

/** A later report. */
export interface RunSteps extends Steps {
  readonly functionId: string;
}

/** A parsed body, or what is wrong with it. */
export type Parsed<T> = ({ readonly ok: true } & T) | { readonly ok: false; readonly message: string };

/** The id under which SDKs report the end of the whole function, and what it threw between steps: the SHA-1 of "complete". */
const WHOLE_FUNCTION = "0737c22d3bfae812339732d14d8c7dbd6dc4e09c";

const steps = opsSchema.refine((ops) => ops.length <= RUN.checkpointSteps, `more than ${RUN.checkpointSteps} steps`);

const newRun = z.looseObject({
  run_id: z.string(),
  event: z.looseObject({
    name: z.literal("inngest/http.request"),
    data: z.record(z.string(), anyJson),
  }),
  steps: steps.nullish(),
  request_version: z.int().min(0).nullish(),
  retries: z.int().min(0).nullish(),
});

const text = z.string().nullish();

const described = z.looseObject({
  // Methods that fetch can repeat; CONNECT, TRACE and TRACK are none.
  method: z
    .string()
    .toUpperCase()
    .regex(/^(?!(?:CONNECT|TRACE|TRACK)$)[A-Z]{1,32}$/),
  domain: z.string(),
  path: z.string().startsWith("/"),
  query_params: text,
  content_type: z.string().max(ENDPOINT.textLength).nullish(),
  fn: z.string().max(ENDPOINT.textLength).nullish(),
});

/** Parses the body of `POST /v1/checkpoint`; `now` in ms. */
export function parseNewRun(value: Json, now: number): Parsed<NewRun> {
  const body = newRun.safeParse(value);
  if (!body.success) return malformed("checkpoint", body.error);
  const request = described.safeParse(body.data.event.data);
  if (!request.success) return malformed("checkpoint's event.data", request.error);
  const { method, domain, path, query_params, content_type, fn } = request.data;
  const origin = originOf(domain);
  const url = origin === null ? null : URL.parse(`${origin}${path}${query_params ? `?${query_params}` : ""}`);
  if (origin === null || url === null || url.href.length > ENDPOINT.urlLength) {
    return {
      ok: false,
      message: `The endpoint's domain and path must be a URL of at most ${ENDPOINT.urlLength} characters.`,
    };
  }
  const reported = reportedSteps(body.data.steps ?? [], now);
  if (!reported.ok) return reported;
  return {
    ...reported,
    runId: body.data.run_id,
    request: {
      method,
      origin,
      path,
      url: url.href,
      contentType: content_type ?? "",
      functionId: fn || null,
      data: body.data.event.data,
    },
    version: body.data.request_version ?? 2,
    retries: Math.min(body.data.retries ?? RUN.retries, REGISTRATION.retries),
  };
}

const laterSteps = z.looseObject({ run_id: z.string().nullish(), fn_id: z.string(), steps });

/** Parses the body of `POST /v1/checkpoint/<runId>/steps`; `now` in ms. */
export function parseSteps(runId: string, value: Json, now: number): Parsed<RunSteps> {
  const body = laterSteps.safeParse(value);
  if (!body.success) return malformed("checkpoint", body.error);
  const { run_id, fn_id, steps: ops } = body.data;
  if ((run_id ?? runId) !== runId) return { ok: false, message: "The checkpoint names another run than its URL." };
  const reported = reportedSteps(ops, now);
  return reported.ok ? { ...reported, functionId: fn_id } : reported;
}

/** SDKs send an origin; a bare host is understood too. */
function originOf(domain: string): string | null {
  const url = URL.parse(domain.includes("://") ? domain : `https://${domain}`);
  const http = url?.protocol === "https:" || url?.protocol === "http:";
  return url === null || !http || url.username !== "" || url.password !== "" ? null : url.origin;
}

function reportedSteps(ops: readonly Op[], now: number): Parsed<Steps> {
  const unknown = ops.find((op) => op.op === "unknown");
  if (unknown !== undefined) {
    return { ok: false, message: `A checkpoint cannot carry the operation "${unknown.name}".` };
  }
  const thrown = ops.find((op) => (op.op === "error" || op.op === "failed") && op.id === WHOLE_FUNCTION);
  if (thrown?.op !== "error" && thrown?.op !== "failed") return { ok: true, ops, thrown: null };
  const retryAfter = thrown.error["retryAfter"];
  return {
    ok: true,
    ops: ops.filter((op) => op !== thrown),
    thrown: {
      // SDKs serialise a thrown Error without its message here; the engine hears it when it enters the function again.
      error: {
        ...thrown.error,
        message: thrown.error.message.replace(/^""$/, "The endpoint's handler threw an error."),
      },
      noRetry: thrown.op === "failed",
      retryAt: typeof retryAfter === "string" ? retryTime(retryAfter, now) : null,
    },
  };
}

function malformed(what: string, error: z.ZodError): { readonly ok: false; readonly message: string } {
  const [issue] = error.issues;
  return { ok: false, message: `Malformed ${what} at ${issue?.path.join(".") || "the body"}: ${issue?.message}` };
}
