/**
 * How a run gets through its lines (FC-1, FC-15): what it records when it may start, when a job may execute, and when one waits for long.
 * Pure. Guarantees that a run without lines records nothing here.
 */
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
}
