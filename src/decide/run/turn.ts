/**
 * One decision in the making: facts recorded so far and the state they lead to. Owns the rules every input shares
 * (finishing a step, announcing one, ending the run) and their limits. Pure: time and chance come with the `Moment`.
 */
import type { EventPayload } from "../../events/event.ts";
import type { Json } from "../../json.ts";
import { RUN } from "../../limits.ts";
import type { StepError, StepLabel } from "../../protocol/opcodes.ts";
import { retryDelay } from "../retry.ts";
import type { CallFacts } from "./call-facts.ts";
import type { Change, Decision, FinishDetails } from "./change.ts";
import { applyChange, type Draft, draftOf } from "./evolve.ts";
import { outlastingCalls } from "./lines.ts";
import { type Job, maxAttempts, type Outcome, type RunState } from "./state.ts";

/** What a decision needs from outside. */
export interface Moment {
  /** ms since 1970. */
  readonly now: number;
  /** In [0, 1): the random share of a retry's wait. */
  readonly random: number;
  /** ms between attempts, 0 for the table (EX-21). */
  readonly retryInterval: number;
  /** Steps a run may have (EX-15). */
  readonly maxSteps: number;
  /** Bytes its state may have; absent: `RUN.stateBytes` (EX-14). */
  readonly stateBytes?: number;
}

/** A step as an operation names it. */
export interface StepRef {
  readonly id: string;
  readonly label: StepLabel;
  readonly race: boolean;
  /** The arguments it was executed with; absent when there are none, or more than traces keep. */
  readonly input?: Json;
}

/** A decision in the making. Its state is always the fold of what was recorded. */
export interface Turn {
  readonly moment: Moment;
  readonly state: Draft;
  readonly changes: Change[];
  /** The job whose call has said its last word by what this decides about; null when none has, or it counts no more. */
  readonly speaker: number | null;
}

/** Begins a decision; `speaker` as {@link Turn.speaker}. */
export function begin(state: RunState, moment: Moment, speaker: number | null = null): Turn {
  return { moment, state: draftOf(state), changes: [], speaker };
}

/** Records a fact. */
export function record(turn: Turn, change: Change): void {
  turn.changes.push(change);
  applyChange(turn.state, change, turn.moment.now);
}

/** Traces tell how the exchange was; what it brought is always news, so that this writes no row of its own. */
export function recordCall(turn: Turn, job: number, call: CallFacts | undefined): void {
  if (call !== undefined) record(turn, { is: "called", job, ...call });
}

/** What was decided: null when nothing changed and nothing needs to be written. */
export function conclude(turn: Turn): { state: RunState; decision: Decision } | null {
  if (turn.changes.length === 0) return null;
  turn.state.sequence++;
  turn.state.decidedAt = turn.moment.now;
  return { state: turn.state, decision: { at: turn.moment.now, changes: turn.changes } };
}

/** Queues a call of the app; `stepId` null discovers. Due now unless said otherwise. */
export function queue(turn: Turn, stepId: string | null, due = turn.moment.now): void {
  record(turn, { is: "queued", stepId, due });
}

/**
 * Makes room for a step the run does not know yet. False when the run knows it already, so that a repeated announcement
 * is a no-op, or when it is one too many, which ends the run (EX-15).
 */
export function admit(turn: Turn, step: StepRef): boolean {
  if (turn.state.outcome !== null) return false;
  if (turn.state.steps.has(step.id)) return false;
  if (turn.state.steps.size < turn.moment.maxSteps) return true;
  fail(turn, {
    name: "InngestErrFunctionOverflowed",
    code: "step_limit_exceeded",
    message: `The function run exceeded the step limit of ${turn.moment.maxSteps} steps.`,
  });
  return false;
}

/** Stores a step's result. The first result wins; a second one changes nothing (EX-4). True when it was stored. */
export function finish(turn: Turn, step: StepRef, group: number, memo: Json, details: FinishDetails = {}): boolean {
  const known = turn.state.steps.get(step.id);
  if (known?.status === "finished" || turn.state.outcome !== null) return false;
  if (known === undefined && !admit(turn, step)) return false;
  const bytes = jsonBytes(memo);
  const limit = turn.moment.stateBytes ?? RUN.stateBytes;
  if (turn.state.bytes + bytes > limit) {
    fail(turn, {
      name: "InngestErrStateOverflowed",
      code: "state_too_large",
      message: `The function run exceeded the state size limit of ${limit} bytes.`,
    });
    return false;
  }
  const label = known?.label ?? step.label;
  record(turn, {
    is: "finished",
    id: step.id,
    label,
    group: known?.group ?? group,
    race: known?.race ?? step.race,
    at: turn.moment.now,
    memo,
    bytes,
    ...(step.input === undefined ? {} : { input: step.input }),
    ...details,
  });
  return true;
}

/**
 * Tries a job again, or returns false when its attempts are used up or the error forbids another (EX-20, EX-22). `step` is what failed; absent
 * when it was code between steps.
 */
export function retry(
  turn: Turn,
  job: Job,
  error: Json,
  noRetry: boolean,
  retryAt: number | null,
  step?: Pick<StepRef, "id" | "label">,
): boolean {
  if (noRetry || job.attempt + 1 >= maxAttempts(turn.state)) return false;
  const { now, random, retryInterval } = turn.moment;
  const due = retryAt ?? now + retryDelay(job.attempt, retryInterval, random);
  const failed = step === undefined ? {} : { step: { id: step.id, label: step.label } };
  record(turn, { is: "retried", job: job.id, attempt: job.attempt + 1, due, error, at: now, ...failed });
  return true;
}

/** Ends the run with its output (EX-12). An output beyond the limit fails it instead (EX-13). */
export function complete(turn: Turn, output: Json): void {
  const bytes = jsonBytes(output);
  if (bytes > RUN.outputBytes) return fail(turn, outputTooLarge("function output", bytes));
  end(turn, "completed", output);
}

/** Ends the run as failed (CR-29). */
export function fail(turn: Turn, error: StepError): void {
  end(turn, "failed", error);
}

// Other branches may go on, and so may a call whose reply is still to come: what they hold is not given to others meanwhile.
function end(turn: Turn, status: Outcome["status"], output: Json): void {
  const { now } = turn.moment;
  const outlasting = outlastingCalls(turn.state, turn.speaker, now);
  record(turn, { is: "ended", status, output, at: now, ...(outlasting.length === 0 ? {} : { outlasting }) });
}

/** The error of a result that exceeds EX-13's limit. */
export function outputTooLarge(what: string, bytes: number): StepError {
  return {
    name: "output_too_large",
    code: "output_too_large",
    message: `The ${what} has ${bytes} bytes; the limit is ${RUN.outputBytes} bytes (4 MiB).`,
  };
}

/** Size of a value as UTF-8 JSON, bytes. Values come from parsed input, whose depth is bounded. */
export function jsonBytes(value: Json | EventPayload): number {
  return new TextEncoder().encode(JSON.stringify(value)).byteLength;
}
