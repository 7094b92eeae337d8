/**
 * A trace as REST v2 and the tools made of it show it (protocol/11 §11.3). Pure. Owns the shape: names in camel case, absent fields left out.
 */
import type { JsonObject } from "../json.ts";
import { childrenByParent, rootOf, type Span, type SpanKind, type Trace } from "./span.ts";

/** `{ runId, rootSpan }`. */
export function traceV2(trace: Trace): JsonObject {
  return { runId: trace.runId, rootSpan: spanV2(rootOf(trace), childrenByParent(trace)) };
}

function spanV2(span: Span, children: ReadonlyMap<string, readonly Span[]>): JsonObject {
  const { startedAt, endedAt, output } = span;
  const op = opOf(span);
  return {
    id: span.id,
    name: span.name,
    status: span.status.toUpperCase(),
    ...(op === null ? {} : { stepOp: op }),
    ...(span.stepId === null ? {} : { stepId: span.stepId }),
    ...(startedAt === null || endedAt === null ? {} : { durationMs: Math.round(endedAt - startedAt) }),
    queuedAt: isoTime(span.queuedAt),
    ...(startedAt === null ? {} : { startedAt: isoTime(startedAt) }),
    ...(endedAt === null ? {} : { endedAt: isoTime(endedAt) }),
    ...(span.input === undefined ? {} : { input: span.input }),
    ...(output?.value === undefined ? {} : { output: output.value }),
    metadata: span.metadata.map(({ scope, kind, values, updatedAt }) => ({
      scope,
      kind,
      values,
      updatedAt: isoTime(updatedAt),
    })),
    children: (children.get(span.id) ?? []).map((child) => spanV2(child, children)),
  };
}

/** The operation of a step, as GraphQL and v2 name it; null for spans that are no steps. */
export function opOf({ kind, stepType }: Span): string | null {
  // The engine asks a provider itself; what the app wraps is a step like any other.
  return kind === "ai" && stepType !== "step.ai.wrap" ? "AI_GATEWAY" : OPS[kind];
}

const OPS: Readonly<Record<SpanKind, string | null>> = {
  root: null,
  run: "RUN",
  sleep: "SLEEP",
  wait: "WAIT_FOR_EVENT",
  signal: "WAIT_FOR_SIGNAL",
  invoke: "INVOKE",
  send_event: "RUN",
  send_signal: "RUN",
  fetch: "RUN",
  ai: "RUN",
  realtime_publish: "RUN",
  function: null,
  finalization: null,
  attempt: null,
  userland: null,
};

function isoTime(time: number): string {
  return new Date(time).toISOString();
}
