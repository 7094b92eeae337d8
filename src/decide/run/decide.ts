/**
 * The run's state machine: every input a run can get, and what it makes of it. Pure; the whole of EX is decided behind this door.
 * `decide` returns the new state and the one row to commit, or null when the input changes nothing (a late or repeated reply).
 * Effects follow from the new state alone (`effects.ts`), so that a crash after the commit loses none.
 */
import type { CallReply } from "../../protocol/call-reply.ts";
import type { Decision } from "./change.ts";
import { replay } from "./evolve.ts";
import type { RunIdentity } from "./identity.ts";
import { applyOps, discover, isContinuationDue } from "./operations.ts";
import { type Fence, isCurrent, type RunState } from "./state.ts";
import { begin, complete, conclude, fail, finish, jsonBytes, type Moment, record, retry, type Turn } from "./turn.ts";

/** What can happen to a run that exists. */
export type Input =
  /** A call of the app ended, one way or another. */
  | { readonly kind: "reply"; readonly fence: Fence; readonly reply: CallReply }
  /**
   * Time passed, or the object was loaded: everything due is done. `delivering` are the jobs whose call is in flight
   * in this very instance; a due job that is not among them has lost its call and is delivered again.
   */
  | { readonly kind: "wake"; readonly delivering: ReadonlySet<number> };

/** The result of a decision. */
export interface Decided {
  readonly state: RunState;
  readonly decision: Decision;
}

/** A run's birth: its first job is due at `identity.startAt` (EX-3, EV-10). */
export function start(identity: RunIdentity, moment: Moment): Decided {
  const bytes = identity.events.reduce((sum, { event }) => sum + jsonBytes(event.payload), 0);
  const due = Math.max(identity.startAt, moment.now);
  const decision: Decision = {
    at: moment.now,
    changes: [
      { is: "created", identity, bytes },
      { is: "queued", stepId: null, due },
      ...(due <= moment.now ? [{ is: "begun", at: moment.now } as const] : []),
    ],
  };
  const state = replay([decision]);
  if (state === null) throw new RangeError("A run's first decision must create it.");
  return { state, decision };
}

/** What the input makes of the run. */
export function decide(state: RunState, input: Input, moment: Moment): Decided | null {
  if (state.outcome !== null) return null;
  const turn = begin(state, moment);
  switch (input.kind) {
    case "reply":
      if (!isCurrent(state, input.fence)) return null;
      applyReply(turn, input.fence, input.reply);
      break;
    case "wake":
      wake(turn, input.delivering);
      break;
  }
  return conclude(turn);
}

function applyReply(turn: Turn, fence: Fence, reply: CallReply): void {
  const job = turn.state.jobs.get(fence.job);
  if (job === undefined) return;
  if (reply.version !== null && turn.state.protocol === -1) record(turn, { is: "negotiated", version: reply.version });
  switch (reply.kind) {
    case "output":
      return complete(turn, reply.output);
    case "ops":
      return applyOps(turn, job, reply.ops, reply);
    case "error":
      // An error between steps, or of the transport: the job is tried again, then the run has failed (EX-24, EX-29).
      if (!retry(turn, job, reply.error, reply.noRetry, reply.retryAt)) fail(turn, reply.error);
  }
}

function wake(turn: Turn, delivering: ReadonlySet<number>): void {
  const { now } = turn.moment;
  for (const job of [...turn.state.jobs.values()]) {
    if (job.due > now || delivering.has(job.id)) continue;
    record(turn, { is: "delivered", job: job.id });
    if (turn.state.startedAt === null) record(turn, { is: "begun", at: now });
  }
  let continues = false;
  for (const step of [...turn.state.steps.values()]) {
    if (step.status !== "sleeping" || step.until > now) continue;
    if (finish(turn, step, step.group, null) && isContinuationDue(turn, step.id)) continues = true;
  }
  if (continues) discover(turn);
}
