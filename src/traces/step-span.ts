/**
 * The spans of one step: its own, and one for each attempt when there were several (OB-7, OB-8). Pure.
 */
import { objectOf } from "../json.ts";
import { AI_KIND, aiFacts, withAi } from "./ai.ts";
import type { AttemptRecord, FinishedRecord, JobRecord, Kept, RunRecord, StepRecord } from "./records.ts";
import type { Span, SpanDetails, SpanKind, SpanMetadata, SpanOutput, SpanStatus, SpanWarning } from "./span.ts";

/** What the run's object knows besides its log: calls in flight, by job, since when (ms since 1970). */
export type InFlight = ReadonlyMap<number, number>;

/** Whether an output still travels with the trace; counts what does. */
export type Inline = (bytes: number) => boolean;

/** The root's id, which every other span leads to. */
export const ROOT = "run";

/** What drawing a step needs besides the step. */
export interface StepContext {
  readonly run: RunRecord;
  readonly inFlight: InFlight;
  readonly metadata: readonly SpanMetadata[];
  readonly inline: Inline;
}

/** The spans of a step, its own first; none for a step that never ran. */
export function stepSpans(step: StepRecord, context: StepContext): Span[] {
  const { run, inFlight, metadata, inline } = context;
  const job = run.ownJobs.get(step.id) ?? null;
  const live = run.outcome === null;
  const { finished, attempts } = step;
  // A step that was planned and never called has not run, once the run is over.
  const pending = finished === null && (step.announced?.is === "planned" || step.announced?.is === "requesting");
  if (!live && pending && attempts.length === 0 && step.calledAt === null) return [];
  const since = job === null || finished !== null ? null : (inFlight.get(job.id) ?? null);
  const first = attempts[0];
  const startedAt = beganAt(step) ?? since;
  const endedAt = finished?.at ?? run.outcome?.at ?? null;
  const kind = kindOf(step);
  const took = startedAt === null || finished === null ? null : finished.at - startedAt;
  const call = attempts.at(-1)?.call ?? null;
  const details = detailsOf(step, kind, { took, call, metadata });
  const own: Span = {
    id: step.id,
    parentId: ROOT,
    name: step.label.name,
    kind,
    status: statusOf(step, run, since),
    stepId: step.id,
    stepType: step.label.type,
    attempt: Math.max(0, attempts.length - (finished === null && live ? 0 : 1)),
    queuedAt: first?.queuedAt ?? job?.due ?? step.at,
    startedAt,
    endedAt,
    nextAt: finished === null && live ? (attempts.at(-1)?.nextAt ?? null) : null,
    limited: limitedFor(run, attempts),
    details,
    call,
    ...inputOf(finished?.input ?? null, details),
    output: finished === null ? null : outputOf(step.id, finished.ok, finished.result, inline),
    metadata: withAi(metadata, details?.of === "ai" ? details.ai : null, finished?.at ?? step.at),
    warnings: warningsOf(step, run),
  };
  return [own, ...attemptSpans(own, attempts, inline, job, since)];
}

/** Attempts as children, when there were several or will be: whoever succeeded at once needs no second line. */
export function attemptSpans(
  parent: Span,
  attempts: readonly AttemptRecord[],
  inline: Inline,
  job: JobRecord | null = null,
  since: number | null = null,
): Span[] {
  const goesOn = since !== null && job !== null;
  const followed = goesOn || attempts.at(-1)?.nextAt !== null;
  if (attempts.length + (followed ? 1 : 0) < 2) return [];
  const spans = attempts.map((attempt, number): Span => {
    const { queuedAt, startedAt, endedAt, error, nextAt, call } = attempt;
    const times = { queuedAt, startedAt: startedAt ?? queuedAt, endedAt, nextAt };
    // What limits the run limits each of its attempts.
    const limited = parent.limited === 0 ? 0 : delayOf(attempt);
    const own = { ...attemptBase(parent, number), ...times, limited, call };
    if (error === null) return { ...own, status: "completed", output: parent.output };
    return { ...own, status: "failed", output: outputOf(own.id, false, error, inline) };
  });
  if (!goesOn) return spans;
  const running = { queuedAt: job.due, startedAt: since, endedAt: null, nextAt: null, call: null, output: null };
  return [...spans, { ...attemptBase(parent, attempts.length), ...running, status: "running" }];
}

function attemptBase(parent: Span, number: number) {
  const { stepId, stepType } = parent;
  return {
    id: `${parent.id}.${number}`,
    parentId: parent.id,
    name: `Attempt ${number}`,
    kind: "attempt" as const,
    stepId,
    stepType,
    attempt: number,
    limited: 0,
    details: null,
    metadata: [],
    warnings: [],
  };
}

