/**
 * The event of a cron run (TR-10, protocol/06 §6.1): what its handler sees of a tick. Pure.
 */
import type { EventPayload } from "../../events/event.ts";
import type { Tick } from "./schedule.ts";

/** The name of the event; nobody outside may send it. */
const TIMER = "inngest/scheduled.timer";

/** The event as the handler sees it. Its `ts` is the scheduled time also when the run starts later. */
export function timerPayload({ cron, at, fireAt }: Tick): EventPayload {
  const scheduledAt = rfc3339(at);
  return { name: TIMER, data: { cron, scheduledAt, fireAt: rfc3339(fireAt) }, id: scheduledAt, ts: at, user: {} };
}

/** The trigger's text when a cron started the run of this event; null for any other event. */
export function cronOf(payload: EventPayload | undefined): string | null {
  const cron = payload?.name === TIMER ? payload.data["cron"] : null;
  return typeof cron === "string" ? cron : null;
}

/** In UTC, with a fraction only where there is one. */
function rfc3339(instant: number): string {
  return new Date(instant).toISOString().replace(/\.000Z$/, "Z");
}
