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

function hasToRejoin(state: RunState): boolean {
  return state.released && linesOf(state).some(({ counts }) => counts === "runs");
}

/** Whether a grant is news: the deliveries it allows come after the row it writes. */
export function isGrantNews(state: RunState, jobs: readonly Job[], admitted: boolean): boolean {
  if ((admitted && !state.admitted) || hasToRejoin(state)) return true;
  return jobs.some(({ lined }) => lined || state.startedAt === null);
}

/**
 * Looks after a due job of a run with lines that is not in hand. `waiting`: it stands in a line, which knows. `lost`: this is a new instance
 * of the run, and a call that an earlier one made may still be executing.
 */
export function lookAfter(turn: Turn, job: Job, { waiting, lost }: { waiting: boolean; lost: boolean }): void {
  const { state, moment } = turn;
  if (job.lined) return;
  // Nothing of a run that has not started was ever called: its lines are asked again.
  if (waiting) record(turn, { is: "lined", job: job.id });
  else if (state.startedAt === null) return;
  else if (!countsSteps(state) || job.delivery !== "open") record(turn, { is: "delivered", job: job.id });
  else if (lost) record(turn, { is: "delivered", job: job.id, due: moment.now + CAPACITY.orphan });
}
