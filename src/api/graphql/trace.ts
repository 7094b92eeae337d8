/**
 * Traces in GraphQL (protocol/12 §12.5 "Trace tree shape"): `runTrace`, `run.trace` and the outputs behind spans. Owns how spans are spelled there.
 */

import { isUlid } from "../../ids.ts";
import { objectOf } from "../../json.ts";
import { outputOf } from "../../runs/trace.ts";
import type { LoadedOutput } from "../../traces/output.ts";
import { childrenByParent, rootOf, type Span, type SpanDetails, type Trace } from "../../traces/span.ts";
import { opOf } from "../../traces/v2.ts";
import type { GraphqlContext, Noun } from "./context.ts";
import { bytes, statusText, timeText } from "./values.ts";

const sdl = `
  enum RunTraceSpanStatus { FAILED QUEUED RUNNING COMPLETED WAITING CANCELLED SKIPPED }
  enum StepOp { INVOKE RUN SLEEP WAIT_FOR_EVENT AI_GATEWAY WAIT_FOR_SIGNAL }

  type RunTraceSpan {
    appID: UUID! functionID: UUID! runID: ULID! traceID: String! spanID: String! parentSpanID: String
    name: String! status: RunTraceSpanStatus! attempts: Int duration: Int
    isRoot: Boolean! isUserland: Boolean! userlandSpan: UserlandSpan
    outputID: String
    queuedAt: Time! startedAt: Time endedAt: Time
    stepOp: StepOp stepID: String stepType: String! stepInfo: StepInfo
    childrenSpans: [RunTraceSpan!]!
    metadata: [SpanMetadata!]!
    debugRunID: ULID debugSessionID: ULID debugPaused: Boolean!
  }

  type UserlandSpan {
    spanName: String spanKind: String serviceName: String scopeName: String scopeVersion: String
    spanAttrs: Bytes resourceAttrs: Bytes
  }
  type SpanMetadata { scope: String! kind: String! values: Map! updatedAt: Time! }

  union StepInfo = InvokeStepInfo | SleepStepInfo | WaitForEventStepInfo | RunStepInfo | WaitForSignalStepInfo
  type InvokeStepInfo {
    triggeringEventID: ULID! functionID: String! timeout: Time! returnEventID: ULID runID: ULID timedOut: Boolean
  }
  type SleepStepInfo { sleepUntil: Time! }
  type WaitForEventStepInfo {
    eventName: String! expression: String timeout: Time! foundEventID: ULID timedOut: Boolean
  }
  type RunStepInfo { type: String }
  type WaitForSignalStepInfo { signal: String! timeout: Time! timedOut: Boolean }

  type RunTraceSpanOutput { input: Bytes data: Bytes error: StepError }
  type StepError { message: String! name: String stack: String data: Bytes cause: Unknown }

  extend type Query {
    runTrace(runID: String!): RunTraceSpan
    runTraceSpanOutputByID(outputID: String!): RunTraceSpanOutput
  }
`;

/** The noun. */
export const traceNoun: Noun = {
  sdl,
  resolvers: {
    runTrace: ({ runID }: { runID: string }, context) => rootSpan(runID, context),
    runTraceSpanOutputByID: ({ outputID }: { outputID: string }, context) => output(outputID, context),
  },
};

/** The root of a run's trace; null when there is no such run. */
export async function rootSpan(runId: string, context: GraphqlContext) {
  const trace = await context.trace(runId);
  return trace === null ? null : drawn(trace, rootOf(trace), childrenByParent(trace), null);
}

/** Outputs are named by run and span, so that an id is all that is needed. */
function outputId({ runId }: Trace, span: Span): string | null {
  return span.output === null ? null : `${runId}.${span.output.id}`;
}

async function output(id: string, { bindings, environment }: GraphqlContext) {
  const [runId = "", name = ""] = [id.slice(0, 26), id.slice(27)];
  if (!isUlid(runId) || name === "") return null;
  const loaded = await outputOf(bindings, environment.id, runId, name);
  return loaded === null ? null : outputFields(loaded);
}

