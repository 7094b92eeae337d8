/**
 * What has to be done for a run in a given state: which calls to make and when to look again. Pure, derived from the state alone,
 * so that a restarted object finds the same answer in its log.
 */
import { RUN } from "../../limits.ts";
import { isHeld, type Job, type RunState } from "./state.ts";

const NOTHING: ReadonlySet<number> = new Set();

/** Jobs that are due and not being delivered by this instance. */
export function dueJobs(state: RunState, delivering: ReadonlySet<number>, now: number): Job[] {
  if (state.outcome !== null) return [];
  return [...state.jobs.values()].filter((job) => job.due <= now && !delivering.has(job.id));
}

/**
 * When the run must be looked at next, ms since 1970; null when nothing can become due.
 * `watchdog` is how long a call in flight, or a wait not yet `registered`, may go unwatched: the answer may never come, and only
 * an alarm survives a crash.
 */
export function nextLook(state: RunState, now: number, watchdog: number, registered = true): number | null {
  if (state.outcome !== null) return now + RUN.confirmation;
  let next = registered ? Number.POSITIVE_INFINITY : now + watchdog;
  for (const job of state.jobs.values()) next = Math.min(next, job.due > now ? job.due : now + watchdog);
  if (state.steps.size > state.stack.length) {
    for (const step of state.steps.values()) {
      if (step.status === "sleeping" || step.status === "waiting") next = Math.min(next, step.until);
    }
  }
  return next === Number.POSITIVE_INFINITY ? null : next;
}

/** Whether the run sleeps with nothing due, so that an alarm which comes too early would wake it for nothing. */
export function isDormant(state: RunState, registered: boolean, now: number): boolean {
  // A handler's silence is looked at when the alarm comes; moving the alarm with each of its reports would cost a row each.
  return state.outcome === null && registered && !isHeld(state) && dueJobs(state, NOTHING, now).length === 0;
}
