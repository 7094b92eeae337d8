/**
 * A run as others see it: the row that history keeps and the work that is queued. Pure projections of the state.
 */
import type { RoutedEvent } from "../../events/event.ts";
import type { RunReport, RunRow, RunStatus } from "../../history/message.ts";
import type { RunJob, RunView } from "../../history/view.ts";
import type { LineRef } from "../capacity/line.ts";
import { cronOf } from "../schedule/timer-event.ts";
import { metadataOf } from "./metadata.ts";
import { isHeld, type Job, type RunState } from "./state.ts";

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
    replayId: identity.replayId ?? null,
    parentRunId: identity.parent?.runId ?? null,
    cron: cronOf(identity.events[0]?.event.payload),
    cancelReason: outcome?.cause ?? null,
    skipReason: null,
    output: outcome?.output ?? null,
    sequence: state.sequence,
  };
}

/** The run as its object shows it. `lines` are those that jobs wait for, as far as the object knows. */
export function viewOf(state: RunState, lines: ReadonlyMap<number, LineRef> = new Map()): RunView {
  const { flow } = state.identity;
  return {
    row: rowOf(state),
    jobs: jobsOf(state, lines),
    metadata: metadataOf(state),
    ...(flow === undefined ? {} : { flow: { priority: flow.priority, priorityError: flow.priorityError } }),
  };
}

/**
 * What the run tells history: itself, its trigger events unless they were stored when they joined its window, and the system events it
 * has emitted. `dueAt`: when it expects to be looked at, ms since 1970; null when it has ended.
 */
export function reportOf(state: RunState, emitted: readonly RoutedEvent[], dueAt: number | null): RunReport {
  const { events, gathered } = state.identity;
  const told = { ...rowOf(state), activity: state.activity };
  const run = dueAt === null ? told : { ...told, dueAt };
  return { run, events: gathered === true ? emitted : [...events, ...emitted] };
}

/** What is queued (API-9): calls waiting for their time, and sleeps. */
export function jobsOf(state: RunState, lines: ReadonlyMap<number, LineRef> = new Map()): RunJob[] {
  // What the app's own handler is doing waits for nothing.
  const queued = isHeld(state) ? [] : [...state.jobs.values()];
  const jobs: RunJob[] = queued.map((job) => ({
    id: `${state.identity.runId}.${job.id}`,
    kind: state.startedAt === null ? "start" : job.stepId === null ? "edge" : "step",
    at: job.due,
    attempt: job.attempt,
    step: job.stepId === null ? null : (state.steps.get(job.stepId)?.label.name ?? job.stepId),
    ...waitingFor(job, lines.get(job.id)),
  }));
  if (state.outcome !== null) return [];
  // What a run that is being cancelled slept or waited for does not come any more.
  if (state.cancelling !== null) return jobs;
  for (const step of state.steps.values()) {
    if (step.status !== "sleeping" && step.status !== "waiting") continue;
    const kind = step.status === "sleeping" ? "sleep" : "wait";
    jobs.push({ id: `${state.identity.runId}.${step.id}`, kind, at: step.until, attempt: 0, step: step.label.name });
  }
  return jobs;
}

// It waits since it is due: nothing else keeps a due job from its call.
function waitingFor({ due }: Job, line: LineRef | undefined): Pick<RunJob, "waitingFor"> {
  return line === undefined ? {} : { waitingFor: { ...line, since: due } };
}

function statusOf(state: RunState): RunStatus {
  if (state.outcome !== null) return state.outcome.status;
  return state.startedAt === null ? "queued" : "running";
}
