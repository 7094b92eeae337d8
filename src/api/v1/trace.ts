/**
 * A trace as REST v1 shows it (API-9, OB-7). Pure. Owns the JSON shape: a tree whose spans have the same fields, and `details` by their kind.
 */
import type { Json, JsonObject } from "../../json.ts";
import { childrenByParent, rootOf, type Span, type SpanDetails, type Trace } from "../../traces/span.ts";
import { isoTime, isoTimeOrNull } from "./time.ts";

/** The whole trace. */
export function traceJson(trace: Trace): JsonObject {
  const children = childrenByParent(trace);
  const { tokens } = trace;
  return {
    run_id: trace.runId,
    trace_id: trace.traceId,
    parent: trace.parent === null ? null : { run_id: trace.parent.runId, step_id: trace.parent.stepId },
    original_run_id: trace.originalRunId,
    end_events: trace.endEvents.map(({ name, id }) => ({ name, id })),
    tokens: { input: tokens.input, output: tokens.output },
    dropped_spans: trace.droppedSpans,
    root: spanJson(rootOf(trace), children),
  };
}

function spanJson(span: Span, children: ReadonlyMap<string, readonly Span[]>): JsonObject {
  const { startedAt, endedAt } = span;
  return {
    id: span.id,
    name: span.name,
    kind: span.kind,
    status: span.status,
    step_id: span.stepId,
    step_type: span.stepType,
    attempt: span.attempt,
    queued_at: isoTime(span.queuedAt),
    started_at: isoTimeOrNull(startedAt),
    ended_at: isoTimeOrNull(endedAt),
    duration_ms: startedAt === null || endedAt === null ? null : endedAt - startedAt,
    queued_ms: startedAt === null ? null : startedAt - span.queuedAt,
    limited_ms: span.limited,
    next_attempt_at: isoTimeOrNull(span.nextAt),
    request: span.call === null ? null : callJson(span.call),
    ...(span.input === undefined ? {} : { input: span.input }),
    ...outputJson(span),
    details: span.details === null ? null : detailsJson(span.details),
    metadata: span.metadata.map(({ scope, kind, values, updatedAt }) => ({
      scope,
      kind,
      values,
      updated_at: isoTime(updatedAt),
    })),
    warnings: span.warnings,
    children: (children.get(span.id) ?? []).map((child) => spanJson(child, children)),
  };
}

/** An output comes along while it is small; the others are loaded by their id (OB-11). */
function outputJson({ output }: Span): JsonObject {
  if (output === null) return { output_id: null, output_bytes: null };
  const known = { output_id: output.id, output_bytes: output.bytes };
  return output.value === undefined ? known : { ...known, [output.ok ? "output" : "error"]: output.value };
}

function callJson({ status, sent, received, request }: NonNullable<Span["call"]>): JsonObject {
  const sizes = { http_status: status ?? null, request_bytes: sent ?? null, response_bytes: received ?? null };
  if (request === undefined) return sizes;
  const { via: _, ...asked } = request;
  return request.via === "gateway" ? { ...sizes, ...asked } : { ...sizes, url: request.url, format: request.format };
}

function detailsJson(details: SpanDetails): JsonObject {
  switch (details.of) {
    case "sleep":
      return { until: isoTime(details.until) };
    case "wait": {
      const { event, expression, timedOut, eventId } = details;
      return { event, expression, until: isoTimeOrNull(details.until), timed_out: timedOut, event_id: eventId };
    }
    case "signal":
      return { signal: details.signal, until: isoTimeOrNull(details.until), timed_out: details.timedOut };
    case "invoke": {
      const { functionId, timedOut, runId, eventId } = details;
      const until = isoTime(details.until);
      return { function_id: functionId, until, timed_out: timedOut, run_id: runId, event_id: eventId };
    }
    case "send_event":
      return { event_ids: details.eventIds };
    case "ai": {
      const { provider, model, inputTokens, outputTokens, latency, parameters, prompt } = details.ai;
      const tokens = { input_tokens: inputTokens, output_tokens: outputTokens };
      return { provider, model, ...tokens, latency_ms: latency, parameters, prompt };
    }
    case "userland": {
      const { span } = details;
      return {
        span_id: span.id,
        span_kind: span.kind,
        service: (span.resource["service.name"] ?? null) as Json,
        scope: span.scope,
        attributes: span.attributes,
        resource: span.resource,
        message: span.message,
        events: span.events.map(({ name, at, attributes }) => ({ name, at: isoTime(at), attributes })),
      };
    }
  }
}
