/**
 * Cancelling a run from outside (CR-8). Owns the answer for runs whose object is gone: those have ended.
 */
import type { Bindings } from "../bindings.ts";
import type { Cancelled } from "../decide/run/cancellation.ts";
import type { CancelCause } from "../decide/run/flow.ts";
import { MillraceError } from "../errors.ts";
import { findRun } from "../history/runs.ts";
import { isUlid } from "../ids.ts";
import { askRun } from "./ask.ts";

/**
 * Cancels a run at somebody's request. Resolves when that is durable: the run is cancelled, or will be as soon as what executes has ended.
 * Throws `run_not_found` and `run_ended`. The database's schema must be in place.
 */
export async function cancelRun(
  bindings: Bindings,
  environmentId: string,
  runId: string,
  cause: CancelCause,
): Promise<Exclude<Cancelled, "ended" | "unknown">> {
  const unknown = `No run has the id "${runId}".`;
  if (!isUlid(runId)) throw new MillraceError("run_not_found", unknown);
  const answer = await askRun(bindings, environmentId, runId, (run) => run.cancel(cause));
  switch (answer) {
    case "cancelled":
    case "cancelling":
      return answer;
    case "unknown":
      if ((await findRun(bindings.DB, environmentId, runId)) === null)
        throw new MillraceError("run_not_found", unknown);
      break;
    case "ended":
      break;
  }
  throw new MillraceError("run_ended", `The run "${runId}" has ended; only a run that has not can be cancelled.`);
}
