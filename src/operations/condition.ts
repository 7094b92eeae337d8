/**
 * The condition of an operation (XP-1): an expression over a run's trigger event, for replays its output too. Owns how these are found.
 * Guarantees that an expression which fails for a run leaves that run alone (XP-16).
 */
import type { Bindings } from "../bindings.ts";
import type { EventPayload } from "../events/event.ts";
import { compileCached } from "../expressions/cache.ts";
import { evaluateCondition } from "../expressions/evaluate.ts";
import { loadEvents } from "../history/events.ts";
import { loadOutputs } from "../history/outputs.ts";
import type { ScannedRun } from "../history/unfinished.ts";
import type { Json } from "../json.ts";
import { OPERATION } from "../limits.ts";
import { askRun } from "../runs/ask.ts";

/** A condition and what it is for. */
export interface OperationCondition {
  readonly source: string;
  readonly place: "bulk_cancel" | "replay";
}

/** What has to be known of a run to judge it. */
type Judged = Pick<ScannedRun, "runId" | "eventId">;

/** Those of the runs that satisfy the condition, which compiles. */
export async function conditionMet<Scanned extends Judged>(
  bindings: Bindings,
  environmentId: string,
  { source, place }: OperationCondition,
  runs: readonly Scanned[],
): Promise<Scanned[]> {
  const compiled = compileCached(source, place);
  if (!compiled.ok) return [];
  const met: Scanned[] = [];
  for (let i = 0; i < runs.length; i += OPERATION.events) {
    const some = runs.slice(i, i + OPERATION.events);
    const payloads = await triggersOf(bindings, environmentId, some);
    const runIds = some.map(({ runId }) => runId);
    const outputs =
      place === "replay" ? await loadOutputs(bindings.DB, environmentId, runIds) : new Map<string, Json>();
    for (const run of some) {
      const event = payloads.get(run.runId);
      if (event === undefined) continue;
      const output = outputs.get(run.runId) ?? null;
      const variables = place === "replay" ? { event, output } : { event };
      const result = evaluateCondition(compiled.expression, variables, Date.now());
      if (result.ok && result.matched) met.push(run);
    }
  }
  return met;
}

/** The first trigger event of each run, by run id. History has nearly all of them; a run whose event it lacks is asked. */
async function triggersOf(
  bindings: Bindings,
  environmentId: string,
  runs: readonly Judged[],
): Promise<Map<string, EventPayload>> {
  const ids = [...new Set(runs.flatMap(({ eventId }) => eventId ?? []))];
  const events = await loadEvents(bindings.DB, environmentId, ids);
  const byId = new Map(events.map(({ internalId, payload }) => [internalId, payload]));
  const payloads = new Map<string, EventPayload>();
  for (const { runId, eventId } of runs) {
    const known = eventId === null ? undefined : byId.get(eventId);
    const payload = known ?? (await askRun(bindings, environmentId, runId, (run) => run.events()))?.[0];
    if (payload !== undefined) payloads.set(runId, payload);
  }
  return payloads;
}
