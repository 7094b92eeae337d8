/**
 * The execution call as it leaves the engine (protocol/03 §3.1): URL, headers and body. Owns their shapes.
 * Guarantees that the body sent is the body signed: canonical whenever there is a key to sign with.
 */
import type { Job, RunState } from "../decide/run/state.ts";
import { isPlanningForced, maxAttempts, memoOf } from "../decide/run/state.ts";
import type { Json, JsonObject } from "../json.ts";
import { CALL } from "../limits.ts";
import { canonicalJson } from "./canonical.ts";
import type { SdkRequests } from "./sdk-requests.ts";

/** A call ready to be signed and sent. */
export interface CallRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Any call, with what its signature covers, which need not be the bytes that are sent. */
export interface SignableCall {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly signed: string;
}

/** What a call needs to know besides the run. */
export interface CallContext {
  /** The app's current step URL, without `fnId` and `stepId`. */
  readonly url: string;
  /** Unique per HTTP request; echoed by SDKs. */
  readonly requestId: string;
  readonly serverKind: "dev" | "cloud";
  readonly maxSteps: number;
  /** What the SDK may ask the engine meanwhile. */
  readonly requests: SdkRequests;
  /** Write the body in canonical form, because it will be signed. */
  readonly canonical: boolean;
}

/** Builds the call of a job. State beyond {@link CALL.requestBytes} is left for the SDK to fetch. */
export function buildCall(state: RunState, job: Job, context: CallContext): CallRequest {
  const write = context.canonical ? canonicalJson : (value: Json) => JSON.stringify(value);
  let body = write(bodyOf(state, job, context, false));
  // Lengths are compared in UTF-16 units first: text that short cannot exceed the limit in bytes.
  if (context.requests.canFetchState && body.length * 3 > CALL.requestBytes && byteLength(body) > CALL.requestBytes) {
    body = write(bodyOf(state, job, context, true));
  }
  const url = new URL(context.url);
  url.searchParams.set("fnId", state.identity.function.slug);
  url.searchParams.set("stepId", job.stepId ?? "step");
  return {
    url: url.href,
    headers: {
      "content-type": "application/json",
      "user-agent": "Millrace",
      "x-inngest-server-kind": context.serverKind,
      "x-inngest-req-version": String(state.protocol),
      "x-run-id": state.identity.runId,
      "x-inngest-step-id": job.stepId ?? "step",
      "x-request-id": context.requestId,
      "x-inngest-generation-id": String(job.generation),
      "x-inngest-job-id": jobReference(state, job),
    },
    body,
  };
}

/** The queue item id that SDKs carry around opaquely. */
export function jobReference(state: RunState, job: Job): string {
  return `${state.identity.runId}.${job.id}`;
}

function bodyOf(state: RunState, job: Job, context: CallContext, useApi: boolean): JsonObject {
  const events = state.identity.events.map(({ event }) => event.payload);
  return {
    event: events[0] ?? null,
    events: useApi ? [] : events,
    steps: useApi ? {} : memoOf(state),
    defers: defersOf(state),
    ctx: {
      run_id: state.identity.runId,
      // Its presence is what makes SDKs report steps by checkpoint while they go on (protocol/09 §9.2). A retried call is for one
      // step only: v3 would take the steps after it for retried as often, and give each of them fewer attempts (EX-20).
      ...(job.attempt === 0 && context.requests.canCheckpoint ? { fn_id: state.identity.function.id } : {}),
      env: "",
      step_id: job.stepId ?? "step",
      attempt: job.attempt,
      max_attempts: maxAttempts(state),
      disable_immediate_execution: isPlanningForced(state, job, context.maxSteps),
      use_api: useApi,
      stack: { stack: state.stack, current: state.stack.length },
      qi_id: jobReference(state, job),
      request_id: context.requestId,
      generation_id: job.generation,
      job_id: jobReference(state, job),
    },
    version: state.protocol,
    use_api: useApi,
  };
}

// The SDK repeats a defer until it finds it here.
function defersOf(state: RunState): JsonObject {
  return Object.fromEntries([...state.defers].map(([id, defer]) => [id, { abortable: !defer.aborted }]));
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}
