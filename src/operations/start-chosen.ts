/**
 * Starting the new runs of a replay's page. Owns the order where a singleton lets only one go on at a time, and how much is in memory at once.
 * Guarantees that what fails for one run leaves the others alone.
 */
import type { RegisteredFunction } from "../apps/function.ts";
import type { Bindings } from "../bindings.ts";
import type { ReplayRequest } from "../decide/operation/operation.ts";
import { MillraceError, messageOf } from "../errors.ts";
import type { AcceptedEvent } from "../events/event.ts";
import { inParallel } from "../events/parallel.ts";
import { startAgain } from "../events/start-again.ts";
import { loadEvents } from "../history/events.ts";
import type { ReplayableRun } from "../history/replayable.ts";
import { OPERATION, REPLAY } from "../limits.ts";
import { findOriginal, isCarried, originalOf } from "../runs/original.ts";

/** A chosen run, with the id of its new run. */
export interface Chosen extends ReplayableRun {
  readonly newId: string;
}

/** What became of a start. `busy`: the singleton has another run; `lost`: what the run was made of is past its retention. */
export type Outcome = "started" | "busy" | "lost" | "failed";

/** What became of the starts of these runs, in their order. From the first that is busy on nothing was started, and none follows the last. */
export async function startChosen(
  bindings: Bindings,
  { environmentId, id }: ReplayRequest,
  fn: RegisteredFunction,
  chosen: readonly Chosen[],
): Promise<Outcome[]> {
  const parallel = fn.configuration.singleton === null ? REPLAY.parallel : 1;
  const outcomes: Outcome[] = [];
  let busy = false;
  for (const some of portions(chosen)) {
    if (busy) break;
    const events = await eventsOf(bindings, environmentId, some);
    const came = await inParallel(parallel, some, async (run) => {
      if (busy) return "busy";
      const outcome = await start(bindings, environmentId, { run, fn, events, replayId: id });
      busy ||= outcome === "busy";
      return outcome;
    });
    outcomes.push(...came);
  }
  return outcomes;
}

interface Start {
  readonly run: Chosen;
  readonly fn: RegisteredFunction;
  readonly events: ReadonlyMap<string, AcceptedEvent>;
  readonly replayId: string;
}

async function start(
  bindings: Bindings,
  environmentId: string,
  { run, fn, events, replayId }: Start,
): Promise<Outcome> {
  try {
    const own = run.eventIds.map((id) => events.get(id)).filter((event) => event !== undefined);
    // Few are not in history; and how the app's own handler was called only its run knows.
    const asked = own.length < run.eventIds.length || isCarried(run.eventName);
    const original = asked
      ? (await findOriginal(bindings, environmentId, run.runId, null)).original
      : originalOf(run, own);
    const again = { runId: run.newId, original, function: fn, replayId };
    const started = await startAgain(bindings, environmentId, again, { waits: false, now: Date.now() });
    return started === "busy" || started === "started" ? started : "lost";
  } catch (error) {
    if (error instanceof MillraceError && error.code === "run_deleted") return "lost";
    console.error(`replay ${replayId}: run ${run.runId} could not be started again: ${messageOf(error)}`);
    return "failed";
  }
}

async function eventsOf(
  bindings: Bindings,
  environmentId: string,
  runs: readonly Chosen[],
): Promise<Map<string, AcceptedEvent>> {
  const ids = [...new Set(runs.flatMap(({ eventIds }) => eventIds))];
  const events = await loadEvents(bindings.DB, environmentId, ids);
  return new Map(events.map((event) => [event.internalId, event]));
}

/** The runs in portions of few events each; a batch may be one by itself. */
function portions(runs: readonly Chosen[]): Chosen[][] {
  const all: Chosen[][] = [];
  let events = Number.POSITIVE_INFINITY;
  for (const run of runs) {
    events += run.eventIds.length;
    if (events > OPERATION.events) {
      all.push([]);
      events = run.eventIds.length;
    }
    all.at(-1)?.push(run);
  }
  return all;
}
