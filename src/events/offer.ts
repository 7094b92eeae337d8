/**
 * Offering an event to the runs that wait for its name (EX-41). Owns nothing but the way there: the name's object finds the waits, each
 * run decides. Offering an event again changes nothing.
 */
import type { Bindings } from "../bindings.ts";
import { waitsStub } from "../objects.ts";
import type { AcceptedEvent } from "./event.ts";

/** Resolves when it is certain that every run whose wait the event resolves will hear of it. Throws when the object could not be reached. */
export async function offerEvent(bindings: Bindings, environmentId: string, event: AcceptedEvent): Promise<void> {
  await waitsStub(bindings, environmentId, "event", event.payload.name).offer(event);
}
