/**
 * When the function is entered again (version negotiation, protocol/03 §3.4). Pure.
 * Owns the difference between the protocol versions; guarantees that an unfinished run never stands still without a reason.
 */
import { RUN } from "../../limits.ts";
import { hasPendingSteps, isGroupFinished, type Job } from "./state.ts";
import { fail, queue, record, type Turn } from "./turn.ts";

/** Whether finishing this step calls for a discovery: always in protocol 1, after the whole group in protocol 2. */
export function isContinuationDue(turn: Turn, stepId: string): boolean {
  const step = turn.state.steps.get(stepId);
  if (step === undefined || turn.state.outcome !== null) return false;
  return turn.state.protocol < 2 || step.race || isGroupFinished(turn.state, step.group);
}

/** Queues a discovery, or owes one when enough are under way (a protocol-1 run discovers after every single step). */
export function discover(turn: Turn): void {
  let running = 0;
  for (const job of turn.state.jobs.values()) if (job.stepId === null) running++;
  if (running < RUN.discoveries) queue(turn, null);
  else if (!turn.state.rediscover) record(turn, { is: "rediscover", owed: true });
}

/** Pays an owed discovery once a place is free. */
export function settle(turn: Turn): void {
  if (!turn.state.rediscover) return;
  record(turn, { is: "rediscover", owed: false });
  discover(turn);
}

/** A call found nothing new: fine while other work is open, asked once more otherwise, then the run fails (EX-73). */
export function nothingNew(turn: Turn, job: Job): void {
  record(turn, { is: "done", job: job.id });
  if (turn.state.jobs.size > 0 || hasPendingSteps(turn.state)) return settle(turn);
  if (turn.state.idle === 0) {
    record(turn, { is: "idle", calls: 1 });
    return queue(turn, null);
  }
  fail(turn, {
    name: "no_progress",
    code: "no_progress",
    message: `The function was entered ${turn.state.idle + 1} times in a row without a new step, a result or an error, and nothing is pending.`,
  });
}
