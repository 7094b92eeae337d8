/**
 * What a run has done, counted by the minute: calls of its app, results and their bytes (API-28, OB-17). Pure; part of the fold, so that a run
 * that is loaded again, and a report that is repeated, count the same. Counts only rise, and no minute changes after a later one began: whoever
 * knows an earlier report can tell what is new by subtraction.
 */
import { type Json, objectOf } from "../../json.ts";
import { METRICS } from "../../limits.ts";
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
  };
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
    case "finished":
      return { steps: 1, bytes: change.bytes };
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

function lengthOf({ due }: Job, at: number): number {
  return Math.max(0, at - due);
}
