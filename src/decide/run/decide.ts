/**
 * The run's state machine: every input a run can get, and what it makes of it. Pure; the whole of EX is decided behind this door.
 * `decide` returns the new state and the one row to commit, or null when the input changes nothing (a late or repeated reply).
 * Effects follow from the new state alone (`effects.ts`), so that a crash after the commit loses none.
 */
import type { AcceptedEvent } from "../../events/event.ts";
import type { Json } from "../../json.ts";
import type { CallReply } from "../../protocol/call-reply.ts";
import type { MetadataChange } from "../../protocol/metadata.ts";
import type { Op, StepError } from "../../protocol/opcodes.ts";
import { grant, leaveTime, lookAfter, pass } from "./admission.ts";
import type { CallFacts } from "./call-facts.ts";
import { cancel, windDown } from "./cancellation.ts";
import type { Decision, FinishDetails } from "./change.ts";
import { expireRun } from "./deadline.ts";
import { replay } from "./evolve.ts";
import type { CancelCause } from "./flow.ts";
import { bytesAtBirth, type CopiedStep, takeOver } from "./fork.ts";
import type { RunIdentity } from "./identity.ts";
import { linesOf } from "./lines.ts";
import { annotate } from "./metadata.ts";
import { applyCheckpoint, applyOps, giveUp } from "./operations.ts";
import { type Halt, halt, heed, type Standing } from "./pausing.ts";
import { answer, expire, forget, offer, type RequestOutcome, resolve } from "./resolution.ts";
import { type Fence, HANDLER, isCurrent, type Job, type ResponseHead, type RunState, timeOf } from "./state.ts";
import { begin, complete, conclude, fail, type Moment, record, recordCall, retry, type Turn } from "./turn.ts";

/** What can happen to a run that exists. */
export type Input =
  /** A call of the app ended, one way or another. */
  | { readonly kind: "reply"; readonly fence: Fence; readonly reply: CallReply; readonly call?: CallFacts }
  /**
   * Time passed, or the object was loaded: everything due is done. `delivering` are the jobs whose call is in flight
   * in this very instance, those that wait for a place included; a due job that is not among them has lost its call and is delivered
   * again. `executing` are those that do not wait; absent: all of them. `standing`: what is known of the function's pauses. `waiting` are
   * the jobs that stand in a line, as this instance knows. `loaded`: it is a new instance, which has nothing in hand.
   */
  | {
      readonly kind: "wake";
      readonly delivering: ReadonlySet<number>;
      readonly executing?: ReadonlySet<number>;
      readonly standing?: Standing | undefined;
      readonly waiting?: ReadonlySet<number>;
      readonly loaded?: true;
    }
  /** A call that is still under way reports what it has finished (EX-66). With a `pause`, it may go no further. */
  | {
      readonly kind: "checkpoint";
      readonly fence: Fence;
      readonly ops: readonly Op[];
      readonly pause?: Halt | undefined;
    }
  /** An event that a waiting step may be waiting for. */
  | { readonly kind: "event"; readonly stepId: string; readonly event: AcceptedEvent }
  /** What a waiting step waited for: a signal's data, an invoked run's result. */
  | {
      readonly kind: "resolved";
      readonly stepId: string;
      readonly memo: Json;
      readonly by?: FinishDetails["by"];
    }
  /** The engine's own request has been made. */
  | {
      readonly kind: "answered";
      readonly fence: Fence;
      readonly outcome: RequestOutcome;
      readonly call?: CallFacts;
    }
  /** The engine's own request is no longer known to this instance. */
  | { readonly kind: "forgotten"; readonly fence: Fence }
  /** An endpoint's SDK told status and headers of its response, perhaps just after its last reply. */
  | { readonly kind: "responded"; readonly head: ResponseHead }
  /** Metadata written from outside, also after the run's end. */
  | { readonly kind: "annotated"; readonly changes: readonly MetadataChange[] }
  /** Its lines let it go on: `jobs` may execute, and with `admitted` the throttle has let the run start. */
  | { readonly kind: "granted"; readonly jobs: readonly number[]; readonly admitted: boolean }
  /** The line these jobs stood in has let them go on to the next one, which may not know of them yet. */
  | { readonly kind: "passed"; readonly jobs: readonly number[] }
  /** The singleton that it waited for is its own now (FC-43). */
  | { readonly kind: "entered" }
  /** Somebody cancels it; `executing` are the jobs whose call is in flight in this instance. */
  | { readonly kind: "cancel"; readonly cause: CancelCause; readonly executing: ReadonlySet<number> }
  /** Something the run asked for makes it impossible to go on. */
  | { readonly kind: "failed"; readonly error: StepError };

/** The result of a decision. */
export interface Decided {
  readonly state: RunState;
  readonly decision: Decision;
}

/** A run's birth: its first job is due at `identity.startAt` (EX-3, EV-10). `copies` are the results it takes over from another run (CR-26). */
export function start(identity: RunIdentity, moment: Moment, copies: readonly CopiedStep[] = []): Decided {
  const taken = takeOver(copies);
  const bytes = bytesAtBirth(identity, []);
  const { endpoint, flow, originalRunId } = identity;
  // The handler of an endpoint has begun already: its job becomes due only when it falls silent. Run again, it has none.
  const carried = endpoint !== undefined && originalRunId === null;
  const due = carried ? moment.now + endpoint.lease : Math.max(identity.startAt, moment.now);
  // A run with lines begins when they let it, and one that waits for its turn when it has come.
  const begun = carried || (due <= moment.now && !flow?.lines.length && flow?.waitsForTurn !== true);
  const decision: Decision = {
    at: moment.now,
    changes: [
      { is: "created", identity, bytes },
      ...(endpoint === undefined ? [] : [{ is: "negotiated", version: endpoint.version } as const]),
      ...taken,
      { is: "queued", stepId: null, due },
      // The first delivery of an endpoint's run is its handler's.
      ...(endpoint !== undefined && !carried ? [{ is: "delivered", job: HANDLER.job } as const] : []),
      ...(begun ? [{ is: "begun", at: moment.now } as const] : []),
    ],
  };
  const state = replay([decision]);
  if (state === null) throw new RangeError("A run's first decision must create it.");
  return { state, decision };
}

