/**
 * A run's trace (OB-6 … OB-8): its log drawn as spans. Pure. Owns what the root, the code after the last step, and code between steps look like;
 * steps are `step-span.ts`. Guarantees that the root comes first and every span after its parent.
 */
import { endEventNames } from "../decide/run/end-events.ts";
import { jsonBytes } from "../decide/run/turn.ts";
import { TRACE } from "../limits.ts";
import { traceIdOf } from "./context.ts";
import { metadataByStep } from "./metadata.ts";
import type { AttemptRecord, EndRecord, Keeps, Kept, RunRecord } from "./records.ts";
import { blankSpan, type Span, type SpanStatus, type Trace } from "./span.ts";
import { attemptSpans, type InFlight, type Inline, outputOf, ROOT, stepSpans } from "./step-span.ts";
import { placeUserland, type StoredSpans } from "./userland.ts";

/** What the run's object adds to its log. */
export interface TraceSources {
  readonly inFlight: InFlight;
  /** Spans that the app has sent. */
  readonly userland: StoredSpans;
  /** Whether outputs that are small enough come along (OB-11). */
  readonly outputs: boolean;
}

/** The id of the span that stands for the code after the last step. */
export const FINALIZATION = "finalization";

/** Draws the trace. */
export function drawTrace(run: RunRecord, { inFlight, userland, outputs }: TraceSources): Trace {
  const { identity } = run;
  const inline = outputs ? budget() : () => false;
  const metadata = metadataByStep(run);
  const steps = [...run.steps.values()].flatMap((step) =>
    stepSpans(step, { run, inFlight, metadata: metadata.get(step.id) ?? [], inline }),
  );
  const end = finalization(run, inline);
  const root: Span = {
    ...blankSpan(identity.function.name, ROOT, null),
    kind: "root",
    status: statusOf(run),
    attempt: end[0]?.attempt ?? 0,
    queuedAt: identity.queuedAt,
    startedAt: run.startedAt,
    endedAt: run.outcome?.at ?? null,
    output:
      run.outcome === null ? null : outputOf(ROOT, run.outcome.status === "completed", resultOf(run.outcome), inline),
    metadata: metadata.get(null) ?? [],
    warnings: userland.dropped > 0 ? ["spans_dropped"] : [],
  };
  const own = [root, ...between(run, inline), ...steps, ...end];
  const spans = [...own, ...placeUserland(userland.spans, run, own)];
  return {
    runId: identity.runId,
    traceId: traceIdOf(identity.runId),
    appId: identity.app.id,
    functionId: identity.function.id,
    parent: identity.parent,
    originalRunId: identity.originalRunId,
    endEvents: endEventNames(run).map((name) => ({ name, id: null })),
    spans,
    tokens: tokensOf(spans),
    droppedSpans: userland.dropped,
  };
}

/** The code after the last step, with its attempts; nothing while the run goes on, and for one that was cancelled: no call ended that. */
function finalization(run: RunRecord, inline: Inline): Span[] {
  const { outcome } = run;
  if (outcome === null || outcome.status === "cancelled") return [];
  const failures = outcome.job?.failures ?? [];
  const last = lastAttempt(outcome);
  const span: Span = {
    ...blankSpan("Finalization", FINALIZATION, ROOT),
    kind: "finalization",
    status: outcome.status,
    attempt: failures.length,
    queuedAt: failures[0]?.queuedAt ?? last.queuedAt,
    startedAt: failures[0]?.startedAt ?? last.startedAt ?? last.queuedAt,
    endedAt: outcome.at,
    call: outcome.call,
    output: outputOf(FINALIZATION, outcome.status === "completed", resultOf(outcome), inline),
  };
  return [span, ...attemptSpans(span, [...failures, last], inline)];
}

function lastAttempt(outcome: EndRecord): AttemptRecord {
  const { job, at, startedAt, status, call } = outcome;
  return {
    delivery: { job: job?.id ?? 0, generation: job?.generation ?? 0 },
    queuedAt: Math.min(job?.due ?? at, startedAt ?? at),
    startedAt,
    endedAt: at,
    error: status === "failed" ? resultOf(outcome) : null,
    nextAt: null,
    call,
  };
}

/** Code between steps that failed before the run's last call: it was tried again, and went on. */
function between(run: RunRecord, inline: Inline): Span[] {
  const spans: Span[] = [];
  for (const job of run.jobs.values()) {
    const [first] = job.failures;
    const ending = run.outcome !== null && run.outcome.status !== "cancelled" ? run.outcome.job : null;
    if (first === undefined || job === ending) continue;
    const last = job.failures.at(-1) ?? first;
    const span: Span = {
      ...blankSpan("Function", `job-${job.id}`, ROOT),
      kind: "function",
      status: job.done ? "completed" : run.outcome === null ? "queued" : "cancelled",
      attempt: job.failures.length,
      queuedAt: first.queuedAt,
      startedAt: first.startedAt ?? first.queuedAt,
      endedAt: job.done || run.outcome !== null ? last.endedAt : null,
      nextAt: last.nextAt,
    };
    // Each was followed by another call: what that brought belongs to the steps.
    spans.push(span, ...attemptSpans(span, job.failures, inline));
  }
  return spans;
}

function statusOf({ outcome, startedAt }: RunRecord): SpanStatus {
  return outcome?.status ?? (startedAt === null ? "queued" : "running");
}

function resultOf({ output }: EndRecord): Kept {
  return { bytes: jsonBytes(output), value: output };
}

function tokensOf(spans: readonly Span[]): Trace["tokens"] {
  const facts = spans.flatMap(({ details }) => (details?.of === "ai" ? [details.ai] : []));
  return {
    input: facts.reduce((sum, { inputTokens }) => sum + (inputTokens ?? 0), 0),
    output: facts.reduce((sum, { outputTokens }) => sum + (outputTokens ?? 0), 0),
  };
}

/** All outputs of a trace together may not exceed what an answer carries. */
function budget(): Inline {
  const { outputBytes, totalBytes } = TRACE.inline;
  return within(outputBytes, totalBytes);
}

/** What is kept of the log to draw a trace: of each value and of all together as much as fits beside the run's state (OB-11). */
export function keepsForTrace(): Keeps {
  const keep = within(TRACE.inline.outputBytes, TRACE.keptBytes);
  return (_, bytes) => keep(bytes);
}

function within(each: number, all: number): (bytes: number) => boolean {
  let left = all;
  return (bytes) => {
    if (bytes > each || bytes > left) return false;
    left -= bytes;
    return true;
  };
}
