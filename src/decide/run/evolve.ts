/**
 * How facts change a run's state: the fold from log to state. It judges nothing, because a fact in the log has already happened.
 * Pure as seen from outside: every function copies the state once and changes only its own copy.
 */
import type { MetadataChange } from "../../protocol/metadata.ts";
import { countActivity, type MinuteOfActivity } from "./activity.ts";
import type { Change, Decision } from "./change.ts";
import type { Defer, Job, RunState, Step } from "./state.ts";

/** A copy of a state that its maker may change. */
export interface Draft
  extends Omit<
    { -readonly [K in keyof RunState]: RunState[K] },
    "stack" | "steps" | "jobs" | "defers" | "metadata" | "activity"
  > {
  readonly stack: string[];
  readonly steps: Map<string, Step>;
  readonly jobs: Map<number, Job>;
  readonly defers: Map<string, Defer>;
  readonly metadata: MetadataChange[];
  readonly activity: MinuteOfActivity[];
}

/** A copy to work on. */
export function draftOf(state: RunState): Draft {
  return {
    ...state,
    stack: [...state.stack],
    steps: new Map(state.steps),
    jobs: new Map(state.jobs),
    defers: new Map(state.defers),
    metadata: [...state.metadata],
    activity: [...state.activity],
  };
}

/** The state a whole log folds to, its first decision beginning with `created`; null for an empty log. */
export function replay(log: Iterable<Decision>): RunState | null {
  let draft: Draft | null = null;
  for (const decision of log) {
    for (const change of decision.changes) {
      if (draft === null) draft = created(change);
      else applyChange(draft, change, decision.at);
    }
    if (draft === null) continue;
    draft.sequence++;
    draft.decidedAt = decision.at;
  }
  return draft;
}

function created(change: Change): Draft {
  if (change.is !== "created") throw new RangeError(`A run's log must begin with its creation, not with ${change.is}.`);
  return {
    identity: change.identity,
    sequence: 0,
    decidedAt: 0,
    startedAt: null,
    keptOut: change.identity.flow?.waitsForTurn === true,
    admitted: false,
    suspended: null,
    released: false,
    pausesOver: 0,
    pausedFor: 0,
    cancelling: null,
    protocol: -1,
    stack: [],
    steps: new Map(),
    jobs: new Map(),
    defers: new Map(),
    metadata: [],
    metadataBytes: 0,
    activity: [],
    nextJob: 1,
    branched: false,
    rediscover: false,
    idle: 0,
    bytes: change.bytes,
    outcome: null,
    outlasting: [],
    response: null,
  };
}

/** Applies one fact to a draft; `at` is the time of its decision, ms. */
export function applyChange(draft: Draft, change: Change, at: number): void {
  countActivity(draft, change, at);
  switch (change.is) {
    case "created":
      return; // a run is created once; a repeated start never reaches the log
    case "begun":
      draft.startedAt = change.at;
      return;
    case "negotiated":
      draft.protocol = change.version;
      return;
    case "queued": {
      const id = draft.nextJob++;
      const { stepId, due, request = false, attempt = 0 } = change;
      draft.jobs.set(id, {
        id,
        stepId,
        request,
        attempt,
        generation: 1,
        due,
        lined: false,
        delivery: "open",
        failure: null,
      });
      return;
    }
    case "delivered":
      changeJob(draft, change.job, (job) => ({
        ...job,
        // Until it is repeated, what a lost call still reports of its progress counts (EX-66).
        generation: job.generation + (change.due === undefined ? 1 : 0),
        due: change.due ?? job.due,
        lined: false,
        delivery: change.due === undefined ? "open" : "lost",
      }));
      return;
    case "entered":
      draft.keptOut = false;
      return;
    case "admitted":
      draft.admitted = true;
      return;
    case "lined":
      changeJob(draft, change.job, (job) => ({ ...job, lined: true }));
      return;
    case "granted":
      changeJob(draft, change.job, (job) => ({ ...job, lined: false }));
      return;
    case "suspended":
      draft.suspended = { since: change.since, at: change.at };
      draft.released = draft.startedAt !== null;
      return;
    case "rejoined":
      draft.released = false;
      return;
    case "resumed":
      draft.suspended = null;
      draft.pausesOver = change.since;
      draft.pausedFor += change.length;
      return;
    case "cancelling":
      draft.cancelling = change.cause;
      return;
    case "retried": {
      const { attempt, due, error, at = due } = change;
      const failure = { at, error };
      changeJob(draft, change.job, (job) => ({
        ...job,
        attempt,
        due,
        failure,
        generation: job.generation + 1,
        delivery: "none",
      }));
      return;
    }
    case "called":
      return; // only traces ask how it was
    case "done":
      draft.jobs.delete(change.job);
      return;
    case "progressed":
      changeJob(draft, change.job, (job) => ({ ...job, attempt: 0, failure: null }));
      return;
    case "held":
      changeJob(draft, change.job, (job) => ({ ...job, due: change.due }));
      return;
    case "responded":
      draft.response = change.head;
      return;
    case "branched":
      draft.branched = true;
      return;
    case "rediscover":
      draft.rediscover = change.owed;
      return;
    case "idle":
      draft.idle = change.calls;
      return;
    case "planned": {
      const { is: _, ...step } = change;
      draft.steps.set(step.id, { ...step, status: "planned" });
      return;
    }
    case "sleeping": {
      const { is: _, ...step } = change;
      draft.steps.set(step.id, { ...step, status: "sleeping" });
      return;
    }
    case "waiting": {
      const { is: _, ...step } = change;
      draft.steps.set(step.id, { ...step, status: "waiting" });
      return;
    }
    case "requesting": {
      const { is: _, ...step } = change;
      draft.steps.set(step.id, { ...step, status: "requesting" });
      return;
    }
    case "deferred":
      draft.defers.set(change.id, change.defer);
      draft.bytes += change.bytes;
      return;
    case "annotated":
      draft.metadata.push(change.change);
      draft.metadataBytes += change.bytes;
      return;
    case "undeferred": {
      const defer = draft.defers.get(change.id);
      if (defer !== undefined) draft.defers.set(change.id, { ...defer, aborted: true });
      return;
    }
    case "finished": {
      const { is: _, bytes, at, as: _as, by: _by, input: _input, ai: _ai, ...step } = change;
      const begun = draft.steps.get(step.id)?.at ?? at;
      draft.steps.set(step.id, { ...step, at: begun, status: "finished", endedAt: at });
      draft.stack.push(step.id);
      draft.bytes += bytes;
      return;
    }
    case "ended": {
      const { is: _, outlasting = [], ...outcome } = change;
      draft.outcome = outcome;
      draft.outlasting = outlasting;
      draft.jobs.clear();
      draft.rediscover = false;
      return;
    }
  }
}

function changeJob(draft: Draft, id: number, change: (job: Job) => Job): void {
  const job = draft.jobs.get(id);
  if (job !== undefined) draft.jobs.set(id, change(job));
}
