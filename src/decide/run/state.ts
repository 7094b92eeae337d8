/**
 * The state of one run: what its log folds to. Pure types and the questions everybody asks of them.
 * Nothing here changes a state; `evolve.ts` does.
 */
import type { Json, JsonObject } from "../../json.ts";
import { RUN } from "../../limits.ts";
import type { MetadataChange } from "../../protocol/metadata.ts";
import type { StepError, StepLabel } from "../../protocol/opcodes.ts";
import type { MinuteOfActivity } from "./activity.ts";
import { inputMemo, isStepAwaited } from "./edited-input.ts";
import type { CancelCause } from "./flow.ts";
import type { RunIdentity } from "./identity.ts";

/** A piece of work that needs a call of the app. At most one call per job is current; its fence tells which. */
export interface Job {
  /** Rises within the run; part of the fence. */
  readonly id: number;
  /** The planned step to execute, or null to enter the function and discover what comes next. */
  readonly stepId: string | null;
  /** True when the engine itself makes the step's request (`step.fetch`, `step.ai.infer`). */
  readonly request: boolean;
  /** From 0, counted for this job alone (EX-20). */
  readonly attempt: number;
  /** Rises with every delivery, be it a new attempt or the repetition of a lost one. */
  readonly generation: number;
  /** Not before this time, ms. */
  readonly due: number;
  /** It stands in a line, nothing of it is in flight, and the line will call (FC-12). */
  readonly lined: boolean;
  /**
   * What may be executing of it. `open`: its call, from when it is due. `none`: nothing, its next attempt lies in the future. `lost`: a call
   * whose reply nobody hears, until it is due. Only a limit on executing steps makes a difference of it (FC-10).
   */
  readonly delivery: "open" | "none" | "lost";
  /** The newest failed attempt: when, ms, and its error; null while there was none. */
  readonly failure: { readonly at: number; readonly error: Json } | null;
}

/** What a reply must carry to be accepted: the delivery it answers. */
export interface Fence {
  readonly job: number;
  readonly generation: number;
}

/**
 * A step the run knows. `group` is the job that announced it: steps announced together share it; 0 for those whose result was taken over
 * from another run (CR-26). Times are ms.
 */
export type Step = {
  readonly id: string;
  readonly label: StepLabel;
  readonly group: number;
  readonly race: boolean;
  readonly at: number;
} & (
  | { readonly status: "planned" }
  | { readonly status: "sleeping"; readonly until: number }
  /** Something else has to happen, at the latest at `until`. */
  | { readonly status: "waiting"; readonly on: WaitTarget; readonly until: number }
  /** The engine makes its request. `attempt` outlives the job, whose request may have been forgotten (`operations.ts`). */
  | { readonly status: "requesting"; readonly via: "gateway" | "ai"; readonly attempt: number }
  | { readonly status: "finished"; readonly memo: Json; readonly endedAt: number }
);

/** What a waiting step waits for. */
export type WaitTarget =
  | { readonly kind: "event"; readonly event: string; readonly condition: string | null }
  | { readonly kind: "signal"; readonly signal: string; readonly conflict: "fail" | "replace" }
  | { readonly kind: "invoke"; readonly functionId: string; readonly payload: JsonObject };

/** A function call to be made when the run has ended (EX-71). */
export interface Defer {
  readonly functionSlug: string;
  readonly input: Json;
  readonly meta: Json;
  readonly aborted: boolean;
}

/** How a run ended. The output of a failed or cancelled run is its error object. */
export interface Outcome {
  readonly status: "completed" | "failed" | "cancelled";
  readonly output: Json;
  readonly at: number;
  /** Present when it was cancelled (CR-13). */
  readonly cause?: CancelCause;
}

