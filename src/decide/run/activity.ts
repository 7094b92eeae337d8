/**
 * What a run has done, counted by the minute: calls of its app, results and their bytes (API-28, OB-17). Pure; part of the fold, so that a run
 * that is loaded again, and a report that is repeated, count the same. Counts only rise, and no minute changes after a later one began: whoever
 * knows an earlier report can tell what is new by subtraction.
 */
import { type Json, objectOf } from "../../json.ts";
import { METRICS } from "../../limits.ts";
import { type ModelCalls, oneCall, withCalls } from "./ai-activity.ts";
import type { Change } from "./change.ts";
import type { Draft } from "./evolve.ts";
import type { Job } from "./state.ts";

/** What was counted in one minute. Calls are those of the app; requests that the engine makes for a step are none. */
export interface MinuteOfActivity {
  /** Minutes since 1970. */
  readonly minute: number;
  /** Calls that became owed, and calls that have ended: well, with a retry to come, for good. */
  readonly scheduled: number;
  readonly succeeded: number;
  readonly errored: number;
  readonly failed: number;
  /** Bytes of results, as JSON. */
  readonly bytes: number;
  /** Steps that have a result. */
  readonly steps: number;
  /** ms that the ended calls took. */
  readonly busy: number;
  /** Calls that followed a step, and ms from its result to the call's beginning, of all of them (OB-19). Absent: 0, like all that follows. */
  readonly followed?: number;
  readonly lag?: number;
  /** Timers that fired too late: sleeps, time-outs, retries, delayed starts. */
  readonly late?: number;
  /** Calls of models, by model (OB-12). */
  readonly ai?: readonly ModelCalls[];
}

type Counts = Partial<Omit<MinuteOfActivity, "minute">>;

/** Counts a fact that is about to be applied to the draft; `at` is the time of its decision, ms. */
export function countActivity(draft: Draft, change: Change, at: number): void {
  const counts = countsOf(draft, change, at);
  if (counts === null) return;
  const minute = Math.floor(at / METRICS.bucket);
  const last = draft.activity.at(-1);
  const open = last !== undefined && (last.minute >= minute || draft.activity.length >= METRICS.minutesOfRun);
  const before = open ? last : { ...NOTHING, minute };
  if (open) draft.activity.pop();
  draft.activity.push(sum(before, counts));
}

const NOTHING = { scheduled: 0, succeeded: 0, errored: 0, failed: 0, bytes: 0, steps: 0, busy: 0 };

function sum(before: MinuteOfActivity, counts: Counts): MinuteOfActivity {
  return {
    minute: before.minute,
    scheduled: before.scheduled + (counts.scheduled ?? 0),
    succeeded: before.succeeded + (counts.succeeded ?? 0),
    errored: before.errored + (counts.errored ?? 0),
    failed: before.failed + (counts.failed ?? 0),
    bytes: before.bytes + (counts.bytes ?? 0),
    steps: before.steps + (counts.steps ?? 0),
    busy: before.busy + (counts.busy ?? 0),
    ...added("followed", before, counts),
    ...added("lag", before, counts),
    ...added("late", before, counts),
    ...addedCalls(before.ai ?? [], counts.ai ?? []),
  };
}

/** What is nearly always 0 takes no place in reports. */
function added(name: "followed" | "lag" | "late", before: Counts, counts: Counts): Counts {
  const total = (before[name] ?? 0) + (counts[name] ?? 0);
  return total === 0 ? {} : { [name]: total };
}

function addedCalls(before: readonly ModelCalls[], more: readonly ModelCalls[]): Counts {
  const calls = more.reduce(withCalls, before);
  return calls.length === 0 ? {} : { ai: calls };
}

function countsOf(draft: Draft, change: Change, at: number): Counts | null {
  switch (change.is) {
    case "queued":
      return change.request === true || isCarried(draft) ? null : { scheduled: 1 };
    case "retried": {
      const job = called(draft, change.job);
      return job === null ? null : { errored: 1, scheduled: 1, busy: lengthOf(job, at) };
    }
    case "done": {
      const job = called(draft, change.job);
      if (job === null) return null;
      return { ...(endedBadly(draft, at) ? { failed: 1 } : { succeeded: 1 }), busy: lengthOf(job, at) };
    }
    case "granted": {
      // Standing in a line is no call: what `done` is going to count of it is taken off beforehand.
      const job = called(draft, change.job);
      return job === null ? null : { busy: -lengthOf(job, at) };
    }
    case "begun": {
      const { startAt, queuedAt } = draft.identity;
      return startAt > queuedAt ? lateBy(draft, change.at - startAt) : null;
    }
    case "called": {
      // The engine makes a request for a model itself; what the app asks one is told with its step's result.
      if (change.request?.via === "ai") return { ai: [oneCall({ ...change.request, latency: at - change.began })] };
      const job = called(draft, change.job);
      if (job === null) return null;
      const waited = Math.max(0, change.began - job.due);
      if (job.attempt > 0) return lateBy(draft, waited);
      // The first call of a run has figures of its own, and one that is repeated follows its own loss.
      const follows = job.id > 1 && job.generation === 1 && isUnhindered(draft);
      return follows ? { followed: 1, lag: waited } : null;
    }
    case "finished": {
      const step = draft.steps.get(change.id);
      const timed = step?.status === "sleeping" || step?.status === "waiting";
      const asked = change.ai === undefined ? {} : { ai: [oneCall(change.ai)] };
      return { steps: 1, bytes: change.bytes, ...(timed ? lateBy(draft, at - step.until) : {}), ...asked };
    }
    case "ended": {
      const [job] = [...draft.jobs.values()].filter((one) => !one.request);
      if (job === undefined || change.status === "cancelled" || isHandler(draft, job)) return null;
      return { ...(change.status === "failed" ? { failed: 1 } : { succeeded: 1 }), busy: lengthOf(job, at) };
    }
    // Everything else is no call and no result.
    default:
      return null;
  }
}

/** The job of that number, if it is a call that the engine makes of the app. */
function called(draft: Draft, id: number): Job | null {
  const job = draft.jobs.get(id);
  return job === undefined || job.request || isHandler(draft, job) ? null : job;
}

/** Its first job is carried by the app's own handler (EX-68); this is asked before that job exists. */
function isCarried({ identity, nextJob }: Draft): boolean {
  return identity.endpoint !== undefined && identity.originalRunId === null && nextJob === 1;
}

function isHandler({ identity }: Draft, { id, generation }: Job): boolean {
  return identity.endpoint !== undefined && id === 1 && generation === 1;
}

/** The result that the same decision stored last is an error. */
function endedBadly({ stack, steps }: Draft, at: number): boolean {
  const last = steps.get(stack.at(-1) ?? "");
  return last?.status === "finished" && last.endedAt === at && isError(last.memo);
}

function isError(memo: Json): boolean {
  const names = Object.keys(objectOf(memo));
  return names.length === 1 && names[0] === "error";
}

/** A timer that fired so many ms after its time. What a limit or a pause holds back is not late. */
function lateBy(draft: Draft, ms: number): Counts | null {
  return ms > METRICS.late && isUnhindered(draft) ? { late: 1 } : null;
}

function isUnhindered({ identity, suspended, pausesOver, keptOut }: Draft): boolean {
  return (identity.flow?.lines.length ?? 0) === 0 && suspended === null && pausesOver === 0 && !keptOut;
}

function lengthOf({ due }: Job, at: number): number {
  return Math.max(0, at - due);
}
