/**
 * What a run asks its lines for (FC-1, FC-13, FC-15): the questions about lines that a run's state answers. Pure.
 */
import type { LineRef } from "../capacity/line.ts";
import type { Job, RunState } from "./state.ts";

/** The lines of a run in the order of acquisition; none for a run that nothing limits. */
export function linesOf({ identity }: RunState): readonly LineRef[] {
  return identity.flow?.lines ?? NONE;
}

const NONE: readonly LineRef[] = [];

/** Whether executing steps of this run are counted, so that a lost call matters to others (FC-10). */
export function countsSteps(state: RunState): boolean {
  return linesOf(state).some(({ counts }) => counts === "steps");
}

/** Whether a job may be delivered at `now` (ms), as far as the run itself is concerned. */
export function isDeliverable(state: RunState, job: Job, now: number): boolean {
  // Under a limit a call that is not the job's first is on record before it is made (`admission.ts`).
  return job.due <= now && (job.delivery === "open" || !countsSteps(state));
}

/** What the run's jobs come to, as its lines count. */
export interface Work {
  /** Calls in hand. */
  readonly executing: number;
  /** Jobs that could be delivered if nothing limited them. */
  readonly due: number;
  /** Jobs whose lost call may still be executing. */
  readonly lost: number;
  /** It has its place among the whole runs. */
  readonly started: boolean;
  /** It had one, and gave it back because it is or was held. */
  readonly released: boolean;
  /** The throttle has let it start. */
  readonly admitted: boolean;
  readonly ended: boolean;
}

/** What a run's jobs come to. `executing` and `due` count jobs; `now` in ms. */
export function workOf(state: RunState, executing: number, due: number, now: number): Work {
  let lost = 0;
  for (const job of state.jobs.values()) if (job.delivery === "lost" && job.due > now) lost++;
  return {
    executing,
    due,
    lost,
    // A held run keeps its place until what it has in hand has ended.
    started: state.startedAt !== null && (!state.released || executing > 0),
    released: state.released,
    // A run may have started while there was no throttle.
    admitted: state.admitted || state.startedAt !== null,
    ended: state.outcome !== null,
  };
}
