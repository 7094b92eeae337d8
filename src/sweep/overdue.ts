/**
 * Runs that nobody looked at when it was time (I4, row 8): found in history, asked, and left alone until they are due again.
 * Guarantees that a sweep costs what is overdue and nothing for runs that sleep, and that one which cannot be asked keeps no others waiting.
 */
import type { Bindings } from "../bindings.ts";
import { forgetRuns, type OverdueRun, overdueRuns, postponeRuns } from "../history/overdue.ts";
import { SWEEP } from "../limits.ts";
import { askRun } from "../runs/ask.ts";
import { settingsOf } from "../settings.ts";
import { askEach } from "./asking.ts";

/** Asks the overdue runs of an environment, as many as one sweep may. Throws what D1 throws. */
export async function rouseOverdue(bindings: Bindings, environmentId: string): Promise<void> {
  const { page, pages } = SWEEP.runs;
  for (let i = 0; i < pages; i++) {
    const overdue = await overdueRuns(bindings.DB, environmentId, Date.now() - SWEEP.margin, page);
    await rouse(bindings, environmentId, overdue);
    if (overdue.length < page) return;
  }
}

async function rouse(bindings: Bindings, environmentId: string, overdue: readonly OverdueRun[]): Promise<void> {
  const answers = await askEach(
    overdue,
    ({ runId }) => `run ${runId}`,
    ({ runId }) => askRun(bindings, environmentId, runId, (run) => run.rouse()),
  );
  const now = Date.now();
  // An object that leaves nothing behind has ended, and its retention was over.
  const oldest = now - settingsOf(bindings).retention;
  const left = overdue.filter(({ queuedAt }, i) => answers[i] === null && queuedAt < oldest);
  const asked = overdue.flatMap((run, i) =>
    left.includes(run) ? [] : [{ ...run, until: againAt(run, answers[i], now) }],
  );
  await postponeRuns(bindings.DB, environmentId, asked);
  await forgetRuns(
    bindings.DB,
    environmentId,
    left.map(({ runId }) => runId),
  );
}

function againAt({ runId }: OverdueRun, due: number | null | undefined, now: number): number {
  if (due !== null) return Math.max(due ?? now, now + SWEEP.again);
  console.error(`sweep: run ${runId} is unfinished in history, and its object knows nothing of it`);
  return now + SWEEP.unknown;
}
