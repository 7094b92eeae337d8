/**
 * What a replay would choose (CR-22), before it is begun. Owns how far it looks: without a condition history counts, with one a bounded number
 * of runs is judged. Starts nothing.
 */
import type { Bindings } from "../bindings.ts";
import { filterOf, isChosen } from "../decide/operation/choice.ts";
import type { ReplayRequest } from "../decide/operation/operation.ts";
import { countReplayable, scanReplayable } from "../history/replayable.ts";
import { REPLAY } from "../limits.ts";
import { conditionMet } from "./condition.ts";

/** How many runs are chosen. Not `exact`: at least so many; there are more to judge. */
export interface Preview {
  readonly count: number;
  readonly exact: boolean;
}

/** What of a request decides which runs are chosen. */
export type Choice = Pick<
  ReplayRequest,
  "environmentId" | "function" | "statuses" | "after" | "before" | "condition" | "createdAt"
>;

/** The runs that history knows now. Callers have run `ensureSchema`. */
export async function preview(bindings: Bindings, choice: Choice): Promise<Preview> {
  const { environmentId, function: fn, condition } = choice;
  const filter = filterOf(choice);
  if (condition === null) {
    return { count: await countReplayable(bindings.DB, environmentId, fn.id, filter), exact: true };
  }
  let count = 0;
  let judged = 0;
  let cursor: string | null = null;
  do {
    const page = await scanReplayable(bindings.DB, environmentId, fn.id, { cursor, limit: REPLAY.page.rows });
    const chosen = page.filter((run) => isChosen(filter, run));
    const some = chosen.slice(0, REPLAY.preview - judged);
    count += (await conditionMet(bindings, environmentId, { source: condition, place: "replay" }, some)).length;
    judged += some.length;
    if (some.length < chosen.length) return { count, exact: false };
    cursor = page.length === REPLAY.page.rows ? (page.at(-1)?.runId ?? null) : null;
  } while (cursor !== null);
  return { count, exact: true };
}

/**
 * {@link preview} for a replay that is to be begun: as long as nothing is chosen it looks again for `REPLAY.patience`, because what ended just
 * now may be on its way to history.
 */
export async function patientPreview(bindings: Bindings, choice: Choice): Promise<Preview> {
  const until = Date.now() + REPLAY.patience;
  for (;;) {
    const chosen = await preview(bindings, choice);
    const isYoung = Math.min(choice.before, choice.createdAt) > Date.now() - 2 * REPLAY.patience;
    if (chosen.count > 0 || !chosen.exact || !isYoung || Date.now() >= until) return chosen;
    await scheduler.wait(REPLAY.look);
  }
}
