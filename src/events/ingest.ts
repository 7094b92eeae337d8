/**
 * Taking responsibility for accepted events (EV-8): when `ingest` resolves they are durable and their runs are certain.
 * Few starts happen at once, many are handed to the environment's object, which sees to them even if everything dies meanwhile.
 */
import type { Bindings } from "../bindings.ts";
import { messageOf } from "../errors.ts";
import { record } from "../history/record.ts";
import { FANOUT } from "../limits.ts";
import { environmentStub } from "../objects.ts";
import { chunksOf } from "./chunk.ts";
import type { AcceptedEvent, RoutedEvent } from "./event.ts";
import { gatherAhead } from "./gather-ahead.ts";
import { type MatchedEvent, matchEvents, publishMatched } from "./publish.ts";
import { idleOutcomes, type Match } from "./route.ts";

/**
 * Stores and routes the events of one request, and answers what is known by then of what became of them: everything, unless it is fanned
 * out. Throws when not all of it is durable; the sender may then send the same again.
 */
export async function ingest(
  bindings: Bindings,
  environmentId: string,
  events: readonly AcceptedEvent[],
  now: number,
): Promise<readonly RoutedEvent[]> {
  const context = { bindings, environmentId, now };
  const { matched, complete } = await gatherAhead(context, await matchEvents(bindings, environmentId, events, now));
  if (!complete || objectsFor(matched) > FANOUT.inline) return await defer(bindings, environmentId, matched);
  try {
    const published = await publishMatched(bindings, environmentId, matched, now);
    await record(bindings, environmentId, published);
    return published.events;
  } catch (error) {
    // Some runs may have started already, and a sender that uses no seed would start them twice by sending again.
    console.error("A send could not be finished at once and is fanned out instead:", messageOf(error));
    return await defer(bindings, environmentId, matched);
  }
}

/** How many objects must commit before the events are settled: one per run, one per sender's id, one per offer of an event. */
function objectsFor(matched: readonly MatchedEvent[]): number {
  return matched.reduce(
    (sum, item) => sum + openMatches(item).length + (hasToClaim(item) ? 1 : 0) + (item.awaited ? 1 : 0),
    0,
  );
}

/** The matches of which it is not known what becomes of the event. */
function openMatches({ matches, known }: MatchedEvent): readonly Match[] {
  return matches.filter(({ function: { id } }) => !known.some(({ functionId }) => functionId === id));
}

function hasToClaim({ event, repeated }: MatchedEvent): boolean {
  return event.deduplicationId !== null && !repeated;
}

/** Stores all events and registers those that involve other objects for the fan-out; ids are claimed there. */
async function defer(
  bindings: Bindings,
  environmentId: string,
  matched: readonly MatchedEvent[],
): Promise<readonly RoutedEvent[]> {
  const settled: RoutedEvent[] = [];
  const pending: RoutedEvent[] = [];
  for (const item of matched) {
    const { event, repeated, awaited, known } = item;
    const outcomes = hasToClaim(item) || awaited ? null : idleOutcomes(openMatches(item), repeated);
    if (outcomes !== null) settled.push({ event, outcomes: [...known, ...outcomes], duplicate: repeated });
    // What the fan-out cannot find out in a chunk of its own is stored with the event: that it repeats another one's id, what it joined.
    else pending.push({ event, outcomes: known, duplicate: repeated });
  }
  await record(bindings, environmentId, { unreported: settled, skipped: [] });
  await record(bindings, environmentId, { unreported: pending, skipped: [] }, { routed: false });
  const chunks = await chunksOf(pending.map(({ event }) => event.internalId));
  if (chunks.length > 0) await environmentStub(bindings, environmentId).register(chunks);
  return [...settled, ...pending];
}
