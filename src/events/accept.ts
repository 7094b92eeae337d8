/**
 * From a checked event to one the engine answers for: ids, times and source are filled in. Owns the form of the payload functions
 * see (protocol/01 §1.4). Guarantees that a request is accepted as a whole or not at all (EV-4).
 */
import { newUlid } from "../ids.ts";
import { EVENT } from "../limits.ts";
import { chainDepth } from "../protocol/chain.ts";
import { splitEvents } from "./body.ts";
import type { AcceptedEvent } from "./event.ts";
import { type IncomingEvent, parseEvent } from "./incoming.ts";
import { parseSeed, seededId } from "./seed.ts";

/** The events of a request's body, in input order. `now` is the receive time, `maxEventBytes` the setting. Throws what its parts throw. */
export function acceptEvents(
  body: string,
  headers: Headers,
  { now, maxEventBytes }: { now: number; maxEventBytes: number },
): AcceptedEvent[] {
  const incoming = splitEvents(body).map((text, index) => parseEvent(text, index, maxEventBytes, now));
  const sender = senderOf(headers);
  // The first event of a send has seed index 1.
  const ids = internalIds(headers, { first: 1, count: incoming.length, now });
  return ids.flatMap((id, index) => {
    const event = incoming[index];
    return event === undefined ? [] : [acceptedEvent(event, id, sender, now)];
  });
}

/** Internal ids for the events of a request: from its seed when it has a valid one, else new ones. `first` is the first one's seed index. */
export function internalIds(
  headers: Headers,
  { first, count, now }: { first: number; count: number; now: number },
): string[] {
  const seed = parseSeed(headers.get("x-inngest-event-id-seed"));
  return Array.from({ length: count }, (_, index) => (seed === null ? newUlid(now) : seededId(seed, first + index)));
}

/** Fills in what the engine adds: `id` and `ts` when the sender gave none, and `user`. */
export function acceptedEvent(
  event: IncomingEvent,
  internalId: string,
  { source, depth }: Sender,
  now: number,
): AcceptedEvent {
  return {
    internalId,
    receivedAt: now,
    source,
    deduplicationId: event.id,
    ...(depth === 0 ? {} : { depth }),
    payload: {
      name: event.name,
      data: event.data,
      id: event.id ?? internalId,
      ts: event.ts ?? now,
      user: event.user,
      ...(event.v === null ? {} : { v: event.v }),
      ...(event.sessions === null ? {} : { meta: { sessions: event.sessions } }),
    },
  };
}

/** Who sent a request, and how many runs led to it. */
interface Sender {
  readonly source: string;
  readonly depth: number;
}

/** What a request says about its sender. */
export function senderOf(headers: Headers): Sender {
  return { source: sourceOf(headers), depth: chainDepth(headers) };
}

/** Who sent a request (EV-28): the SDK's name and version, else the client's own name for itself, else `rest`. */
export function sourceOf(headers: Headers): string {
  const name = headers.get("x-inngest-sdk") || headers.get("user-agent") || "rest";
  return name.slice(0, EVENT.sourceLength);
}
