/**
 * Publishing a tick of a cron (TR-10): an event for exactly one function. Owns its id, which derives from the function and the scheduled
 * time: however often a tick is published, and by whichever of a function's crons, there is one run (TR-12). All flow control applies to it.
 */
import type { RegisteredFunction } from "../apps/function.ts";
import type { Bindings } from "../bindings.ts";
import type { Tick } from "../decide/schedule/schedule.ts";
import { timerPayload } from "../decide/schedule/timer-event.ts";
import { record } from "../history/record.ts";
import { derivedUlid } from "../ids.ts";
import type { AcceptedEvent } from "./event.ts";
import { gatheringOf } from "./flow.ts";
import { publishMatched } from "./publish.ts";

/** Starts the function's run for the tick and resolves when it is durable. Throws when it could not, after which it can be repeated. */
export async function publishTick(
  bindings: Bindings,
  environmentId: string,
  registered: RegisteredFunction,
  tick: Tick,
  now: number,
): Promise<void> {
  const event: AcceptedEvent = {
    internalId: await derivedUlid(tick.at, "cron", environmentId, registered.id),
    // Not the clock's: a tick that is published again has to be answered the same by a rate limit.
    receivedAt: tick.fireAt,
    source: "cron",
    // The scheduled time is the id functions see; every function of the environment has ticks at that time.
    deduplicationId: null,
    payload: timerPayload(tick),
  };
  const into = gatheringOf(registered.configuration, event.payload, now);
  const matches = [{ function: registered, error: null, into }];
  const matched = [{ event, matches, repeated: false, awaited: false, known: [] }];
  await record(bindings, environmentId, await publishMatched(bindings, environmentId, matched, now));
}
