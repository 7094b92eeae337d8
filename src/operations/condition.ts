/**
 * The condition of an operation (XP-1): an expression over a run's trigger event. Owns how the events are found.
 * Guarantees that an expression which fails for a run leaves that run alone (XP-16).
 */
import type { Bindings } from "../bindings.ts";
import type { EventPayload } from "../events/event.ts";
import { compileCached } from "../expressions/cache.ts";
import { evaluateCondition } from "../expressions/evaluate.ts";
import { loadEvents } from "../history/events.ts";
import type { ScannedRun } from "../history/unfinished.ts";
import { OPERATION } from "../limits.ts";
import { askRun } from "../runs/ask.ts";

/** Those of the runs whose trigger event satisfies the condition, which compiles. */
export async function conditionMet(
  bindings: Bindings,
  environmentId: string,
  condition: string,
  runs: readonly ScannedRun[],
): Promise<ScannedRun[]> {
  const compiled = compileCached(condition, "bulk_cancel");
  if (!compiled.ok) return [];
  const met: ScannedRun[] = [];
  for (let i = 0; i < runs.length; i += OPERATION.events) {
    const some = runs.slice(i, i + OPERATION.events);
    const payloads = await triggersOf(bindings, environmentId, some);
    for (const run of some) {
      const event = payloads.get(run.runId);
      if (event === undefined) continue;
      const result = evaluateCondition(compiled.expression, { event }, Date.now());
      if (result.ok && result.matched) met.push(run);
    }
  }
  return met;
}

/** The first trigger event of each run, by run id. History has nearly all of them; a run whose event it lacks is asked. */
async function triggersOf(
  bindings: Bindings,
  environmentId: string,
  runs: readonly ScannedRun[],
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
