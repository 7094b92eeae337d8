/**
 * Waiting for a run's end on behalf of somebody who keeps a request open (API-14). Owns how the waiting is cut into questions: a run's object
 * may leave memory, and a run that a window is to start does not exist yet.
 */
import type { Bindings } from "../bindings.ts";
import { isFinal } from "../history/status.ts";
import type { RunView } from "../history/view.ts";
import { INVOKE } from "../limits.ts";
import { askRun } from "./ask.ts";

/** The run as it is when it has ended, or after `patience` ms; null when there is none by then. */
export async function awaitEnd(
  bindings: Bindings,
  environmentId: string,
  runId: string,
  patience: number,
): Promise<RunView | null> {
  const until = Date.now() + patience;
  for (;;) {
    const left = Math.min(Math.max(until - Date.now(), 0), INVOKE.question);
    const view = await askRun(bindings, environmentId, runId, (run) => run.end(left));
    if ((view !== null && isFinal(view.row.status)) || Date.now() >= until) return view;
    if (view === null) await scheduler.wait(INVOKE.look);
  }
}
