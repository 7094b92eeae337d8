/**
 * What an operation does next, by its kind. Owns nothing but the choice.
 */
import type { Bindings } from "../bindings.ts";
import type { OperationRequest, OperationState, PageOutcome } from "../decide/operation/operation.ts";
import { tallyReplays } from "../history/replayable.ts";
import { isFinal } from "../history/status.ts";
import { cancelPage } from "./bulk-cancellation.ts";
import { deletePage } from "./deletion.ts";
import { replayPage } from "./replay.ts";

/** Does the next page. Throws when it could not be done; it is to be done again then. */
export async function nextPage(bindings: Bindings, state: OperationState): Promise<PageOutcome> {
  const { request, pass } = state;
  switch (request.kind) {
    case "cancel":
      return await cancelPage(bindings, request, pass);
    case "replay":
      return await replayPage(bindings, request, pass);
    case "delete":
      return await deletePage(bindings, request, pass);
  }
}

/** How many of the runs that a replay started have ended, as far as history knows. */
export async function endedRuns(bindings: Bindings, { environmentId, id }: OperationRequest): Promise<number> {
  const tally = (await tallyReplays(bindings.DB, environmentId, [id])).get(id);
  return [...(tally ?? [])].reduce((sum, [status, count]) => (isFinal(status) ? sum + count : sum), 0);
}
