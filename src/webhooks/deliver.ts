/**
 * From a delivery to events the engine answers for (EV-29 … EV-34): transform, filters, ids, ingest; or an entry of the log. Owns the order of
 * these, for deliveries that come and for those that are run again.
 * Guarantees that a delivery which is refused leaves no event, and that running one again twice starts nothing twice.
 */
import type { Bindings } from "../bindings.ts";
import { MillraceError } from "../errors.ts";
import { acceptedEvent } from "../events/accept.ts";
import type { AcceptedEvent } from "../events/event.ts";
import type { IncomingEvent } from "../events/incoming.ts";
import { ingest } from "../events/ingest.ts";
import { type StoredKey, storedSender } from "../events/key.ts";
import { derivedUlid, newUlid } from "../ids.ts";
import { checkNames } from "../keys/filter.ts";
import { EVENT } from "../limits.ts";
import { chainDepth } from "../protocol/chain.ts";
import type { Settings } from "../settings.ts";
import { findDelivery, logDelivery, noteFailedAgain, noteReplayed } from "./deliveries.ts";
import { type Delivery, namedBranch } from "./delivery.ts";
import type { TransformFailure } from "./failure.ts";
import type { WebhookResponse } from "./response.ts";
import { findWebhook, type Webhook } from "./store.ts";
import { transformDelivery } from "./transform.ts";

/** What became of a delivery that was accepted. */
export interface Delivered {
  /** Internal ids of the events, in order; maybe none. */
  readonly ids: readonly string[];
  /** What the provider is answered; null: as EV-1 says. */
  readonly response: WebhookResponse | null;
}

/** Whose delivery it is: the key of its URL, and the environment that gets the events. */
interface Destination {
  readonly key: StoredKey;
  readonly environmentId: string;
}

/**
 * Accepts a delivery that came at `now` (ms), or logs why its transform failed. Throws `transform_failed`, `event_filtered`, `body_invalid`
 * for a form that no transform gets to see, `event_key_not_found` when the webhook is gone.
 */
export async function deliver(
  bindings: Bindings,
  settings: Settings,
  { key, environmentId }: Destination,
  delivery: Delivery,
  now: number,
): Promise<Delivered> {
  // Not remembered, so that a transform which was just corrected is the one that runs.
  const webhook = await findWebhook(bindings.DB, key.environmentId, key.id);
  if (webhook === null) throw new MillraceError("event_key_not_found", "Event key not found");
  const result = await transformDelivery(webhook.transform, delivery, { now, maxEventBytes: settings.maxEventBytes });
  if (!result.ok) {
    await logDelivery(bindings.DB, settings, webhook, { delivery, failure: result.failure }, now);
    throw failed(result.failure);
  }
  checkNames(webhook.key.filters, result.events);
  const ids = result.events.map(() => newUlid(now));
  await store(bindings, environmentId, eventsOf(webhook, delivery, { events: result.events, ids }, now));
  return { ids, response: webhook.response };
}

/**
 * Runs a logged delivery again, with the transform as it is now, and answers the ids of its events: the same, however often it is done. `now`
 * in ms. Throws `not_found`, `conflict` when the delivery is not kept as a whole, and what {@link deliver} throws.
 */
export async function replayDelivery(
  bindings: Bindings,
  settings: Settings,
  webhook: Webhook,
  id: string,
  now: number,
): Promise<readonly string[]> {
  const { DB } = bindings;
  const logged = await findDelivery(DB, settings, webhook, id, now);
  if (logged === null) throw noDelivery(id);
  const { request: delivery, whole, bytes } = logged;
  if (!whole) {
    throw new MillraceError(
      "conflict",
      `The delivery has ${bytes} bytes and was not kept: the provider has to send it again.`,
    );
  }
  if (delivery === null) {
    throw new MillraceError(
      "not_configured",
      "The delivery cannot be opened with MILLRACE_SECRET or MILLRACE_SECRET_PREVIOUS.",
    );
  }
  const sender = { stored: webhook.key, ...namedBranch(delivery) };
  const { environment } = await storedSender(bindings, settings, sender, now);
  const result = await transformDelivery(webhook.transform, delivery, { now, maxEventBytes: settings.maxEventBytes });
  if (!result.ok) {
    await noteFailedAgain(DB, settings, webhook, id, result.failure);
    throw failed(result.failure);
  }
  checkNames(webhook.key.filters, result.events);
  const at = await noteReplayed(DB, webhook, id, now);
  if (at === null) throw noDelivery(id);
  const ids = await Promise.all(result.events.map((_, index) => derivedUlid(at, "delivery", id, String(index))));
  await store(bindings, environment.id, eventsOf(webhook, delivery, { events: result.events, ids }, at));
  return ids;
}

/** Throws what ingesting throws: the sender then comes again. */
async function store(bindings: Bindings, environmentId: string, events: readonly AcceptedEvent[]): Promise<void> {
  const [first] = events;
  if (first !== undefined) await ingest(bindings, environmentId, events, first.receivedAt);
}

/** A provider's request may be one that a run makes, so it counts in the chain (SE-18). */
function eventsOf(
  { key }: Webhook,
  { headers }: Delivery,
  { events, ids }: { readonly events: readonly IncomingEvent[]; readonly ids: readonly string[] },
  now: number,
): AcceptedEvent[] {
  const source = `webhook: ${key.name}`.slice(0, EVENT.sourceLength);
  const sender = { source, depth: chainDepth({ get: () => headers["Tracestate"] ?? null }) };
  return ids.flatMap((id, index) => {
    const event = events[index];
    return event === undefined ? [] : [acceptedEvent(event, id, sender, now)];
  });
}

function failed({ name, message }: TransformFailure): MillraceError {
  return new MillraceError("transform_failed", `The webhook's transform failed: ${name}: ${message}`);
}

function noDelivery(id: string): MillraceError {
  return new MillraceError("not_found", `The webhook's log has no delivery with the id "${id}".`);
}
