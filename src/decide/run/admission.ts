/**
 * How a run gets through its lines (FC-1, FC-15): what it records when it may start, when a job may execute, and when one waits for long.
 * Pure. Guarantees that a run without lines records nothing here, and that under a limit on executing steps nothing is delivered while an
 * earlier call of it that nobody hears may still be executing (FC-10).
 */
import { CAPACITY } from "../../limits.ts";
import { countsSteps, linesOf } from "./lines.ts";
import type { Job, RunState } from "./state.ts";
import { record, type Turn } from "./turn.ts";

/** The lines let these jobs execute from now on; `admitted`: the throttle has let the run start. */
export function grant(turn: Turn, jobs: readonly number[], admitted: boolean): void {
  if (admitted && !turn.state.admitted) record(turn, { is: "admitted" });
  for (const id of jobs) {
    const job = turn.state.jobs.get(id);
    if (job === undefined) continue;
    if (job.lined) record(turn, { is: "granted", job: id });
    if (turn.state.startedAt === null) record(turn, { is: "begun", at: turn.moment.now });
  }
  if (jobs.length > 0 && hasToRejoin(turn.state)) record(turn, { is: "rejoined" });
}

/** These jobs are past the line they stood in, which calls for them no more: until the next one does, the run looks after them itself (I4). */
export function pass(turn: Turn, jobs: readonly number[]): void {
  for (const id of jobs) if (turn.state.jobs.get(id)?.lined === true) record(turn, { is: "granted", job: id });
}

function hasToRejoin(state: RunState): boolean {
  return state.released && linesOf(state).some(({ counts }) => counts === "runs");
}

/** Whether a grant is news: the deliveries it allows come after the row it writes. */
export function isGrantNews(state: RunState, jobs: readonly Job[], admitted: boolean): boolean {
  if ((admitted && !state.admitted) || hasToRejoin(state)) return true;
  return jobs.some(({ lined }) => lined || state.startedAt === null);
}

/** Calls that an earlier instance may have had in hand have so long to end, whatever becomes of the run meanwhile (FC-10). */
export function leaveTime(turn: Turn): void {
  const { state, moment } = turn;
  if (!countsSteps(state) || state.startedAt === null || state.suspended !== null) return;
  for (const { id, delivery, due, lined } of [...state.jobs.values()]) {
    if (delivery === "open" && due <= moment.now && !lined)
      record(turn, { is: "delivered", job: id, due: moment.now + CAPACITY.orphan });
  }
}

/**
 * Looks after a due job of a run with lines that is not in hand. `waiting`: it stands in a line, which knows.
 */
export function lookAfter(turn: Turn, job: Job, waiting: boolean): void {
  const { state } = turn;
  if (job.lined) return;
  // Nothing of a run that has not started was ever called: its lines are asked again.
  if (waiting) record(turn, { is: "lined", job: job.id });
  else if (state.startedAt === null) return;
  else if (!countsSteps(state) || job.delivery !== "open") record(turn, { is: "delivered", job: job.id });
}
