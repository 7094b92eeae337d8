/**
 * A call of an endpoint (protocol/09 §9.4): its user's request, made again by the engine, with headers that tell the SDK which run it
 * is. Owns their shape. There is no envelope: the SDK fetches the run's event and memo by itself.
 */
import type { EndpointOrigin } from "../decide/run/identity.ts";
import { isPlanningForced, type Job, type RunState } from "../decide/run/state.ts";
import { parseJson } from "../json.ts";
import { type CallContext, jobReference, type SignableCall } from "./call-request.ts";
import { canonicalJson } from "./canonical.ts";

/** Builds the call of a job, ready to be signed and sent. */
export function buildEndpointCall(
  state: RunState,
  job: Job,
  endpoint: EndpointOrigin,
  context: Pick<CallContext, "requestId" | "serverKind" | "maxSteps">,
): SignableCall {
  const { method, url, contentType } = endpoint;
  const text = bodyOf(state, endpoint);
  return {
    url,
    method,
    headers: {
      ...(contentType === "" ? {} : { "content-type": contentType }),
      "user-agent": "Millrace",
      // Its presence, even empty, is what tells an entry by the engine from a new request.
      "x-inngest-signature": "",
      "x-inngest-server-kind": context.serverKind,
      "x-inngest-req-version": String(state.protocol),
      "x-run-id": state.identity.runId,
      "x-request-id": context.requestId,
      "x-inngest-generation-id": String(job.generation),
      "x-inngest-job-id": jobReference(state, job),
      ...(job.stepId === null ? {} : { "x-inngest-step-id": job.stepId }),
      ...(isPlanningForced(state, job, context.maxSteps) ? { "x-inngest-force-step-plan": "true" } : {}),
    },
    body: method === "GET" || method === "HEAD" ? null : text,
    signed: method === "POST" || method === "PUT" ? canonicalText(text) : "",
  };
}

/** Go describes a body in base64, because it may be any bytes. */
function bodyOf(state: RunState, { sdk }: EndpointOrigin): string {
  const body = state.identity.events[0]?.event.payload.data["body"];
  if (typeof body !== "string") return "";
  if (!/^(?:inngest-)?go\b/.test(sdk) || !/^[A-Za-z0-9+/]*={0,2}$/.test(body)) return body;
  return new TextDecoder().decode(Uint8Array.from(atob(body), (character) => character.charCodeAt(0)));
}

/** SDKs verify the canonical form of what they parsed, whatever the bytes looked like (protocol/05 §5.2). */
function canonicalText(text: string): string {
  const parsed = parseJson(text);
  return parsed.ok ? canonicalJson(parsed.value) : text;
}
