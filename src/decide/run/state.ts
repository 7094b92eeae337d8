/**
 * The state of one run: what its log folds to. Pure types and the questions everybody asks of them.
 * Nothing here changes a state; `evolve.ts` does.
 */
import type { Json, JsonObject } from "../../json.ts";
import type { StepError, StepLabel } from "../../protocol/opcodes.ts";
import type { RunIdentity } from "./identity.ts";

/** A piece of work that needs a call of the app. At most one call per job is current; its fence tells which. */
export interface Job {
  /** Rises within the run; part of the fence. */
  readonly id: number;
  /** The planned step to execute, or null to enter the function and discover what comes next. */
  readonly stepId: string | null;
  /** From 0, counted for this job alone (EX-20). */
  readonly attempt: number;
  /** Rises with every delivery, be it a new attempt or the repetition of a lost one. */
  readonly generation: number;
  /** Not before this time, ms. */
  readonly due: number;
}

/** What a reply must carry to be accepted: the delivery it answers. */
export interface Fence {
  readonly job: number;
  readonly generation: number;
}

/** A step the run knows. `group` is the job that announced it: steps announced together share it. Times are ms. */
export type Step = {
  readonly id: string;
  readonly label: StepLabel;
  readonly group: number;
  readonly race: boolean;
  readonly at: number;
} & (
  | { readonly status: "planned" }
  | { readonly status: "sleeping"; readonly until: number }
  | { readonly status: "finished"; readonly memo: Json; readonly endedAt: number }
);

/** How a run ended. The output of a failed or cancelled run is its error object. */
export interface Outcome {
  readonly status: "completed" | "failed" | "cancelled";
  readonly output: Json;
  readonly at: number;
}

/** Everything known about a run. */
export interface RunState {
  readonly identity: RunIdentity;
  /** Decisions taken so far; the number of the last row of the log. */
  readonly sequence: number;
  /** When the first call began; null while queued. */
  readonly startedAt: number | null;
  /** Negotiated protocol version; -1 until the app has answered. */
  readonly protocol: number;
  /** Ids of finished steps in the order they finished. */
  readonly stack: readonly string[];
  readonly steps: ReadonlyMap<string, Step>;
  readonly jobs: ReadonlyMap<number, Job>;
  /** The id of the next job. */
  readonly nextJob: number;
  /** Set once a protocol-1 run has announced several steps at once: it stays in forced planning (protocol/03 §3.4). */
  readonly branched: boolean;
  /** A discovery is owed as soon as one of the running ones ends. */
  readonly rediscover: boolean;
  /** Calls in a row that found nothing new (EX-73). */
  readonly idle: number;
  /** Bytes of events and results (EX-14). */
  readonly bytes: number;
  readonly outcome: Outcome | null;
}

/** True while a fence names the current delivery of a job. */
export function isCurrent(state: RunState, fence: Fence): boolean {
  const job = state.jobs.get(fence.job);
  return state.outcome === null && job !== undefined && job.generation === fence.generation;
}

/** The delivery of a job that is current now. */
export function fenceOf(job: Job): Fence {
  return { job: job.id, generation: job.generation };
}

/** True while some announced step has not finished. */
export function hasPendingSteps(state: RunState): boolean {
  // Every finished step is on the stack, so no walk over the steps is needed.
  return state.steps.size > state.stack.length;
}

/** True when every step of the group has finished. */
export function isGroupFinished(state: RunState, group: number): boolean {
  for (const step of state.steps.values()) {
    if (step.group === group && step.status !== "finished") return false;
  }
  return true;
}

/** Attempts each job has: the first and its retries. */
export function maxAttempts(state: RunState): number {
  return state.identity.retries + 1;
}

/**
 * Whether a call of this job must only plan, not execute, what it discovers: while several branches are open an inline
 * step would run once per concurrent discovery (protocol/03 §3.4). At the step limit planning lets the engine refuse
 * the step too many before its body runs (EX-15).
 */
export function isPlanningForced(state: RunState, job: Job, maxSteps: number): boolean {
  if (job.stepId === null && state.steps.size >= maxSteps) return true;
  if (state.protocol < 2) return state.branched;
  if (hasPendingSteps(state)) return true;
  for (const other of state.jobs.values()) if (other.id !== job.id && other.stepId === null) return true;
  return false;
}

/** The memo of all finished steps, as calls carry it: id to stored value. */
export function memoOf(state: RunState): JsonObject {
  const memo: Record<string, Json> = {};
  for (const id of state.stack) {
    const step = state.steps.get(id);
    if (step?.status === "finished") memo[id] = step.memo;
  }
  return memo;
}

/** A failed step's memo. */
export function errorMemo(error: StepError): JsonObject {
  return { error };
}
