/**
 * What the operations of a reply or a checkpoint do to a run (protocol/03 §3.4 "Rules for a response with ops"). Pure.
 * Owns the order in which operations count, grouping, and forced planning; what a single one does is its neighbours'.
 */
import { CAPACITY, RUN } from "../../limits.ts";
import type { Op, StepError } from "../../protocol/opcodes.ts";
import { wrappedCall } from "./ai-activity.ts";
import { invoke, plan, request, sleep, waitForEvent, waitForSignal } from "./announcement.ts";
import { discover, isContinuationDue, nothingNew, settle } from "./continuation.ts";
import { defer, undefer } from "./deferral.ts";
import { annotate } from "./metadata.ts";
import { errorMemo, isHeld, type Job } from "./state.ts";
import { complete, fail, finish, jsonBytes, outputTooLarge, record, retry, type Turn } from "./turn.ts";

/** How the reply as a whole advises about retrying. */
export interface Advice {
  readonly noRetry: boolean;
  readonly retryAt: number | null;
}

type CountedOp = Exclude<Op, { op: "none" | "defer" | "undefer" }>;

/**
 * Applies the operations that `job` reported. The job ends, unless one of them is an error to be retried.
 * Steps announced together form a group; the job's id is its number.
 */
export function applyOps(turn: Turn, job: Job, ops: readonly Op[], advice: Advice): void {
  const unknown = ops.find((op) => op.op === "unknown");
  if (unknown !== undefined) {
    return refuse(turn, job, `The app reported an operation the engine does not know: ${unknown.name}`);
  }
  const counted = ops.filter(isCounted);
  if (job.stepId !== null && !counted.some((op) => op.op === "complete" || reports(op, job.stepId))) {
    return refuse(turn, job, "The app answered a call for one step without reporting that step.");
  }
  const before = turn.changes.length;
  applyDefers(turn, ops);
  const found = turn.changes.length;
  // More than one operation means branches. A protocol-1 run stays in forced planning from here on.
  if (counted.length > 1 && turn.state.protocol < 2 && !turn.state.branched) record(turn, { is: "branched" });
  const finished: string[] = [];
  let retried = false;
  // Waits come first, so that an event sent by a sibling step cannot be missed (EX-45).
  for (const op of counted.toSorted((a, b) => rank(a) - rank(b))) {
    if (turn.state.outcome !== null) return;
    if (op.op === "error" && !isFinished(turn, op.id)) {
      retried = retry(turn, current(turn, job), op.error, advice.noRetry, advice.retryAt, op);
      if (retried) continue;
    }
    if (applyOp(turn, op, job.id) && "id" in op) finished.push(op.id);
  }
  if (turn.state.outcome !== null) return;
  const asked = counted.some((op) => op.op === "rediscover");
  if (turn.changes.length === found && !(asked && turn.state.idle < RUN.rediscoveries)) return nothingNew(turn, job);
  // Without an end, an app that only asks to be called again would be.
  if (turn.changes.length === before) record(turn, { is: "idle", calls: turn.state.idle + 1 });
  else if (turn.state.idle > 0) record(turn, { is: "idle", calls: 0 });
  if (!retried) record(turn, { is: "done", job: job.id });
  // A discovery that is to be retried will find whatever comes next by itself.
  const continues = asked || (finished.some((id) => isContinuationDue(turn, id)) && !(retried && job.stepId === null));
  if (continues) discover(turn);
  else settle(turn);
}

/**
 * Stores what a call that is still under way has finished so far (EX-66, protocol/09 §9.3). The call goes on, so that nothing is
 * discovered; the attempt starts over at 0.
 */