function outputFields({ ok, value, input }: LoadedOutput) {
  const given = input === null ? null : bytes(input);
  if (ok) return { input: given, data: bytes(value), error: null };
  const { name, message, stack, cause, data } = objectOf(value);
  return {
    input: given,
    data: null,
    error: {
      name: typeof name === "string" ? name : "Error",
      message: typeof message === "string" ? message : bytes(value),
      stack: typeof stack === "string" ? stack : null,
      cause: cause ?? null,
      data: data === undefined ? null : bytes(data),
    },
  };
}

interface Drawn {
  readonly [field: string]: unknown;
}

function drawn(
  trace: Trace,
  span: Span,
  children: ReadonlyMap<string, readonly Span[]>,
  parentSpanID: string | null,
): Drawn {
  const { startedAt, endedAt, details } = span;
  const spanID = `${trace.runId}.${span.id}`;
  return {
    appID: trace.appId,
    functionID: trace.functionId,
    runID: trace.runId,
    traceID: trace.traceId,
    spanID,
    parentSpanID,
    name: span.name,
    status: statusText(span.status),
    attempts: span.attempt,
    duration: startedAt === null || endedAt === null ? null : Math.round(endedAt - startedAt),
    isRoot: span.kind === "root",
    isUserland: span.kind === "userland",
    userlandSpan: details?.of === "userland" ? userlandFields(details) : null,
    outputID: outputId(trace, span),
    queuedAt: timeText(span.queuedAt),
    startedAt: timeText(startedAt),
    endedAt: timeText(endedAt),
    stepOp: opOf(span),
    stepID: span.stepId,
    stepType: typeOf(span),
    stepInfo: infoOf(span),
    metadata: span.metadata.map(({ updatedAt, ...entry }) => ({ ...entry, updatedAt: timeText(updatedAt) })),
    debugRunID: null,
    debugSessionID: null,
    debugPaused: false,
    // Drawn when asked for: a query shows a few levels of what may be thousands of spans.
    childrenSpans: () => (children.get(span.id) ?? []).map((child) => drawn(trace, child, children, spanID)),
  };
}

function typeOf(span: Span): string {
  const { kind, stepType } = span;
  if (kind === "finalization") return "FINALIZATION";
  if (stepType !== null) return stepType;
  if (kind === "fetch") return "step.fetch";
  if (kind === "ai") return "step.ai.infer";
  return opOf(span) ?? "";
}

function infoOf(span: Span) {
  const { stepType, details } = span;
  switch (details?.of) {
    case "sleep":
      return { __typename: "SleepStepInfo", sleepUntil: timeText(details.until) };
    case "wait":
      return {
        __typename: "WaitForEventStepInfo",
        eventName: details.event,
        expression: details.expression,
        timeout: timeText(details.until),
        foundEventID: details.eventId,
        timedOut: details.timedOut,
      };
    case "signal":
      return {
        __typename: "WaitForSignalStepInfo",
        signal: details.signal,
        timeout: timeText(details.until),
        timedOut: details.timedOut,
      };
    case "invoke":
      return {
        __typename: "InvokeStepInfo",
        triggeringEventID: details.eventId,
        functionID: details.functionId,
        timeout: timeText(details.until),
        returnEventID: null,
        runID: details.runId,
        timedOut: details.timedOut,
      };
    default:
      return ["RUN", "AI_GATEWAY"].includes(opOf(span) ?? "") ? { __typename: "RunStepInfo", type: stepType } : null;
  }
}

const SPAN_KINDS = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];

function userlandFields({ span }: Extract<SpanDetails, { of: "userland" }>) {
  return {
    spanName: span.name,
    spanKind: SPAN_KINDS[span.kind] ?? "UNSPECIFIED",
    serviceName: span.resource["service.name"] ?? null,
    scopeName: span.scope.name,
    scopeVersion: span.scope.version,
    spanAttrs: bytes(span.attributes),
    resourceAttrs: bytes(span.resource),
  };
}