/** An output, with its value while that is small. */
export function outputOf(id: string, ok: boolean, { bytes, value }: Kept, inline: Inline): SpanOutput {
  return { id, bytes, ok, ...(value !== undefined && inline(bytes) ? { value } : {}) };
}

/** When it began; null while no call of it has. */
function beganAt({ announced, attempts: [first], calledAt, finished, at }: StepRecord): number | null {
  if (announced?.is === "sleeping" || announced?.is === "waiting") return announced.at;
  if (first !== undefined) return first.startedAt ?? first.queuedAt;
  return calledAt ?? (finished === null ? null : at);
}

function statusOf({ finished, announced }: StepRecord, { outcome }: RunRecord, since: number | null): SpanStatus {
  if (finished !== null) return finished.ok ? "completed" : "failed";
  if (outcome !== null) return "cancelled";
  if (announced?.is === "sleeping" || announced?.is === "waiting") return "waiting";
  return since === null ? "queued" : "running";
}

function kindOf({ announced, label, finished }: StepRecord): SpanKind {
  if (announced?.is === "sleeping" || finished?.as === "sleep") return "sleep";
  if (announced?.is === "waiting")
    return ({ event: "wait", signal: "signal", invoke: "invoke" } as const)[announced.on.kind];
  if (finished?.as !== undefined) return finished.as === "event" ? "wait" : "signal";
  if (announced?.is === "requesting") return announced.via === "ai" ? "ai" : "fetch";
  switch (label.type) {
    case "step.sendEvent":
      return "send_event";
    case "step.sendSignal":
      return "send_signal";
    case "step.ai.wrap":
    case "step.ai.infer":
      return "ai";
    case "step.realtime.publish":
      return "realtime_publish";
    case "step.fetch":
      return "fetch";
    default:
      return "run";
  }
}

function detailsOf(
  { announced, finished, attempts }: StepRecord,
  kind: SpanKind,
  { took, call, metadata }: { took: number | null; call: AttemptRecord["call"]; metadata: readonly SpanMetadata[] },
): SpanDetails | null {
  if (announced?.is === "sleeping") return { of: "sleep", until: announced.until };
  if (announced?.is === "waiting") return waitDetails(announced, finished);
  if (kind === "send_event" && finished !== null) {
    const ids = objectOf(finished.result.value)["ids"];
    const eventIds = Array.isArray(ids) ? ids.filter((id): id is string => typeof id === "string") : [];
    return { of: "send_event", eventIds };
  }
  if (kind !== "ai") return null;
  const noted = metadata.find((entry) => entry.kind === AI_KIND)?.values ?? {};
  const own = call ?? attempts.at(-1)?.call ?? null;
  return {
    of: "ai",
    ai: aiFacts({
      call: own,
      input: finished?.input?.value,
      result: finished?.ok === true ? (finished.result.value ?? null) : null,
      took,
      noted,
    }),
  };
}

function waitDetails(
  { on, until }: Extract<StepRecord["announced"], { is: "waiting" }>,
  finished: FinishedRecord | null,
): SpanDetails {
  const by = finished?.by;
  // A function may return null, which is no time-out of its caller.
  const timedOut = finished === null ? null : finished.timedOut && !(on.kind === "invoke" && finished.ok);
  switch (on.kind) {
    case "event": {
      const eventId = by !== undefined && "eventId" in by ? by.eventId : null;
      return { of: "wait", event: on.event, expression: on.condition, until, timedOut, eventId };
    }
    case "signal":
      return { of: "signal", signal: on.signal, until, timedOut };
    case "invoke": {
      const runId = by !== undefined && "runId" in by ? by.runId : null;
      return { of: "invoke", functionId: on.functionId, until, timedOut, runId, eventId: null };
    }
  }
}

function inputOf(input: Kept | null, details: SpanDetails | null): Pick<Span, "input"> {
  if (input?.value !== undefined) return { input: input.value };
  return details?.of === "ai" && details.ai.prompt !== null ? { input: details.ai.prompt } : {};
}

// Whatever keeps a due job of a run with lines from its call is one of its limits.
function limitedFor({ identity }: RunRecord, attempts: readonly AttemptRecord[]): number {
  if ((identity.flow?.lines.length ?? 0) === 0) return 0;
  return attempts.reduce((sum, attempt) => sum + delayOf(attempt), 0);
}

function delayOf({ startedAt, queuedAt }: AttemptRecord): number {
  return startedAt === null ? 0 : Math.max(0, startedAt - queuedAt);
}

function warningsOf({ repeated, group }: StepRecord, { identity }: RunRecord): SpanWarning[] {
  return [
    ...(repeated ? (["repeated"] as const) : []),
    // No job of this run announced it (CR-26).
    ...(group === 0 && identity.fork !== undefined ? (["taken_over"] as const) : []),
  ];
}