export function applyCheckpoint(turn: Turn, job: Job, ops: readonly Op[]): void {
  applyDefers(turn, ops);
  for (const op of ops) {
    if (op.op === "run" || op.op === "failed" || op.op === "complete") applyOp(turn, op, job.id);
  }
  if (turn.state.outcome !== null) return;
  if (job.attempt > 0) record(turn, { is: "progressed", job: job.id });
  const silence = silenceOf(turn, job);
  // A repetition is not worth a row, unless the engine is about to make the call itself: whoever is answered goes on with its next step.
  if (silence === null || (turn.changes.length === 0 && job.delivery !== "lost")) return;
  record(turn, { is: "held", job: job.id, due: turn.moment.now + silence });
}

/** How long, ms, who reports may be silent before the engine makes the call itself; null when the engine made it and will hear its reply. */
function silenceOf({ state }: Turn, job: Job): number | null {
  if (job.delivery === "lost") return CAPACITY.orphan;
  return isHeld(state) ? (state.identity.endpoint?.lease ?? null) : null;
}

/**
 * Ends a planned step that the app's code does not have any more, which its SDK says in so many words: nothing waits for its result, and
 * the run goes on with what the code has now (EX-61, EX-62). False when the error is another one.
 */
export function giveUp(turn: Turn, job: Job, error: StepError): boolean {
  const step = job.stepId === null ? undefined : turn.state.steps.get(job.stepId);
  if (step?.status !== "planned" || error["requestedStep"] !== step.id) return false;
  record(turn, { is: "done", job: job.id });
  if (finish(turn, step, step.group, errorMemo(error)) && isContinuationDue(turn, step.id)) discover(turn);
  else settle(turn);
  return true;
}

/** Applies one operation; true when it finished its step. */
function applyOp(turn: Turn, op: CountedOp, group: number): boolean {
  switch (op.op) {
    case "run": {
      const finished = finish(turn, op, group, resultMemo(op), wrappedCall(turn.state, op, group, turn.moment.now));
      if (finished) annotate(turn, op.metadata);
      return finished;
    }
    case "failed":
    case "error":
      return finish(turn, op, group, errorMemo(op.error));
    case "sleep":
      return sleep(turn, op, group);
    case "wait":
      return waitForEvent(turn, op, group);
    case "signal":
      return waitForSignal(turn, op, group);
    case "invoke":
      invoke(turn, op, group);
      return false;
    case "request":
      request(turn, op, group);
      return false;
    case "planned":
      plan(turn, op, group);
      return false;
    case "complete":
      complete(turn, op.data);
      return false;
    case "rediscover":
    case "unknown":
      return false;
  }
}

function applyDefers(turn: Turn, ops: readonly Op[]): void {
  for (const op of ops) {
    if (op.op === "defer") defer(turn, op);
    else if (op.op === "undefer") undefer(turn, op.deferId);
  }
}

function isCounted(op: Op): op is CountedOp {
  return op.op !== "none" && op.op !== "defer" && op.op !== "undefer";
}

function rank(op: CountedOp): number {
  return op.op === "wait" || op.op === "signal" ? 0 : 1;
}

/** A reply that cannot be acted on fails the attempt; the last attempt fails the run. */
function refuse(turn: Turn, job: Job, message: string): void {
  const error = { name: "bad_reply", code: "bad_reply", message };
  if (!retry(turn, job, error, false, null)) fail(turn, error);
}

// A result beyond the limit fails its step, not the run, so that user code can catch it (EX-13).
function resultMemo({ data, label }: Extract<Op, { op: "run" }>) {
  const bytes = jsonBytes(data);
  return bytes > RUN.outputBytes ? errorMemo(outputTooLarge(`result of step "${label.name}"`, bytes)) : { data };
}

// That it is planned is known: taken for an answer, it would leave the step without a call.
function reports(op: CountedOp, stepId: string | null): boolean {
  return op.op !== "planned" && "id" in op && op.id === stepId;
}

function isFinished(turn: Turn, stepId: string): boolean {
  return turn.state.steps.get(stepId)?.status === "finished";
}

// A success in the same reply has reset the attempts: what failed after it failed for the first time (EX-9).
function current(turn: Turn, job: Job): Job {
  return turn.changes.some((change) => change.is === "finished") ? { ...job, attempt: 0 } : job;
}
