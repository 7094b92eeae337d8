/**
 * What the pauses of its function mean to a run (CR-15, CR-16). Pure. A run learns of a pause when it is about to call, not before: nobody
 * writes to thousands of runs because one function is paused. While it is suspended everything goes on that needs no call: replies are
 * kept, waits match, sleeps end.
 * Guarantees that an old catalog does no harm: a pause counts once, and only somebody who knows its end ends it.
 */
import type { EndedPause, Pause, RegisteredFunction } from "../../apps/function.ts";
import { PAUSE } from "../../limits.ts";
import { cancel } from "./cancellation.ts";
import type { Job, RunState } from "./state.ts";
import { record, type Turn } from "./turn.ts";

/** What somebody knows of the function's pauses, perhaps from a catalog that is a few seconds old. */
export type Standing = Pick<RegisteredFunction, "paused" | "resumed">;

/** What a call between two steps has to know of its function's pauses, and which jobs have their call in flight. */
export interface Halt {
  readonly standing: Standing;
  readonly executing: ReadonlySet<number>;
}

/** Whether the run has to be told: it would be held, cancelled, let go on, or given more time. */
export function concerns(state: RunState, { paused, resumed }: Standing): boolean {
  if (state.outcome !== null || state.cancelling !== null) return false;
  const { suspended } = state;
  if (resumed !== null && isNews(state, resumed)) {
    return suspended !== null || lengthFor(state, resumed) > 0 || wasFatal(state, resumed);
  }
  return paused !== null && isNews(state, paused) && (suspended?.since !== paused.since || paused.running === "cancel");
}

/** Takes note of the function's pauses. `executing` are the jobs whose call is in flight. */
export function heed(turn: Turn, { paused, resumed }: Standing, executing: ReadonlySet<number>): void {
  const { state, moment } = turn;
  if (state.outcome !== null || state.cancelling !== null) return;
  if (resumed !== null && isNews(state, resumed)) {
    if (wasFatal(state, resumed)) return cancel(turn, CAUSE, executing);
    leave(turn, resumed);
  }
  const { suspended } = state;
  // A newer pause proves that the older one is over.
  if (suspended !== null && paused !== null && paused.since > suspended.since) {
    leave(turn, { since: suspended.since, until: paused.since });
  }
  if (paused !== null && isNews(state, paused)) {
    if (isFatal(paused, moment.now)) return cancel(turn, CAUSE, executing);
    if (state.suspended === null) record(turn, { is: "suspended", since: paused.since, at: moment.now });
  }
  // Whoever was told nothing for that long is not told any more.
  if (state.suspended !== null && moment.now >= state.suspended.since + PAUSE.hold) cancel(turn, CAUSE, executing);
}

/**
 * {@link heed} for a call that stands between two steps, because it just reported one (EX-66): it goes no further. Its job is delivered
 * again when the function is resumed, so that nothing this call still says counts.
 */
export function halt(turn: Turn, job: Job, { standing, executing }: Halt): void {
  const others = new Set(executing);
  others.delete(job.id);
  heed(turn, standing, others);
  if (turn.state.suspended !== null && turn.state.jobs.has(job.id)) record(turn, { is: "delivered", job: job.id });
}

/** When a suspended run looks again at its function, ms since 1970, should nobody tell it that it may go on; null for all others. */
export function pauseLook({ suspended, cancelling }: RunState, now: number): number | null {
  if (suspended === null || cancelling !== null) return null;
  const { first, max } = PAUSE.look;
  const look = now + Math.min(Math.max(now - suspended.at, first), max);
  return Math.min(look, suspended.since + PAUSE.hold);
}

/** How long a pause was. */
type Span = Pick<EndedPause, "since" | "until">;

const CAUSE = { by: "pause" } as const;

/** Whether a pause that has lasted until `until` (ms) cancels the runs in progress: they were not to be held, or not for so long. */
function isFatal({ since, running }: Pause, until: number): boolean {
  return running === "cancel" || until - since >= PAUSE.hold;
}

/** Whether a pause that is over should have cancelled this run. One that began later is none of its runs, by whichever clock. */
function wasFatal({ identity, suspended }: RunState, pause: EndedPause): boolean {
  return (suspended !== null || identity.queuedAt <= pause.since) && isFatal(pause, pause.until);
}

function isNews(state: RunState, pause: Pick<Pause, "since">): boolean {
  return pause.since > state.pausesOver && pause.since >= (state.suspended?.since ?? 0);
}

function leave(turn: Turn, pause: Span): void {
  const { suspended } = turn.state;
  const length = lengthFor(turn.state, suspended === null ? pause : { since: suspended.since, until: turn.moment.now });
  if (suspended !== null || length > 0) record(turn, { is: "resumed", since: pause.since, length });
}

/** How much later the run's finish time-out comes because it was held, or only its function was paused, for this time (ms). */
function lengthFor({ identity, startedAt }: RunState, { since, until }: Span): number {
  if (startedAt === null || (identity.flow?.timeouts.finish ?? null) === null) return 0;
  return Math.max(0, until - Math.max(since, startedAt));
}
