/**
 * Telling the world that a run has ended: its system events are routed like any other (CR-35). Owns their ids.
 * Guarantees that announcing twice has no second effect: ids derive from the run, and starting a run is idempotent.
 */
import type { Bindings } from "../bindings.ts";
import { endEvent, endEventNames } from "../decide/run/end-events.ts";
import type { RunState } from "../decide/run/state.ts";
import { derivedUlid } from "../ids.ts";
import type { AcceptedEvent, RoutedEvent } from "./event.ts";
import { publish } from "./publish.ts";

/** Publishes the end events of a run that has ended and returns what became of them. */
export async function announceEnd(bindings: Bindings, state: RunState, now: number): Promise<readonly RoutedEvent[]> {
  const { outcome, identity } = state;
  if (outcome === null) return [];
  const events = await Promise.all(
    endEventNames(state).map(async (name): Promise<AcceptedEvent> => {
      const id = await derivedUlid(outcome.at, name, identity.environmentId, identity.runId);
      return {
        internalId: id,
        receivedAt: outcome.at,
        source: "engine",
        deduplicationId: null,
        payload: endEvent(state, name, id),
      };
    }),
  );
  if (events.length === 0) return [];
  return (await publish(bindings, identity.environmentId, events, now)).events;
}
