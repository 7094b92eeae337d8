/**
 * What has to be done for a run in a given state: which calls to make and when to look again. Pure, derived from the state alone,
 * so that a restarted object finds the same answer in its log.
 */
import { CAPACITY, RERUN, RUN } from "../../limits.ts";
import { deadlineOf } from "./deadline.ts";
import { countsSteps, isDeliverable } from "./lines.ts";
import { pauseLook } from "./pausing.ts";
import { hasPendingSteps, isHeld, type Job, type RunState, timeOf } from "./state.ts";

/** Jobs that are due and not being delivered by this instance. */
export function dueJobs(state: RunState, delivering: ReadonlySet<number>, now: number): Job[] {
  // What is left of a run that is being cancelled executes, or was lost and is not repeated (CR-1). A held run begins nothing, nor does one
  // that waits for its turn.
  if (state.outcome !== null || state.cancelling !== null || state.suspended !== null || state.keptOut) return [];
  return [...state.jobs.values()].filter((job) => isDeliverable(state, job, now) && !delivering.has(job.id));
}

/**
 * Jobs whose call an instance that ends at `now` (ms) may leave behind. Those under a limit on executing steps have rules of their own
 * (`admission.ts`), and requests of the engine leave nothing that could report.
 */
export function jobsInHand(state: RunState, now: number): Job[] {
  if (state.outcome !== null || state.startedAt === null || countsSteps(state)) return [];
  const time = timeOf(state, now);
  return [...state.jobs.values()].filter(({ due, lined, request }) => due <= time && !lined && !request);
}

/**
 * When the run must be looked at next, ms since 1970; null when nothing can become due.
 * `watchdog` is how long a call in flight, or a wait not yet `registered`, may go unwatched: the answer may never come, and only
 * an alarm survives a crash.
 */
export function nextLook(state: RunState, now: number, watchdog: number, registered = true): number | null {
  if (state.outcome !== null) return now + RUN.confirmation;
  let next = Math.min(
    registered ? Number.POSITIVE_INFINITY : now + watchdog,
    deadlineOf(state)?.at ?? Number.POSITIVE_INFINITY,
  );
  const look = pauseLook(state, now) ?? turnLook(state, now);
  if (look !== null) next = Math.min(next, look);
  else for (const job of state.jobs.values()) next = Math.min(next, lookAt(job, now, watchdog));
  if (state.steps.size > state.stack.length && state.cancelling === null) {
    for (const step of state.steps.values()) {
      if (step.status === "sleeping" || step.status === "waiting") next = Math.min(next, step.until);
    }
  }
  return next === Number.POSITIVE_INFINITY ? null : next;
}

/** Whether the run has to ask for the singleton it waits for (FC-43). Before it is due it must not keep others from it. */
export function awaitsTurn({ keptOut, outcome, identity }: RunState, now: number): boolean {
  return keptOut && outcome === null && now >= identity.startAt;
}

function turnLook({ keptOut, identity: { startAt } }: RunState, now: number): number | null {
  if (!keptOut) return null;
  const { first, max } = RERUN.turn;
  return now < startAt ? startAt : now + Math.min(Math.max(now - startAt, first), max);
}

// Whoever stands in a line trusts that it will call. The look is counted from when the job was due, so that it does not move all the time.
function lookAt({ due, lined }: Job, now: number, watchdog: number): number {
  if (due > now) return due;
  return lined ? due + CAPACITY.look * (Math.floor((now - due) / CAPACITY.look) + 1) : now + watchdog;
}

/**
 * Whether an alarm that comes too early would wake the run for nothing: nothing is due, and others know of it, because it stands in a line
 * or is held. One that sleeps or waits is woken once all the same: what it told history of itself may have been lost with its instance, and
 * until it wakes nobody else would know of it.
 */
export function isDormant(state: RunState, registered: boolean, now: number): boolean {
  if (state.suspended === null && !state.keptOut && ![...state.jobs.values()].some(({ lined }) => lined)) return false;
  // A handler's silence is looked at when the alarm comes; moving the alarm with each of its reports would cost a row each.
  if (state.cancelling !== null) return false;
  return state.outcome === null && registered && !isHeld(state) && !isWorkDue(state, now);
}

function isWorkDue({ jobs, suspended, keptOut }: RunState, now: number): boolean {
  return suspended === null && !keptOut && [...jobs.values()].some(({ due, lined }) => due <= now && !lined);
}

/** Whether the run rests until after `time` (ms), cancellations aside: it was put off, or sleeps, and nobody else can wake it. */
export function restsBeyond(state: RunState, time: number): boolean {
  if (state.outcome !== null || state.cancelling !== null) return false;
  for (const { due } of state.jobs.values()) if (due <= time) return false;
  if (!hasPendingSteps(state)) return true;
  return [...state.steps.values()].every(
    (step) =>
      step.status === "finished" || step.status === "planned" || (step.status === "sleeping" && step.until > time),
  );
}
