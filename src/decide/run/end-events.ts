/**
 * The system events of a run's end (CR-29 … CR-34, protocol/06 §6.7). Pure: ids are arguments.
 * Guarantees at most one event of a kind per run, and none for runs that such an event started (TR-20).
 */
import type { EventPayload } from "../../events/event.ts";
import { type Json, type JsonObject, objectOf } from "../../json.ts";
import { CAUSES } from "./flow.ts";
import type { Outcome, RunState } from "./state.ts";

/** Names of the events that end a run; a run triggered by one of them emits none. */
const END_EVENTS = ["inngest/function.finished", "inngest/function.failed", "inngest/function.cancelled"] as const;
type EndEvent = (typeof END_EVENTS)[number];

const STATUS = { completed: "Completed", failed: "Failed", cancelled: "Cancelled" } as const;

/** The names of the events this ended run has to emit, in order. Empty while it goes on. */
export function endEventNames({ identity, outcome }: Pick<RunState, "identity" | "outcome">): EndEvent[] {
  const trigger = identity.events[0]?.event.payload.name;
  if (outcome === null || END_EVENTS.some((name) => name === trigger)) return [];
  switch (outcome.status) {
    case "completed":
      return ["inngest/function.finished"];
    case "failed":
      return ["inngest/function.finished", "inngest/function.failed"];
    case "cancelled":
      return ["inngest/function.finished", "inngest/function.cancelled"];
  }
}

/** One end event with the given id (ULID). The run must have ended. */
export function endEvent(state: RunState, name: EndEvent, id: string): EventPayload {
  const { identity, outcome } = state;
  const trigger = identity.events[0]?.event.payload;
  if (outcome === null || trigger === undefined) throw new RangeError("Only a run that has ended emits end events.");
  const result: JsonObject = outcome.status === "completed" ? { result: outcome.output } : { error: errorOf(outcome) };
  return {
    name,
    id,
    ts: outcome.at,
    user: {},
    data: {
      ...result,
      event: trigger,
      events: identity.events.map(({ event }) => event.payload),
      function_id: identity.function.slug,
      run_id: identity.runId,
      ...(identity.parent === null ? {} : { correlation_id: `${identity.parent.runId}.${identity.parent.stepId}` }),
      _inngest: {
        status: STATUS[outcome.status],
        ...(outcome.cause === undefined ? {} : { cause: CAUSES[outcome.cause.by] }),
      },
    },
    ...(trigger.meta === undefined ? {} : { meta: trigger.meta }),
  };
}

// A cancelled run has the same few words, whatever the cause (CR-33).
function errorOf({ status, output }: Outcome): JsonObject {
  return status === "cancelled" ? objectOf(output) : errorText(output);
}

// `error.error` is "Name: message" (spec/00 "System events"); transport failures are their own text.
function errorText(output: Json): JsonObject {
  const error = objectOf(output);
  const name = typeof error["name"] === "string" ? error["name"] : "Error";
  const message = typeof error["message"] === "string" ? error["message"] : "";
  return { ...error, name, message, error: "code" in error ? message : `${name}: ${message}`, __serialized: true };
}

/** The deferred calls that the end of a run sets off (EX-71): one event each, unless aborted or the run was cancelled. */
export function deferredEvents(state: RunState): { deferId: string; payload: (id: string) => EventPayload }[] {
  const { identity, outcome } = state;
  if (outcome === null || outcome.status === "cancelled") return [];
  return [...state.defers]
    .filter(([, defer]) => !defer.aborted)
    .map(([deferId, { functionSlug, input, meta }]) => {
      const sessions = objectOf(objectOf(meta)["sessions"]);
      const origin = {
        fn_slug: functionSlug,
        parent_fn_slug: identity.function.slug,
        parent_run_id: identity.runId,
      };
      const payload = (id: string): EventPayload => ({
        name: "inngest/deferred.schedule",
        id,
        ts: outcome.at,
        user: {},
        data: { ...objectOf(input), _inngest: origin },
        ...(Object.keys(sessions).length === 0 ? {} : { meta: { sessions } }),
      });
      return { deferId, payload };
    });
}
