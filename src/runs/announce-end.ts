/**
 * The events of a run's end: its system events and its deferred calls, routed like any others (CR-35, EX-71). Owns their ids.
 * Guarantees that announcing twice has no second effect: ids derive from the run, and starting a run is idempotent.
 */
import type { Bindings } from "../bindings.ts";
import { deferredEvents, endEvent, endEventNames } from "../decide/run/end-events.ts";
import type { RunState } from "../decide/run/state.ts";
import type { AcceptedEvent, EventPayload, RoutedEvent } from "../events/event.ts";
import { publish } from "../events/publish.ts";
import { record } from "../history/record.ts";
import { derivedUlid } from "../ids.ts";

/** The internal id of an event of a run's end, which was at `at` (ms since 1970): `key` is the name of a system event. */
export function endEventId(
  { environmentId, runId }: { readonly environmentId: string; readonly runId: string },
  key: string,
  at: number,
): Promise<string> {
  return derivedUlid(at, key, environmentId, runId);
}

/** Publishes the events of a run that has ended and returns what became of them. */
export async function announceEnd(bindings: Bindings, state: RunState, now: number): Promise<readonly RoutedEvent[]> {
  const { outcome, identity } = state;
  if (outcome === null) return [];
  const accept = async (key: string, payload: (id: string) => EventPayload): Promise<AcceptedEvent> => {
    const internalId = await endEventId(identity, key, outcome.at);
    return {
      internalId,
      receivedAt: outcome.at,
      source: "engine",
      deduplicationId: null,
      depth: identity.depth + 1,
      payload: payload(internalId),
    };
  };
  const events = await Promise.all([
    ...endEventNames(state).map((name) => accept(name, (id) => endEvent(state, name, id))),
    ...deferredEvents(state).map(({ deferId, payload }) => accept(`defer ${deferId}`, payload)),
  ]);
  if (events.length === 0) return [];
  const published = await publish(bindings, identity.environmentId, events, now);
  // The run's report carries the events themselves.
  await record(bindings, identity.environmentId, { unreported: [], skipped: published.skipped });
  return published.events;
}
