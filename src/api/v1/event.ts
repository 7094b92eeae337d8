/**
 * An event as REST v1 shows it (API-7). Pure. Owns the JSON shape, a superset of protocol/11.
 */
import { ACCOUNT_ID } from "../../environment.ts";
import type { EventOutcome } from "../../events/event.ts";
import type { StoredEvent } from "../../history/message.ts";
import type { JsonObject } from "../../json.ts";
import { isoTime } from "./time.ts";

/** The event object; `outcomes` names every function that considered it (EV-12), empty when nothing matched. */
export function eventJson(environmentId: string, { event, outcomes, duplicate }: StoredEvent): JsonObject {
  const { payload } = event;
  return {
    internal_id: event.internalId,
    account_id: ACCOUNT_ID,
    environment_id: environmentId,
    source: event.source,
    source_id: null,
    received_at: isoTime(event.receivedAt),
    id: payload.id,
    name: payload.name,
    data: payload.data,
    user: payload.user,
    ts: payload.ts,
    v: payload.v ?? null,
    ...(payload.meta === undefined ? {} : { meta: { sessions: payload.meta.sessions } }),
    duplicate,
    outcomes: outcomes.map(outcomeJson),
  };
}

function outcomeJson(outcome: EventOutcome): JsonObject {
  return {
    function_id: outcome.functionId,
    function_slug: outcome.functionSlug,
    outcome: outcome.outcome,
    reason: "reason" in outcome ? outcome.reason : null,
    run_id: "runId" in outcome ? (outcome.runId ?? null) : null,
    ...("warnings" in outcome && outcome.warnings !== undefined ? { warnings: outcome.warnings } : {}),
  };
}
