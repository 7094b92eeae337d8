/**
 * An event as REST v1 shows it (API-7). Pure. Owns the JSON shape, a superset of protocol/11.
 */
import * as z from "zod";
import { ACCOUNT_ID, BRANCHES } from "../../environments/environment.ts";
import type { EventOutcome } from "../../events/event.ts";
import type { StoredEvent } from "../../history/message.ts";
import { anyJson } from "../../protocol/any-json.ts";
import { time } from "./reply.ts";
import { isoTime } from "./time.ts";

const object = z.record(z.string(), anyJson);

const outcomeReply = z.object({
  function_id: z.string(),
  function_slug: z.string(),
  outcome: z.enum(["started", "batched", "debounced", "skipped", "expression_error"]),
  reason: z.string().nullable(),
  run_id: z.string().nullable(),
  warnings: z.array(z.object({ option: z.string(), reason: z.string() })).optional(),
});

/** The form of an event. */
export const eventReply = z
  .object({
    internal_id: z.string(),
    account_id: z.string(),
    environment_id: z.string(),
    source: z.string(),
    source_id: z.null(),
    received_at: time,
    id: z.string(),
    name: z.string(),
    data: object,
    user: object,
    ts: z.number(),
    v: z.string().nullable(),
    meta: z.object({ sessions: object }).optional(),
    duplicate: z.boolean(),
    /** It named no branch and started nothing (EV-25). */
    parked: z.boolean(),
    outcomes: z.array(outcomeReply),
  })
  .meta({ id: "Event" });

/** The event object; `outcomes` names every function that considered it (EV-12), empty when nothing matched. */
export function eventJson(
  environmentId: string,
  { event, outcomes, duplicate }: StoredEvent,
): z.output<typeof eventReply> {
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
    data: { ...payload.data },
    user: { ...payload.user },
    ts: payload.ts,
    v: payload.v ?? null,
    ...(payload.meta === undefined ? {} : { meta: { sessions: { ...payload.meta.sessions } } }),
    duplicate,
    parked: environmentId === BRANCHES.id,
    outcomes: outcomes.map(outcomeJson),
  };
}

function outcomeJson(outcome: EventOutcome): z.output<typeof outcomeReply> {
  return {
    function_id: outcome.functionId,
    function_slug: outcome.functionSlug,
    outcome: outcome.outcome,
    reason: "reason" in outcome ? outcome.reason : null,
    run_id: "runId" in outcome ? (outcome.runId ?? null) : null,
    ...("warnings" in outcome && outcome.warnings !== undefined ? { warnings: [...outcome.warnings] } : {}),
  };
}