/** What the input makes of the run. */
export function decide(state: RunState, input: Input, moment: Moment): Decided | null {
  // What is said about a run may come after its end; nothing else changes it then.
  if (state.outcome !== null && input.kind !== "responded" && input.kind !== "annotated") return null;
  const turn = begin(state, { ...moment, now: timeOf(state, moment.now) }, speakerOf(state, input));
  if (windDown(turn, input)) return conclude(turn);
  switch (input.kind) {
    case "reply":
      fenced(turn, input.fence, (job) => {
        recordCall(turn, job.id, input.call);
        applyReply(turn, job, input.reply);
      });
      break;
    case "checkpoint":
      fenced(turn, input.fence, (job) => {
        applyCheckpoint(turn, job, input.ops);
        if (input.pause !== undefined) halt(turn, job, input.pause);
      });
      break;
    case "answered":
      fenced(turn, input.fence, (job) => {
        recordCall(turn, job.id, input.call);
        answer(turn, job, input.outcome);
      });
      break;
    case "forgotten":
      fenced(turn, input.fence, (job) => forget(turn, job));
      break;
    case "wake":
      wake(turn, input);
      break;
    case "event":
      offer(turn, input.stepId, input.event);
      break;
    case "resolved":
      resolve(turn, input.stepId, input.memo, input.by);
      break;
    case "responded":
      respond(turn, input.head);
      break;
    case "annotated":
      annotate(turn, input.changes);
      break;
    case "granted":
      grant(turn, input.jobs, input.admitted);
      break;
    case "passed":
      pass(turn, input.jobs);
      break;
    case "entered":
      enter(turn);
      break;
    case "cancel":
      cancel(turn, input.cause, input.executing);
      break;
    case "failed":
      fail(turn, input.error);
      break;
  }
  return conclude(turn);
}

/** The job whose call has said its last word by this. One that reports its progress has not, while its reply is still waited for. */
function speakerOf(state: RunState, input: Input): number | null {
  if (!("fence" in input) || !isCurrent(state, input.fence)) return null;
  const { job } = input.fence;
  return input.kind === "checkpoint" && state.jobs.get(job)?.delivery !== "lost" ? null : job;
}

/** Applies what a delivery brought, while that delivery is the current one of its job. */
function fenced(turn: Turn, fence: Fence, apply: (job: Job) => void): void {
  const job = turn.state.jobs.get(fence.job);
  if (job !== undefined && isCurrent(turn.state, fence)) apply(job);
}

function applyReply(turn: Turn, job: Job, reply: CallReply): void {
  if (reply.version !== null && turn.state.protocol === -1) record(turn, { is: "negotiated", version: reply.version });
  switch (reply.kind) {
    case "output":
      return complete(turn, reply.output);
    case "ops":
      return applyOps(turn, job, reply.ops, reply);
    case "error":
      // An error between steps, or of the transport: the job is tried again, then the run has failed (EX-24, EX-29).
      if (retry(turn, job, reply.error, reply.noRetry, reply.retryAt)) return;
      if (!giveUp(turn, job, reply.error)) fail(turn, reply.error);
  }
}

/** Until the run has ended the newest counts, because a handler may be entered again; then only the one that was missing. */
function respond(turn: Turn, head: ResponseHead): void {
  const { identity, outcome, response } = turn.state;
  if (identity.endpoint === undefined || (outcome !== null && response !== null)) return;
  record(turn, { is: "responded", head });
}

/** The run's turn has come: what is due begins, unless something else holds it back. */
function enter(turn: Turn): void {
  const { keptOut, suspended, jobs } = turn.state;
  if (!keptOut) return;
  record(turn, { is: "entered" });
  const { now } = turn.moment;
  const due = [...jobs.values()].some((job) => job.due <= now);
  if (due && suspended === null && linesOf(turn.state).length === 0) record(turn, { is: "begun", at: now });
}

function wake(turn: Turn, input: Extract<Input, { kind: "wake" }>): void {
  const { delivering, executing = delivering, standing, waiting, loaded = false } = input;
  const held = turn.state.suspended !== null;
  if (loaded) leaveTime(turn);
  if (standing !== undefined) heed(turn, standing, executing);
  const { outcome, cancelling } = turn.state;
  if (outcome !== null || cancelling !== null || expireRun(turn, executing)) return;
  const { now } = turn.moment;
  for (const job of [...turn.state.jobs.values()]) {
    if (turn.state.suspended !== null || turn.state.keptOut) break;
    if (job.due > now || delivering.has(job.id)) continue;
    // A held run called for none of these; what an instance lost while it was held is no longer waited for.
    if (linesOf(turn.state).length > 0 && !held) {
      lookAfter(turn, job, waiting?.has(job.id) ?? false);
      continue;
    }
    record(turn, { is: "delivered", job: job.id });
    if (turn.state.startedAt === null && linesOf(turn.state).length === 0) record(turn, { is: "begun", at: now });
  }
  expire(turn);
}
