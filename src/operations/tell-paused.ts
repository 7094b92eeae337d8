/**
 * Telling a function's unfinished runs of its pause, a page of history at a time. Owns which runs a page means.
 * Guarantees that repeating a page has no second effect: each run knows what it was told.
 */
import type { Bindings } from "../bindings.ts";
import type { Telling } from "../decide/pause/telling.ts";
import type { Standing } from "../decide/run/pausing.ts";
import { messageOf } from "../errors.ts";
import { inParallel } from "../events/parallel.ts";
import { scanRuns } from "../history/unfinished.ts";
import { encodeUlid } from "../ids.ts";
import { PAUSE } from "../limits.ts";
import { askRun } from "../runs/ask.ts";

/** What came of a page. `cursor` null: there are no more runs. */
export interface ToldPage {
  readonly cursor: string | null;
  /** Runs that could not be reached. */
  readonly failed: number;
}

/** Tells the runs of the next page. Throws when history cannot be read. */
export async function tellPage(
  bindings: Bindings,
  { environmentId, functionId }: { readonly environmentId: string; readonly functionId: string },
  telling: Telling,
): Promise<ToldPage> {
  const cursor = telling.cursor ?? (telling.pass === 0 ? null : youngest(telling.begunAt));
  const page = await scanRuns(bindings.DB, environmentId, functionId, { cursor, limit: PAUSE.rows });
  const standing = standingIn(telling);
  const open = page.filter(({ unfinished }) => unfinished);
  const reached = await inParallel(PAUSE.parallel, open, ({ runId }) => tell(bindings, environmentId, runId, standing));
  return {
    cursor: page.length === PAUSE.rows ? (page.at(-1)?.runId ?? null) : null,
    failed: reached.filter((was) => !was).length,
  };
}

/** What a run is told: an expired pause cancels like one that never meant to hold. */
function standingIn({ pause: { since, until, running }, expired }: Telling): Standing {
  const pause = { since, running: expired ? "cancel" : running } as const;
  return until === null ? { paused: pause, resumed: null } : { paused: null, resumed: { since, until, running } };
}

async function tell(bindings: Bindings, environmentId: string, runId: string, standing: Standing): Promise<boolean> {
  try {
    await askRun(bindings, environmentId, runId, (run) => run.heed(standing));
    return true;
  } catch (error) {
    console.error(`pause: run ${runId} could not be reached: ${messageOf(error)}`);
    return false;
  }
}

const NO_ENTROPY = new Uint8Array(10);

/** Ids made from a sender's seed carry the sender's clock, which may be off by minutes. */
function youngest(begunAt: number): string {
  return encodeUlid(Math.max(begunAt - PAUSE.young, 0), NO_ENTROPY);
}
