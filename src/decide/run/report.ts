/**
 * A run as others see it: the row that history keeps and the work that is queued. Pure projections of the state.
 */
import type { RoutedEvent } from "../../events/event.ts";
import type { RunReport, RunRow, RunStatus } from "../../history/message.ts";
import type { RunJob, RunView } from "../../history/view.ts";
import { metadataOf } from "./metadata.ts";
import { isHeld, type RunState } from "./state.ts";

/** The run's row (API-8). */
export function rowOf(state: RunState): RunRow {
  const { identity, outcome } = state;
  return {
    environmentId: identity.environmentId,
    runId: identity.runId,
    appId: identity.app.id,
    functionId: identity.function.id,
    functionSlug: identity.function.slug,
    functionVersion: identity.function.version,
    status: statusOf(state),
    queuedAt: identity.queuedAt,
    startedAt: state.startedAt,
    endedAt: outcome?.at ?? null,
    eventIds: identity.events.map(({ event }) => event.internalId),
    eventName: identity.events[0]?.event.payload.name ?? "",
    originalRunId: identity.originalRunId,
    parentRunId: identity.parent?.runId ?? null,
    cron: null,
    cancelReason: null,
    skipReason: null,
    output: outcome?.output ?? null,
    sequence: state.sequence,
  };
}

/** The run as its object shows it. */
export function viewOf(state: RunState): RunView {
  return { row: rowOf(state), jobs: jobsOf(state), metadata: metadataOf(state) };
}

/** What the run tells history: itself, its trigger events, and the system events it has emitted. */
export function reportOf(state: RunState, emitted: readonly RoutedEvent[]): RunReport {
  return { run: rowOf(state), events: [...state.identity.events, ...emitted] };
}

/** What is queued (API-9): calls waiting for their time, and sleeps. */
export function jobsOf(state: RunState): RunJob[] {
  // What the app's own handler is doing waits for nothing.
  const queued = isHeld(state) ? [] : [...state.jobs.values()];
  const jobs: RunJob[] = queued.map((job) => ({
    id: `${state.identity.runId}.${job.id}`,
    kind: state.startedAt === null ? "start" : job.stepId === null ? "edge" : "step",
    at: job.due,
    attempt: job.attempt,
    step: job.stepId === null ? null : (state.steps.get(job.stepId)?.label.name ?? job.stepId),
  }));
  if (state.outcome !== null) return [];
  for (const step of state.steps.values()) {
    if (step.status !== "sleeping" && step.status !== "waiting") continue;
    const kind = step.status === "sleeping" ? "sleep" : "wait";
    jobs.push({ id: `${state.identity.runId}.${step.id}`, kind, at: step.until, attempt: 0, step: step.label.name });
  }
  return jobs;
}

function statusOf(state: RunState): RunStatus {
  if (state.outcome !== null) return state.outcome.status;
  return state.startedAt === null ? "queued" : "running";
}
