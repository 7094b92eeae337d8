/** Events and waits for the tests of this folder. */
import type { Wait } from "../../../../src/decide/waits/wait.ts";
import type { AcceptedEvent, EventPayload } from "../../../../src/events/event.ts";
import type { Json, JsonObject } from "../../../../src/json.ts";

export const NOW = 1_800_000_000_000;

export function payloadOf(data: Json, name = "app/paid"): EventPayload {
  // The tests also pass data that no accepted event has.
  return { name, data: data as JsonObject, id: "01", ts: NOW, user: {} };
}

export function anEvent(data: Json = {}, event: Partial<AcceptedEvent> = {}): AcceptedEvent {
  return {
    internalId: "incoming",
    receivedAt: NOW,
    source: "test",
    deduplicationId: null,
    payload: payloadOf(data),
    ...event,
  };
}

export function aWait(expression: string | null, trigger: Json = {}, wait: Partial<Wait> = {}): Wait {
  return {
    runId: "run",
    stepId: "step",
    since: NOW,
    expiresAt: NOW + 60_000,
    expression,
    event: payloadOf(trigger, "app/started"),
    triggers: ["trigger"],
    ...wait,
  };
}
