/**
 * Taking responsibility for accepted events (EV-8): when `ingest` resolves they are durable and their runs are certain.
 * Few starts happen at once, many are handed to the environment's object, which sees to them even if everything dies meanwhile.
 */
import type { Bindings } from "../bindings.ts";
import { messageOf } from "../errors.ts";
import { storeEvents } from "../history/events.ts";
import { ensureSchema } from "../history/schema.ts";
import { FANOUT } from "../limits.ts";
import { environmentStub } from "../objects.ts";
import { chunksOf } from "./chunk.ts";
import type { AcceptedEvent, RoutedEvent } from "./event.ts";
import { offerEvent } from "./offer.ts";
import { inParallel } from "./parallel.ts";
import { type MatchedEvent, matchEvents, publishMatched } from "./publish.ts";
import { routeEvent } from "./route.ts";

/** Stores and routes the events of one request. Throws when not all of it is durable; the sender may then send the same again. */
export async function ingest(
  bindings: Bindings,
  environmentId: string,
  events: readonly AcceptedEvent[],
  now: number,
): Promise<void> {
  const matched = await matchEvents(bindings, environmentId, events, now);
  if (objectsFor(matched) > FANOUT.inline) return await defer(bindings, environmentId, matched);
  try {
    const { unreported } = await publishMatched(bindings, environmentId, matched, now, 0);
    await store(bindings, environmentId, unreported, true);
  } catch (error) {
    // Some runs may have started already, and a sender that uses no seed would start them twice by sending again.
    console.error("A send could not be finished at once and is fanned out instead:", messageOf(error));
    await defer(bindings, environmentId, matched);
  }
}

/** How many objects must commit before the events are settled: one per run, one per sender's id, one per offer of an event. */
function objectsFor(matched: readonly MatchedEvent[]): number {
  return matched.reduce(
    (sum, item) => sum + item.matches.length + (hasToClaim(item) ? 1 : 0) + (item.awaited ? 1 : 0),
    0,
  );
}

function hasToClaim({ event, repeated }: MatchedEvent): boolean {
  return event.deduplicationId !== null && !repeated;
}

/** Stores all events and registers those that involve other objects for the fan-out; ids are claimed there. */
async function defer(bindings: Bindings, environmentId: string, matched: readonly MatchedEvent[]): Promise<void> {
  const settled: RoutedEvent[] = [];
  const pending: RoutedEvent[] = [];
  for (const item of matched) {
    const { event, matches, repeated, awaited } = item;
    const starts = matches.some((match) => match.error === null);
    if (hasToClaim(item) || (!repeated && (starts || awaited))) {
      pending.push({ event, outcomes: [], duplicate: false });
      continue;
    }
    const standing = repeated ? ({ standing: "duplicate" } as const) : ({ standing: "owner", settled: true } as const);
    settled.push((await routeEvent(environmentId, event, matches, standing)).routed);
  }
  // In a chunk of its own an event could claim the id before the one it repeats, so these are offered here.
  const repetitions = matched.filter(({ repeated, awaited }) => repeated && awaited);
  await inParallel(FANOUT.inline, repetitions, ({ event }) => offerEvent(bindings, environmentId, event));
  await store(bindings, environmentId, settled, true);
  await store(bindings, environmentId, pending, false);
  const chunks = await chunksOf(pending.map(({ event }) => event.internalId));
  if (chunks.length > 0) await environmentStub(bindings, environmentId).register(chunks);
}

async function store(
  bindings: Bindings,
  environmentId: string,
  events: readonly RoutedEvent[],
  routed: boolean,
): Promise<void> {
  if (events.length === 0) return;
  await ensureSchema(bindings.DB);
  await storeEvents(bindings.DB, environmentId, events, { routed });
}
