/**
 * How a run is cancelled (CR-1): at once when nothing of it executes, otherwise when what executes has ended. Pure.
 * Guarantees that from the moment a cancellation is recorded nothing of the run begins and nothing it brings is kept (EX-11), and that the
 * first cause is the one that counts. A call that was lost has ended, under a limit when it has had the time to: whoever wakes the run says
 * what still executes.
 */
import { leaveTime } from "./admission.ts";
import type { Input } from "./decide.ts";
import type { CancelCause } from "./flow.ts";
import { countsSteps, outlastingCalls } from "./lines.ts";
import { isCurrent, type Job, type Outcome, type RunState } from "./state.ts";
import { record, recordCall, type Turn } from "./turn.ts";

/** The error of every cancelled run, as its end event carries it (CR-33). */
const CANCELLED = { error: "function cancelled", message: "function cancelled", name: "Error" } as const;

/** What became of the wish to cancel a run. `cancelling`: it ends when what executes has ended. `ended`: it had ended before. */
export type Cancelled = "cancelled" | "cancelling" | "ended" | "unknown";

/** Cancels the run. `executing` are the jobs whose call is in flight at this moment. */
export function cancel(turn: Turn, cause: CancelCause, executing: ReadonlySet<number>): void {
  const { cancelling: known, jobs } = turn.state;
  const counted = known === null ? cause : withChildren(known, cause);
  const over = [...jobs.values()].filter((job) => !executing.has(job.id) && !mayExecute(turn, job));
  const dropped = over.map(({ id }) => id);
  // A job of the app's own handler (EX-68) is none of the engine's calls: such a run ends at once, and the handler learns it when it reports.
  if (dropped.length === jobs.size) return end(turn, counted);
  if (counted !== known) record(turn, { is: "cancelling", cause: counted });
  for (const id of dropped) record(turn, { is: "done", job: id });
}

/**
 * What an input means to a run that is being cancelled. False when the run is not, or when the input is none of that: what is said about a
 * run is kept as ever.
 */
export function windDown(turn: Turn, input: Input): boolean {
  const { cancelling, outcome } = turn.state;
  if (cancelling === null || outcome !== null) return false;
  switch (input.kind) {
    case "reply":
    case "answered":
    case "forgotten":
    case "checkpoint":
      // A checkpoint stands between two steps, and its call is told to stop (EX-67). Until it has, it holds its unit (FC-10).
      if (isCurrent(turn.state, input.fence)) {
        recordCall(turn, input.fence.job, "call" in input ? input.call : undefined);
        discard(turn, cancelling, input.fence.job);
      }
      return true;
    case "wake":
      if (input.loaded === true) leaveTime(turn);
      cancel(turn, cancelling, input.delivering);
      return true;
    case "cancel":
      cancel(turn, input.cause, input.executing);
      return true;
    case "event":
    case "resolved":
    case "granted":
    case "passed":
    case "entered":
    case "failed":
      return true;
    case "responded":
    case "annotated":
      return false;
  }
}

/** The answer to one more wish to cancel a run that has ended. An operation that asks again after a crash gets the same answer again. */
export function answerToRepetition({ status, cause }: Outcome, wish: CancelCause): Cancelled {
  const repeated = wish.by === "bulk" && cause?.by === "bulk" && cause.cancellationId === wish.cancellationId;
  return status === "cancelled" && repeated ? "cancelled" : "ended";
}

/** Whether the runs that this one invoked and waits for are to be cancelled with it (EX-54). */
export function takesChildrenAlong({ outcome, cancelling }: RunState): boolean {
  return (outcome?.cause ?? cancelling)?.children === true;
}

/** Whether a call that nobody hears may be executing under a limit: what it holds is not given to others meanwhile (FC-10). */
function mayExecute({ state, moment }: Turn, { delivery, due }: Job): boolean {
  return delivery === "lost" && due > moment.now && countsSteps(state);
}

function discard(turn: Turn, cause: CancelCause, job: number): void {
  const outlasting = outlastingCalls(turn.state, turn.speaker, turn.moment.now);
  record(turn, { is: "done", job });
  if (turn.state.jobs.size === 0) end(turn, cause, outlasting);
}

function end(turn: Turn, cause: CancelCause, outlasting: readonly (number | null)[] = []): void {
  const calls = outlasting.length === 0 ? {} : { outlasting };
  record(turn, { is: "ended", status: "cancelled", output: CANCELLED, at: turn.moment.now, cause, ...calls });
}

function withChildren(known: CancelCause, wish: CancelCause): CancelCause {
  return wish.children === true && known.children !== true ? { ...known, children: true } : known;
}
