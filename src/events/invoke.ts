/**
 * Invoking a function by name (TR-17, protocol/01 §1.8). Owns the form of the event that does it; everything after is as for any event.
 */
import { catalogOf } from "../apps/catalog.ts";
import type { RegisteredFunction } from "../apps/function.ts";
import type { Bindings } from "../bindings.ts";
import { MillraceError } from "../errors.ts";
import { runIdFor } from "../ids.ts";
import { acceptedEvent, internalIds, senderOf } from "./accept.ts";
import { splitEvents } from "./body.ts";
import type { AcceptedEvent, EventOutcome } from "./event.ts";
import { checkFields, parseWithin } from "./incoming.ts";
import { ingest } from "./ingest.ts";
import { gathers, INVOKED } from "./route.ts";

/** What invoking takes: the function's slug or UUID, and the request that asks for it. */
export interface Invocation {
  readonly slug: string;
  /** The event's internal id; absent: from the request's seed, or a new one. */
  readonly eventId?: string;
  /** JSON text of an event-like object: `data`, `user` and the other fields of EV-3; its `name` is ignored. */
  readonly body: string;
  readonly headers: Headers;
}

/** What became of an invocation. */
export interface Invoked {
  /** The event's internal id. */
  readonly eventId: string;
  /** The run, or the entry of a skipped one; null when there is none, or when it is not known yet. */
  readonly runId: string | null;
  /** Why nothing was started; null when it was. */
  readonly skipped: string | null;
}

/**
 * Starts a run of the function and resolves when it is durable. `now` in ms.
 * Throws `function_not_found`, and for the body what the Event API throws.
 */
export async function invoke(
  bindings: Bindings,
  environmentId: string,
  invocation: Invocation,
  { now, maxEventBytes }: { now: number; maxEventBytes: number },
): Promise<Invoked> {
  const event = invokedEvent(invocation, { now, maxEventBytes });
  const target = invocable((await catalogOf(bindings, environmentId, now)).functionNamed(invocation.slug), invocation);
  const [routed] = await ingest(bindings, environmentId, [event], now);
  return await invokedBy(environmentId, target, event.internalId, routed?.outcomes ?? []);
}

/** A function that can be invoked. Throws `function_not_found`. */
export function invocable(target: RegisteredFunction | null, { slug }: Pick<Invocation, "slug">): RegisteredFunction {
  if (target !== null && !target.archived) return target;
  throw new MillraceError("function_not_found", `No function has the id "${slug}".`);
}

/** What became of an invocation, by the outcomes of its event; none while its fan-out is pending. */
export async function invokedBy(
  environmentId: string,
  target: RegisteredFunction,
  eventId: string,
  outcomes: readonly EventOutcome[],
): Promise<Invoked> {
  const own = outcomes.find(({ functionId }) => functionId === target.id);
  if (own === undefined) {
    // The run of a window has the id of whatever opened that.
    return {
      eventId,
      runId: gathers(target) ? null : await runIdFor(environmentId, target.id, eventId),
      skipped: null,
    };
  }
  const skipped = own.outcome === "skipped" || own.outcome === "expression_error" ? own.reason : null;
  return { eventId, runId: "runId" in own ? (own.runId ?? null) : null, skipped };
}

/** The event `inngest/function.invoked` for an invocation. */
function invokedEvent(
  { slug, eventId, body, headers }: Invocation,
  { now, maxEventBytes }: { now: number; maxEventBytes: number },
): AcceptedEvent {
  const [text, ...others] = splitEvents(body);
  if (text === undefined || others.length > 0) {
    throw new MillraceError("body_invalid", "Request body must contain one event object.");
  }
  const value = parseWithin(text, 0, maxEventBytes);
  const named =
    typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value, name: INVOKED } : value;
  const event = checkFields(named, 0, now);
  // An invocation has seed index 0.
  const [internalId = ""] = internalIds(headers, { first: 0, count: 1, now });
  const invoked = { ...event, data: { ...event.data, _inngest: { fn_id: slug } } };
  return acceptedEvent(invoked, eventId ?? internalId, senderOf(headers), now);
}
