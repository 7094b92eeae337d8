/**
 * A bulk cancellation's way through history (CR-9): a page of runs, those of them that are meant, and the wish to cancel each.
 * Owns which runs are meant. Guarantees that repeating a page has no second effect and gives the same count.
 */
import type { Bindings } from "../bindings.ts";
import type { CancelRequest, OperationState, PageOutcome } from "../decide/operation/operation.ts";
import { messageOf } from "../errors.ts";
import { inParallel } from "../events/parallel.ts";
import { type ScannedRun, scanRuns } from "../history/unfinished.ts";
import { OPERATION } from "../limits.ts";
import { askRun } from "../runs/ask.ts";
import { conditionMet } from "./condition.ts";

/** Cancels the runs of the next page. Throws when history cannot be read; a run that cannot be reached only counts as failed. */
export async function cancelPage(
  bindings: Bindings,
  request: CancelRequest,
  pass: Pick<OperationState["pass"], "cursor">,
): Promise<PageOutcome> {
  const { environmentId, id, condition } = request;
  const { rows, acts } = OPERATION.page;
  const scanned = await scanRuns(bindings.DB, environmentId, request.function.id, { cursor: pass.cursor, limit: rows });
  const from = request.after ?? Number.NEGATIVE_INFINITY;
  // A run of the very ms in which the operation was created may be younger than it (CR-11).
  const until = Math.min(request.before, request.createdAt);
  const meant = scanned.filter(
    (run) => run.queuedAt >= from && run.queuedAt < until && (run.unfinished || isDone(run, id)),
  );
  const page = meant.slice(0, acts);
  const done = page.filter((run) => isDone(run, id));
  const open = page.filter((run) => run.unfinished);
  const wanted =
    condition === null
      ? open
      : await conditionMet(bindings, environmentId, { source: condition, place: "bulk_cancel" }, open);
  const answers = await inParallel(OPERATION.parallel, wanted, (run) => cancel(bindings, environmentId, run, id));
  const last = meant.length > acts ? page.at(-1) : scanned.length === rows ? scanned.at(-1) : undefined;
  return {
    cursor: last?.runId ?? null,
    asked: wanted.length,
    count: done.length + answers.filter((answer) => answer === "done").length,
    failed: answers.filter((answer) => answer === "failed").length,
  };
}

function isDone({ cancelReason }: ScannedRun, id: string): boolean {
  return cancelReason?.by === "bulk" && cancelReason.cancellationId === id;
}

async function cancel(
  bindings: Bindings,
  environmentId: string,
  { runId }: ScannedRun,
  cancellationId: string,
): Promise<"done" | "passed" | "failed"> {
  try {
    const answer = await askRun(bindings, environmentId, runId, (run) => run.cancel({ by: "bulk", cancellationId }));
    return answer === "cancelled" || answer === "cancelling" ? "done" : "passed";
  } catch (error) {
    console.error(`cancellation ${cancellationId}: run ${runId} could not be reached: ${messageOf(error)}`);
    return "failed";
  }
}
