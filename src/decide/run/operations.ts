/**
 * What a reply's operations do to a run (protocol/03 §3.4 "Rules for a response with ops"). Pure.
 * Owns grouping, forced planning and when the next discovery is due; the single rules live in `turn.ts`.
 */
import { parseDuration, parseMoment } from "../../duration.ts";
import { RUN } from "../../limits.ts";
import type { Op } from "../../protocol/opcodes.ts";
import {
  admit,
  complete,
  fail,
  finish,
  jsonBytes,
  outputTooLarge,
  queue,
  record,
  retry,
  type StepRef,
  type Turn,
} from "./turn.ts";
import { errorMemo, hasPendingSteps, isGroupFinished, type Job } from "./state.ts";

/** How the reply as a whole advises about retrying. */
export interface Advice {
  readonly noRetry: boolean;
  readonly retryAt: number | null;
}

/**
 * Applies the operations that `job` reported. The job ends, unless one of them is an error to be retried.
 * Steps announced together form a group; the job's id is its number.
 */
export function applyOps(turn: Turn, job: Job, ops: readonly Op[], advice: Advice): void {
  const counted = ops.filter((op): op is Exclude<Op, { op: "none" }> => op.op !== "none");
  const unknown = counted.find((op) => op.op === "unknown");
  if (unknown !== undefined) {
    return refuse(turn, job, `The app reported an operation the engine does not know: ${unknown.name}`);
  }
  if (job.stepId !== null && !counted.some((op) => op.op === "complete" || ("id" in op && op.id === job.stepId))) {
    return refuse(turn, job, "The app answered a call for one step without reporting that step.");
  }
  const before = turn.changes.length;
  // More than one operation means branches. A protocol-1 run stays in forced planning from here on.
  if (counted.length > 1 && turn.state.protocol < 2 && !turn.state.branched) record(turn, { is: "branched" });
  const finished: string[] = [];
  let retried = false;
  for (const op of counted) {
    if (turn.state.outcome !== null) return;
    switch (op.op) {
      case "run":
        if (finishRun(turn, op, job.id)) finished.push(op.id);
        break;
      case "failed":
        if (finish(turn, op, job.id, errorMemo(op.error))) finished.push(op.id);
        break;
      case "error":
        retried = !isFinished(turn, op.id) && retry(turn, current(turn, job), op.error, advice.noRetry, advice.retryAt);
        if (!retried && finish(turn, op, job.id, errorMemo(op.error))) finished.push(op.id);
        break;
      case "planned":
        if (admit(turn, op)) {
          record(turn, { is: "planned", ...stepRef(op), group: job.id, at: turn.moment.now });
          queue(turn, op.id);
        }
        break;
      case "sleep":
        if (sleep(turn, op, job.id)) finished.push(op.id);
        break;
      case "complete":
        complete(turn, op.data);
        break;
      case "rediscover":
      case "unknown":
        break;
    }
  }
  if (turn.state.outcome !== null) return;
  const asked = counted.some((op) => op.op === "rediscover");
  if (turn.changes.length === before && !asked) return nothingNew(turn, job);
  if (turn.state.idle > 0) record(turn, { is: "idle", calls: 0 });
  if (!retried) record(turn, { is: "done", job: job.id });
  // A discovery that is to be retried will find whatever comes next by itself.
  const continues = asked || (finished.some((id) => isContinuationDue(turn, id)) && !(retried && job.stepId === null));
  if (continues) discover(turn);
  else settle(turn);
}

/** Whether finishing this step calls for entering the function again (version negotiation, protocol/03 §3.4). */
export function isContinuationDue(turn: Turn, stepId: string): boolean {
  const step = turn.state.steps.get(stepId);
  if (step === undefined) return false;
  return turn.state.protocol < 2 || step.race || isGroupFinished(turn.state, step.group);
}

/** Queues a discovery, or owes one when enough are under way (a protocol-1 run discovers after every single step). */
export function discover(turn: Turn): void {
  let running = 0;
  for (const job of turn.state.jobs.values()) if (job.stepId === null) running++;
  if (running < RUN.discoveries) queue(turn, null);
  else if (!turn.state.rediscover) record(turn, { is: "rediscover", owed: true });
}

/** Pays an owed discovery once a place is free. */
function settle(turn: Turn): void {
  if (!turn.state.rediscover) return;
  record(turn, { is: "rediscover", owed: false });
  discover(turn);
}

/** A call found nothing new: fine while other work is open, asked once more otherwise, then the run fails (EX-73). */
export function nothingNew(turn: Turn, job: Job): void {
  record(turn, { is: "done", job: job.id });
  if (turn.state.jobs.size > 0 || hasPendingSteps(turn.state)) return settle(turn);
  if (turn.state.idle === 0) {
    record(turn, { is: "idle", calls: 1 });
    return queue(turn, null);
  }
  fail(turn, {
    name: "no_progress",
    code: "no_progress",
    message: "The function was entered twice without a new step, a result or an error, and nothing is pending.",
  });
}

/** A reply that cannot be acted on fails the attempt; the last attempt fails the run. */
function refuse(turn: Turn, job: Job, message: string): void {
  const error = { name: "bad_reply", code: "bad_reply", message };
  if (!retry(turn, job, error, false, null)) fail(turn, error);
}

function finishRun(turn: Turn, op: Extract<Op, { op: "run" }>, group: number): boolean {
  const bytes = jsonBytes(op.data);
  const memo = bytes > RUN.outputBytes ? errorMemo(outputTooLarge(`result of step "${op.label.name}"`, bytes)) : { data: op.data };
  return finish(turn, op, group, memo);
}

// True when the moment has already passed, so that the step is finished at once (EX-38).
function sleep(turn: Turn, op: Extract<Op, { op: "sleep" }>, group: number): boolean {
  const { now } = turn.moment;
  const known = turn.state.steps.get(op.id);
  if (known !== undefined ? known.status !== "planned" : !admit(turn, op)) return false;
  const length = parseDuration(op.until);
  const until = length === null ? parseMoment(op.until) : now + length;
  if (until === null) {
    const message = `Step "${op.label.name}" sleeps for "${op.until}", which is neither a duration nor a date.`;
    fail(turn, { name: "bad_reply", code: "bad_reply", message });
    return false;
  }
  if (until > now + RUN.timeout) {
    const message = `Step "${op.label.name}" sleeps until ${new Date(until).toISOString()}; the limit is 366 days.`;
    fail(turn, { name: "InngestErrTimeoutTooLong", code: "timeout_too_long", message });
    return false;
  }
  if (until <= now) return finish(turn, op, group, null);
  record(turn, { is: "sleeping", ...stepRef(op), group: known?.group ?? group, at: now, until });
  return false;
}

function stepRef({ id, label, race }: StepRef): StepRef {
  return { id, label, race };
}

function isFinished(turn: Turn, stepId: string): boolean {
  return turn.state.steps.get(stepId)?.status === "finished";
}

// A success in the same reply has reset the attempts: what failed after it failed for the first time (EX-9).
function current(turn: Turn, job: Job): Job {
  return turn.changes.some((change) => change.is === "finished") ? { ...job, attempt: 0 } : job;
}
