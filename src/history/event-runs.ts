/**
 * The runs an event started (EV-8), with those that were started again from them. Owns which these are, and their order: newest first.
 * Callers have run `ensureSchema`.
 */
import type { Bindings } from "../bindings.ts";
import type { EventOutcome } from "../events/event.ts";
import type { RunRow, StoredEvent } from "./message.ts";
import type { Listing, Page } from "./page.ts";
import { readRuns } from "./read.ts";
import { rerunsOf } from "./reruns.ts";

/** The runs that an event's outcomes name, those included that windows have yet to start. */
export function runIdsOf(outcomes: readonly EventOutcome[]): string[] {
  return outcomes.flatMap((outcome) => ("runId" in outcome && outcome.runId !== undefined ? [outcome.runId] : []));
}

/** A page of the runs; those that windows have yet to start are not found, and left out. */
export async function runsOfEvent(
  bindings: Bindings,
  environmentId: string,
  { outcomes }: Pick<StoredEvent, "outcomes">,
  { limit, cursor }: Page,
): Promise<Listing<RunRow>> {
  const started = runIdsOf(outcomes);
  const again = await rerunsOf(bindings.DB, environmentId, started, { cursor, limit: limit + 1 });
  const runIds = [...started.filter((runId) => cursor === null || runId < cursor), ...again].sort().reverse();
  const shown = runIds.slice(0, limit);
  const items = await readRuns(bindings, environmentId, shown);
  return { items, nextCursor: runIds.length > limit ? (shown.at(-1) ?? null) : null };
}
