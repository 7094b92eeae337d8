/**
 * Why a run is not moving (BY-12): every cause with its beginning, its end, and what would move it. Pure: what only the outside knows
 * (calls in flight, places in lines, a paused function) is an argument.
 * Guarantees an answer for every unfinished run: a run of which nothing else is true is about to be called.
 */
import type { Json } from "../../json.ts";
import type { LineRef } from "../capacity/line.ts";
import { isHeld, type Job, type RunState, type WaitTarget } from "./state.ts";

/** What the run's object knows besides the state. Times are ms since 1970. */
export interface Surroundings {
  /** Calls in flight in this instance, by job: since when, and when they are given up. */
  readonly calls: ReadonlyMap<number, { readonly since: number; readonly deadline: number }>;
  /** What jobs stand in line for, by job. */
  readonly lines: ReadonlyMap<number, LineStanding>;
  /** Since when the function is paused; null when it is not. */
  readonly pausedSince: number | null;
  readonly now: number;
}

/** A place in a line. */
export interface LineStanding {
  readonly line: LineRef;
  readonly since: number;
  /** The function's own limit; null while unknown. */
  readonly limit: number | null;
  /** Runs that go first; null while unknown. */
  readonly ahead: number | null;
  /** Runs that hold units now, the longest first; empty for a line of starts. */
  readonly holders: readonly { readonly runId: string; readonly since: number }[];
  /** When a line of starts will let it go, by today's rate; null when nobody can say. */
  readonly estimate: number | null;
}

/** One cause. `since` and `until` are ms since 1970; `until` null: nobody knows. */
export type Cause = {
  readonly since: number;
  readonly until: number | null;
  /** The step as its user wrote it; null between steps. */
  readonly step: string | null;
} & (
  | { readonly cause: "scheduled" }
  | { readonly cause: "paused" }
  | { readonly cause: "sleeping" }
  | { readonly cause: "event"; readonly event: string; readonly condition: string | null }
  | { readonly cause: "signal"; readonly signal: string }
  | { readonly cause: "child"; readonly functionId: string }
  | { readonly cause: "singleton"; readonly key: string }
  | { readonly cause: "retry"; readonly attempt: number; readonly error: Json }
  | ({ readonly cause: "concurrency" | "throttle" } & Omit<LineStanding, "since">)
  | { readonly cause: "call"; readonly attempt: number; readonly request: boolean }
  | { readonly cause: "handler" }
  | { readonly cause: "cancelling" }
  | { readonly cause: "due" }
);

/** Every cause, the ones that end first in front; empty once the run has ended. */
export function whyOf(state: RunState, surroundings: Surroundings): Cause[] {
  if (state.outcome !== null) return [];
  const causes = [...jobCauses(state, surroundings), ...stepCauses(state)];
  const { pausedSince, now } = surroundings;
  const base = { until: null, step: null };
  if (pausedSince !== null) causes.unshift({ ...base, cause: "paused", since: pausedSince });
  if (state.cancelling !== null) causes.unshift({ ...base, cause: "cancelling", since: now });
  if (causes.length === 0) causes.push({ ...base, cause: "due", since: now });
  return causes.sort((a, b) => rank(a) - rank(b) || (a.until ?? Number.MAX_VALUE) - (b.until ?? Number.MAX_VALUE));
}

/** What overrules everything else is named first. */
function rank({ cause }: Cause): number {
  return cause === "cancelling" ? 0 : cause === "paused" ? 1 : 2;
}

function jobCauses(state: RunState, surroundings: Surroundings): Cause[] {
  return [...state.jobs.values()].map((job) => jobCause(state, job, surroundings));
}

function jobCause(state: RunState, job: Job, { calls, lines, now }: Surroundings): Cause {
  const { queuedAt, flow } = state.identity;
  const step = job.stepId === null ? null : (state.steps.get(job.stepId)?.label.name ?? job.stepId);
  if (isHeld(state)) return { cause: "handler", since: queuedAt, until: job.due, step };
  const call = calls.get(job.id);
  if (call !== undefined) {
    return { cause: "call", since: call.since, until: call.deadline, step, attempt: job.attempt, request: job.request };
  }
  if (job.due > now) {
    const { failure, attempt } = job;
    if (failure !== null)
      return { cause: "retry", since: failure.at, until: job.due, step, attempt, error: failure.error };
    return { cause: state.startedAt === null ? "scheduled" : "due", since: queuedAt, until: job.due, step };
  }
  if (state.keptOut) return { cause: "singleton", since: job.due, until: null, step, key: flow?.singleton ?? "" };
  const standing = lines.get(job.id);
  if (standing === undefined) return { cause: "due", since: job.due, until: null, step };
  const cause = standing.line.counts === "starts" ? "throttle" : "concurrency";
  return { ...standing, cause, until: standing.estimate, step };
}

function stepCauses(state: RunState): Cause[] {
  return [...state.steps.values()].flatMap((step): Cause[] => {
    const own = { since: step.at, step: step.label.name };
    if (step.status === "sleeping") return [{ ...own, cause: "sleeping", until: step.until }];
    if (step.status === "waiting") return [{ ...own, ...waitCause(step.on), until: step.until }];
    return [];
  });
}

type WaitingFor =
  | { readonly cause: "event"; readonly event: string; readonly condition: string | null }
  | { readonly cause: "signal"; readonly signal: string }
  | { readonly cause: "child"; readonly functionId: string };

function waitCause(on: WaitTarget): WaitingFor {
  switch (on.kind) {
    case "event":
      return { cause: "event", event: on.event, condition: on.condition };
    case "signal":
      return { cause: "signal", signal: on.signal };
    case "invoke":
      return { cause: "child", functionId: on.functionId };
  }
}