/** Status and headers of an endpoint's response. */
export interface ResponseHead {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** Everything known about a run. */
export interface RunState {
  readonly identity: RunIdentity;
  /** Decisions taken so far; the number of the last row of the log. */
  readonly sequence: number;
  /** When the newest of them was taken, ms. */
  readonly decidedAt: number;
  /** When the first call began; null while queued. */
  readonly startedAt: number | null;
  /** Another run has the singleton that this one waits for (FC-43). */
  readonly keptOut: boolean;
  /** The throttle has let it start; false also where there is none. */
  readonly admitted: boolean;
  /** Set while its function's pause holds it back: no call begins. When the pause began, which names it, and when the run met it. */
  readonly suspended: { readonly since: number; readonly at: number } | null;
  /** It was held after it had started, and has no place among the whole runs until it takes one again (CR-18). */
  readonly released: boolean;
  /** The beginning of the newest pause known to be over; 0 while none is. */
  readonly pausesOver: number;
  /** ms of pauses that the finish time-out did not run. */
  readonly pausedFor: number;
  /** Set when it is to be cancelled as soon as what executes has ended (CR-1). */
  readonly cancelling: CancelCause | null;
  /** Negotiated protocol version; -1 until the app has answered. */
  readonly protocol: number;
  /** Ids of finished steps in the order they finished. */
  readonly stack: readonly string[];
  readonly steps: ReadonlyMap<string, Step>;
  readonly jobs: ReadonlyMap<number, Job>;
  /** By defer id. */
  readonly defers: ReadonlyMap<string, Defer>;
  /** Changes of metadata in order, and the bytes of their values. */
  readonly metadata: readonly MetadataChange[];
  readonly metadataBytes: number;
  /** What it has done, by the minute, for metrics alone. */
  readonly activity: readonly MinuteOfActivity[];
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
  /**
   * Calls that may be executing although the run has ended, one entry each, where a limit counts them (FC-10): until when, ms, or null while
   * the instance that made it hears it.
   */
  readonly outlasting: readonly (number | null)[];
  /** What an endpoint's SDK says about its response besides the body; null until it did, and for ordinary runs. */
  readonly response: ResponseHead | null;
}

/** True while a fence names the current delivery of a job. */
export function isCurrent(state: RunState, fence: Fence): boolean {
  const job = state.jobs.get(fence.job);
  return state.outcome === null && job !== undefined && job.generation === fence.generation;
}

/**
 * The time for a run, ms, at `now` as this instance has it. Clocks differ a little, and for one that is behind, what is under way would only
 * begin later.
 */
export function timeOf({ decidedAt }: RunState, now: number): number {
  return decidedAt - now > RUN.clockSlack ? now : Math.max(now, decidedAt);
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

/** The delivery a checkpoint belongs to, while it is current. An SDK that names no generation means the one under way. */
export function fenceOfCheckpoint(
  state: RunState | null,
  call: { readonly functionId: string | null; readonly job: number; readonly generation: number | null },
): Fence | "stale" | "unknown" {
  if (state === null || (call.functionId ?? state.identity.function.id) !== state.identity.function.id)
    return "unknown";
  const fence = { job: call.job, generation: call.generation ?? state.jobs.get(call.job)?.generation ?? 0 };
  return isCurrent(state, fence) ? fence : "stale";
}

/** The delivery that an endpoint's run is born with: the app's own handler, which the engine never called (EX-68). */
export const HANDLER: Fence = { job: 1, generation: 1 };

/** True while the app's own handler carries the run; the engine only watches that it does not fall silent. */
export function isHeld(state: RunState): boolean {
  return state.identity.endpoint !== undefined && isCurrent(state, HANDLER);
}

/** True when the app is not to go on with what it executes: a limit has failed the run, or it is cancelled or held (EX-66, EX-67). */
export function isStopped(state: RunState | null): boolean {
  const status = state?.outcome?.status;
  const interrupted = (state?.cancelling ?? state?.suspended ?? null) !== null;
  return status === "failed" || status === "cancelled" || interrupted;
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
  if (job.stepId === null && (state.steps.size >= maxSteps || isStepAwaited(state))) return true;
  if (state.protocol < 2) return state.branched;
  if (hasPendingSteps(state)) return true;
  for (const other of state.jobs.values()) if (other.id !== job.id && other.stepId === null) return true;
  return false;
}

/** The steps that wait for something outside the run. */
export function waitingSteps(state: RunState): WaitingStep[] {
  if (state.outcome !== null || state.cancelling !== null || !hasPendingSteps(state)) return [];
  return [...state.steps.values()].filter((step) => step.status === "waiting");
}

/** A step that waits. */
export type WaitingStep = Extract<Step, { readonly status: "waiting" }>;

/** The memo of all finished steps, as calls carry it: id to stored value. A step to be executed with another input has that (CR-27). */
export function memoOf(state: RunState): JsonObject {
  const memos = state.stack.flatMap((id): [string, Json][] => {
    const step = state.steps.get(id);
    return step?.status === "finished" ? [[id, step.memo]] : [];
  });
  // An assignment to "__proto__" would store nothing.
  return Object.assign(Object.fromEntries(memos), inputMemo(state));
}

/** A failed step's memo. */
export function errorMemo(error: StepError): JsonObject {
  return { error };
}
