/**
 * A run as assistants see it (API-32, protocol/12 §12.7). Pure. Owns the shape: what has not happened yet is absent.
 */
import type { RunRow } from "../../history/message.ts";
import type { Json, JsonObject } from "../../json.ts";
import { childrenByParent, rootOf, type Span, type Trace } from "../../traces/span.ts";
import { isoTime } from "../v1/time.ts";

/** How a run stands, with its output or its error once it has ended. */
export function outcomeJson({ status, output }: Pick<RunRow, "status" | "output">): { status: string } & JsonObject {
  const word = status.toUpperCase();
  if (status === "completed") return { status: word, output };
  return status === "failed" ? { status: word, error: output } : { status: word };
}

/** A run and its steps; `functionName` as people call it. */
export function runJson(row: RunRow, trace: Trace | null, functionName: string): JsonObject {
  return {
    runId: row.runId,
    functionName,
    ...outcomeJson(row),
    ...moment("queuedAt", row.queuedAt),
    ...moment("startedAt", row.startedAt),
    ...moment("endedAt", row.endedAt),
    eventId: row.eventIds[0] ?? null,
    eventName: row.eventName,
    steps: trace === null ? [] : stepsOf(trace),
  };
}

function stepsOf(trace: Trace): JsonObject[] {
  const children = childrenByParent(trace);
  const steps = (children.get(rootOf(trace).id) ?? []).filter(({ stepId }) => stepId !== null);
  return steps.map((step) => ({
    stepName: step.name,
    stepId: step.stepId,
    status: step.status.toUpperCase(),
    ...moment("startedAt", step.startedAt),
    ...moment("endedAt", step.endedAt),
    attempt: step.attempt,
    ...resultJson(step),
    ...attemptsJson(children.get(step.id) ?? []),
  }));
}

/** What a step gave, unless it is too large to be shown with the others (OB-11). */
function resultJson({ output }: Span): Record<string, Json> {
  if (output?.value === undefined) return {};
  return output.ok ? { output: output.value } : { error: output.value };
}

function attemptsJson(spans: readonly Span[]): Record<string, Json> {
  const attempts = spans.filter(({ kind }) => kind === "attempt");
  if (attempts.length === 0) return {};
  return {
    attempts: attempts.map((attempt) => ({
      attempt: attempt.attempt,
      status: attempt.status.toUpperCase(),
      ...moment("startedAt", attempt.startedAt),
      ...resultJson(attempt),
      ...moment("nextAttemptAt", attempt.nextAt),
    })),
  };
}

function moment(name: string, time: number | null): Record<string, string> {
  return time === null ? {} : { [name]: isoTime(time) };
}
