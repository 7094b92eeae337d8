/**
 * What a run asks its lines for (FC-1, FC-13, FC-15): the questions about lines that a run's state answers. Pure.
 */
import { CAPACITY } from "../../limits.ts";
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
  /** Calls that nobody hears and that may still be executing. */
  readonly lost: number;
  /** It has its place among the whole runs. */
  readonly started: boolean;
  /** It had one, and gave it back because it is or was held. */
  readonly released: boolean;
  /** The throttle has let it start. */
  readonly admitted: boolean;
  readonly ended: boolean;
}

/**
 * What a run's jobs come to. `executing` and `due` count jobs; `now` in ms. `endFoundAt`: when this instance found in the log that the run
 * had ended, ms; null when the run goes on, or has ended here.
 */
export function workOf(
  state: RunState,
  executing: number,
  due: number,
  now: number,
  endFoundAt: number | null = null,
): Work {
  return {
    executing,
    due,
    lost: lostUntil(state, endFoundAt).filter((until) => until > now).length,
    // A held run keeps its place until what it has in hand has ended.
    started: state.startedAt !== null && (!state.released || executing > 0),
    released: state.released,
    // A run may have started while there was no throttle.
    admitted: state.admitted || state.startedAt !== null,
    ended: state.outcome !== null,
  };
}

/** Until when each call that nobody hears may still be executing, ms (FC-10). `endFoundAt` as for {@link workOf}. */
export function lostUntil({ jobs, outlasting }: RunState, endFoundAt: number | null): number[] {
  const lost = [...jobs.values()].flatMap(({ delivery, due }) => (delivery === "lost" ? [due] : []));
  // Another instance has heard them, and this one does not.
  const unheard = endFoundAt === null ? [] : [endFoundAt + CAPACITY.orphan];
  return [...lost, ...outlasting.flatMap((until) => until ?? unheard)];
}

/** The calls of a run that go on when it ends at `now` (ms), as {@link RunState.outlasting}; `speaker` is the job whose call does not. */
export function outlastingCalls(state: RunState, speaker: number | null, now: number): (number | null)[] {
  if (!countsSteps(state) || state.startedAt === null) return [];
  return [...state.jobs.values()].flatMap(({ id, delivery, due, lined }) => {
    if (id === speaker || lined) return [];
    if (delivery === "lost") return due > now ? [due] : [];
    return delivery === "open" && due <= now ? [null] : [];
  });
}
