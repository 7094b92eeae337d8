/**
 * Invoking a function by name (TR-17, protocol/01 §1.8). Owns the form of the event that does it; everything after is as for any event.
 */
import { catalogOf } from "../apps/catalog.ts";
import type { Bindings } from "../bindings.ts";
import { MillraceError } from "../errors.ts";
import { acceptedEvent, internalIds, sourceOf } from "./accept.ts";
import { splitEvents } from "./body.ts";
import type { AcceptedEvent } from "./event.ts";
import { checkFields, parseWithin } from "./incoming.ts";
import { ingest } from "./ingest.ts";
import { INVOKED } from "./route.ts";

/** What invoking takes: the function's slug or UUID, and the request that asks for it. */
export interface Invocation {
  readonly slug: string;
  /** JSON text of an event-like object: `data`, `user` and the other fields of EV-3; its `name` is ignored. */
  readonly body: string;
  readonly headers: Headers;
}

/**
 * Starts a run of the function and resolves with the id of its event when the run is durable. `now` in ms.
 * Throws `function_not_found`, and for the body what the Event API throws.
 */
export async function invoke(
  bindings: Bindings,
  environmentId: string,
  invocation: Invocation,
  { now, maxEventBytes }: { now: number; maxEventBytes: number },
): Promise<string> {
  const event = invokedEvent(invocation, { now, maxEventBytes });
  const target = (await catalogOf(bindings, environmentId, now)).functionNamed(invocation.slug);
  if (target === null || target.archived) {
    throw new MillraceError("function_not_found", `No function has the id "${invocation.slug}".`);
  }
  await ingest(bindings, environmentId, [event], now);
  return event.internalId;
}

/** The event `inngest/function.invoked` for an invocation. */
function invokedEvent(
  { slug, body, headers }: Invocation,
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
  return acceptedEvent(invoked, internalId, sourceOf(headers), now);
}
