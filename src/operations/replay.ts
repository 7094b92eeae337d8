/**
 * A replay's way through history (CR-22, CR-24): a page of runs, those of them that are chosen, and a new run for each. Owns which id a new
 * run has. Guarantees exactly one new run per chosen run: its id derives from the replay and the original, so that repeating a page, after a
 * crash or in another pass, starts nothing twice and gives the same count.
 */
import { catalogOf } from "../apps/catalog.ts";
import type { Bindings } from "../bindings.ts";
import { filterOf, isChosen } from "../decide/operation/choice.ts";
import type { OperationState, PageOutcome, ReplayRequest } from "../decide/operation/operation.ts";
import { existingRuns, type ReplayableRun, scanReplayable } from "../history/replayable.ts";
import { derivedUlid } from "../ids.ts";
import { REPLAY } from "../limits.ts";
import { conditionMet } from "./condition.ts";
import { type Chosen, type Outcome, startChosen } from "./start-chosen.ts";

/** Starts the runs of the next page. Throws when history or the catalog cannot be read; a run that cannot be reached counts as failed. */
export async function replayPage(
  bindings: Bindings,
  request: ReplayRequest,
  { cursor }: Pick<OperationState["pass"], "cursor">,
): Promise<PageOutcome> {
  const { environmentId, condition } = request;
  const nothing = { cursor, asked: 0, count: 0, failed: 0 };
  const fn = (await catalogOf(bindings, environmentId, Date.now())).functionById(request.function.id);
  if (fn === null || fn.archived) return { ...nothing, hold: "stop" };
  if (fn.paused !== null) return { ...nothing, hold: "wait" };

  const { rows, judged, acts } = REPLAY.page;
  const scanned = await scanReplayable(bindings.DB, environmentId, fn.id, { cursor, limit: rows });
  const chosen = await chosenIn(scanned, request);
  const ids = chosen.map(({ newId }) => newId);
  const known = await existingRuns(bindings.DB, environmentId, ids);
  const open = chosen.filter(({ newId }) => !known.has(newId));
  const looked = open.slice(0, condition === null ? acts : judged);
  const met =
    condition === null
      ? looked
      : await conditionMet(bindings, environmentId, { source: condition, place: "replay" }, looked);
  const page = met.slice(0, acts);
  const outcomes = await startChosen(bindings, request, fn, page);

  const held = page[outcomes.indexOf("busy")];
  const end =
    held === undefined ? endOf({ scanned, open, looked, met, page }) : (before(scanned, held) ?? cursor ?? "");
  const isSeen = ({ runId }: Chosen) => end === null || runId <= end;
  const count = (outcome: Outcome) => outcomes.filter((one) => one === outcome).length;
  return {
    cursor: end === "" ? null : end,
    asked: outcomes.length - count("busy"),
    count: count("started") + chosen.filter((run) => known.has(run.newId) && isSeen(run)).length,
    failed: count("failed"),
    lost: count("lost"),
    ...(held === undefined ? {} : { hold: "wait" }),
  };
}

async function chosenIn(scanned: readonly ReplayableRun[], request: ReplayRequest): Promise<Chosen[]> {
  const filter = filterOf(request);
  const { environmentId, id, createdAt } = request;
  const chosen = scanned.filter((run) => isChosen(filter, run));
  return await Promise.all(
    chosen.map(async (run) => ({
      ...run,
      newId: await derivedUlid(createdAt, "replay", environmentId, id, run.runId),
    })),
  );
}

/** The lists of a page, each a part of the one before it; all in the order of ids. */
interface Lists {
  readonly scanned: readonly ReplayableRun[];
  readonly open: readonly Chosen[];
  readonly looked: readonly Chosen[];
  readonly met: readonly Chosen[];
  readonly page: readonly Chosen[];
}

/** The last run that a page has seen to, with all before it; null when it has seen to all there are. */
function endOf({ scanned, open, looked, met, page }: Lists): string | null {
  const last = (cut: boolean, runs: readonly ReplayableRun[]) => (cut ? (runs.at(-1)?.runId ?? null) : null);
  return (
    last(met.length > page.length, page) ??
    last(open.length > looked.length, looked) ??
    last(scanned.length === REPLAY.page.rows, scanned)
  );
}

/** The run before this one; null when it is the first. */
function before(scanned: readonly ReplayableRun[], { runId }: Chosen): string | null {
  return scanned[scanned.findIndex((run) => run.runId === runId) - 1]?.runId ?? null;
}
