/**
 * How steps end that wait for something outside the app: an event, a signal, an invoked run, the clock, the engine's own request. Pure.
 * Guarantees exactly one outcome per step: whatever comes second finds the step finished (EX-46).
 */
import type { AcceptedEvent } from "../../events/event.ts";
import { compileCached } from "../../expressions/cache.ts";
import { evaluateCondition } from "../../expressions/evaluate.ts";
import type { Json, JsonObject } from "../../json.ts";
import { RUN } from "../../limits.ts";
import type { StepError } from "../../protocol/opcodes.ts";
import type { FinishDetails } from "./change.ts";
import { discover, isContinuationDue } from "./continuation.ts";
import { errorMemo, type Job, type Step, type WaitTarget } from "./state.ts";
import { finish, jsonBytes, outputTooLarge, record, retry, type Turn } from "./turn.ts";

/** What the engine's own request for a step came to. */
export type RequestOutcome =
  | { readonly ok: true; readonly memo: JsonObject }
  /** `retryAt` in ms, null for the back-off; not `retriable`: the step fails at once. */
  | { readonly ok: false; readonly error: StepError; readonly retryAt: number | null; readonly retriable: boolean };

/** Ends a waiting step with its memo. `by`: the run that was invoked. */
export function resolve(turn: Turn, stepId: string, memo: Json, by?: FinishDetails["by"]): void {
  const step = turn.state.steps.get(stepId);
  if (step?.status === "waiting") conclude(turn, step, memo, by);
}

/** An event was offered to a waiting step; it ends the step when it is the one waited for (EX-41 … EX-43, EX-45). */
export function offer(turn: Turn, stepId: string, event: AcceptedEvent): void {
  const step = turn.state.steps.get(stepId);
  if (step?.status !== "waiting" || step.on.kind !== "event" || step.on.event !== event.payload.name) return;
  // A run's own trigger never ends its waits.
  if (turn.state.identity.events.some((own) => own.event.internalId === event.internalId)) return;
  if (isWanted(turn, step.on, event)) conclude(turn, step, event.payload, { eventId: event.internalId });
}

/** Ends everything whose time has come. */
export function expire(turn: Turn): void {
  const { now } = turn.moment;
  let continues = false;
  for (const step of [...turn.state.steps.values()]) {
    const due = (step.status === "sleeping" || step.status === "waiting") && step.until <= now;
    if (!due || !finish(turn, step, step.group, step.status === "waiting" ? timeoutMemo(step.on) : null)) continue;
    continues ||= isContinuationDue(turn, step.id);
  }
  if (continues) discover(turn);
}

/** The engine's request of a job has been answered (EX-57, EX-59). */
export function answer(turn: Turn, job: Job, outcome: RequestOutcome): void {
  const step = job.stepId === null ? undefined : turn.state.steps.get(job.stepId);
  if (step === undefined) return;
  if (!outcome.ok && retry(turn, job, outcome.error, !outcome.retriable, outcome.retryAt, step)) return;
  record(turn, { is: "done", job: job.id });
  conclude(turn, step, outcome.ok ? within(outcome.memo, step) : errorMemo(outcome.error));
}

/** The request of a job is no longer in memory: the app is asked for it again. */
export function forget(turn: Turn, job: Job): void {
  const step = job.stepId === null ? undefined : turn.state.steps.get(job.stepId);
  if (step?.status !== "requesting") return;
  const { status: _, ...announced } = step;
  record(turn, { is: "done", job: job.id });
  record(turn, { is: "requesting", ...announced, attempt: job.attempt });
  discover(turn);
}

function conclude(turn: Turn, step: Step, memo: Json, by?: FinishDetails["by"]): void {
  const finished = finish(turn, step, step.group, memo, by === undefined ? {} : { by });
  if (finished && isContinuationDue(turn, step.id)) discover(turn);
}

function isWanted(turn: Turn, { condition }: Extract<WaitTarget, { kind: "event" }>, event: AcceptedEvent): boolean {
  if (condition === null) return true;
  const compiled = compileCached(condition, "wait");
  const trigger = turn.state.identity.events[0]?.event.payload ?? null;
  if (!compiled.ok || trigger === null) return false;
  const result = evaluateCondition(compiled.expression, { event: trigger, async: event.payload }, turn.moment.now);
  return result.ok && result.matched;
}

// A reply within its own limit may still exceed a step's once it is written as JSON (EX-13).
function within(memo: JsonObject, step: Step): JsonObject {
  const bytes = jsonBytes(memo);
  return bytes > RUN.outputBytes ? errorMemo(outputTooLarge(`result of step "${step.label.name}"`, bytes)) : memo;
}

// An invocation that takes too long is an error to the caller; the invoked run goes on (EX-52).
function timeoutMemo(target: WaitTarget): Json {
  if (target.kind !== "invoke") return null;
  const name = "InngestInvokeTimeoutError";
  const message = "Timed out waiting for invoked function to complete";
  return errorMemo({ name, message, error: `${name}: ${message}`, code: "invoke_timeout" });
}
