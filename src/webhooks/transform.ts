/**
 * From a delivery to the events its transform makes of it (EV-30). Owns what a result means; what an event may be is the same as for events
 * that are sent (EV-3, EV-5). Stores nothing, so that a delivery can be tried as well as run.
 */
import { MillraceError } from "../errors.ts";
import { splitEvents } from "../events/body.ts";
import { type IncomingEvent, parseEvent } from "../events/incoming.ts";
import { type Delivery, transformArguments } from "./delivery.ts";
import { type TransformFailure, transformFailure } from "./failure.ts";
import { runTransform } from "./sandbox.ts";

/** The checked events, in order, maybe none; or why there are none. */
export type Transformed =
  | { readonly ok: true; readonly events: readonly IncomingEvent[] }
  | { readonly ok: false; readonly failure: TransformFailure };

/** When a delivery was received, ms since 1970, and how many bytes one event may have. */
export interface EventBounds {
  readonly now: number;
  readonly maxEventBytes: number;
}

/** The events of a delivery. Throws `body_invalid` for a form no transform gets to see. */
export async function transformDelivery(source: string, delivery: Delivery, bounds: EventBounds): Promise<Transformed> {
  const result = await runTransform(source, await transformArguments(delivery));
  return result.ok ? eventsOf(result.returned, bounds) : result;
}

/** The events that a result's JSON stands for: of an object one, of an array as many as it has, of null none. */
export function eventsOf(returned: string | null, { now, maxEventBytes }: EventBounds): Transformed {
  if (returned === null) return { ok: true, events: [] };
  if (!/^[{[]/.test(returned)) return { ok: false, failure: notEvents(returned) };
  try {
    const texts = splitEvents(returned);
    return { ok: true, events: texts.map((text, index) => parseEvent(text, index, maxEventBytes, now)) };
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    return { ok: false, failure: transformFailure(error.code, error.message) };
  }
}

function notEvents(returned: string): TransformFailure {
  const shown = returned.length > 100 ? `${returned.slice(0, 100)}…` : returned;
  return transformFailure(
    "event_invalid",
    `The transform returned ${shown}, which is no event and no array of events.`,
  );
}
