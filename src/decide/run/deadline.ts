/**
 * How long a run may take (CR-5, CR-6): until its first call begins, and from there to its end. Pure.
 * Owns when the time is over; that an executing step is never interrupted (CR-7) is cancellation's.
 */
import { cancel } from "./cancellation.ts";
import type { CancelCause } from "./flow.ts";
import type { RunState } from "./state.ts";
import type { Turn } from "./turn.ts";

/** When a run is cancelled for taking too long, ms since 1970, and why. */
export interface Deadline {
  readonly at: number;
  readonly cause: CancelCause;
}

/** The deadline that runs now; null when nothing limits the run, or when it is being cancelled already. */
export function deadlineOf({
  identity,
  startedAt,
  suspended,
  pausedFor,
  cancelling,
  outcome,
}: RunState): Deadline | null {
  const timeouts = identity.flow?.timeouts;
  if (timeouts === undefined || cancelling !== null || outcome !== null) return null;
  // The finish time-out does not run while the run is held (CR-15).
  if (startedAt !== null && suspended !== null) return null;
  // Standing in a line is what the start time-out is for: it counts from when the run was due, not from when its turn came.
  const [from, length, by] =
    startedAt === null
      ? ([identity.startAt, timeouts.start, "start_timeout"] as const)
      : ([startedAt + pausedFor, timeouts.finish, "finish_timeout"] as const);
  return length === null ? null : { at: from + length, cause: { by } };
}

/** Cancels the run when its time is over; true when it was. `executing` are the jobs whose call is in flight. */
export function expireRun(turn: Turn, executing: ReadonlySet<number>): boolean {
  const deadline = deadlineOf(turn.state);
  if (deadline === null || turn.moment.now < deadline.at) return false;
  cancel(turn, deadline.cause, executing);
  return true;
}
