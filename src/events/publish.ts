/**
 * Publishing: claims an event's id, routes the event, starts its runs and offers it to those that wait. What ingest, the fan-out consumer,
 * invocations and system events have in common. Guarantees that all of it can be repeated: the same event always reaches the same runs.
 * Writes no history: runs report their own events, and what no run reports is handed back.
 */
import { catalogOf } from "../apps/catalog.ts";
import type { Bindings } from "../bindings.ts";
import type { Standing } from "../decide/window/claim.ts";
import { FANOUT } from "../limits.ts";
import { eventIdStub, runStub } from "../objects.ts";
import type { AcceptedEvent, RoutedEvent } from "./event.ts";
import { offerEvent } from "./offer.ts";
import { inParallel } from "./parallel.ts";
import { identityOf, type Match, matchEvent, type Route, routeEvent } from "./route.ts";
import { evaluateTrigger } from "./trigger.ts";

/** What publishing events came to. */
export interface Published {
  /** The events in their order, with every outcome. */
  readonly events: readonly RoutedEvent[];
  readonly runIds: readonly string[];
  /** Those of the events that no started run will report to history. */
  readonly unreported: readonly RoutedEvent[];
}

/**
 * An event and the functions it is for. `repeated`: an earlier event of the same request has the same sender's id.
 * `awaited`: runs may be waiting for its name.
 */
export interface MatchedEvent {
  readonly event: AcceptedEvent;
  readonly matches: readonly Match[];
  readonly repeated: boolean;
  readonly awaited: boolean;
}

/**
 * Publishes events of an environment and resolves when every run is durable; throws when one could not be started, after which
 * publishing the same events again completes what is missing. An event with a `deduplicationId` is checked against its window; system
 * events have none, because their derived internal ids make them unique already. `depth` counts the runs that led here (SE-18).
 */
export async function publish(
  bindings: Bindings,
  environmentId: string,
  events: readonly AcceptedEvent[],
  now: number,
  depth = 0,
): Promise<Published> {
  const matched = await matchEvents(bindings, environmentId, events, now);
  return await publishMatched(bindings, environmentId, matched, now, depth);
}

/** Gate 1 for all events of a request or chunk. */
export async function matchEvents(
  bindings: Bindings,
  environmentId: string,
  events: readonly AcceptedEvent[],
  now: number,
): Promise<MatchedEvent[]> {
  const catalog = await catalogOf(bindings, environmentId, now);
  const seen = new Set<string>();
  return events.map((event) => {
    const id = event.deduplicationId;
    const repeated = id !== null && seen.has(id);
    if (id !== null) seen.add(id);
    const matches = matchEvent(event.payload, catalog, (source, payload) => evaluateTrigger(source, payload, now));
    return { event, matches, repeated, awaited: catalog.awaits(event.payload.name) };
  });
}

/** {@link publish} for events that are matched already. */
export async function publishMatched(
  bindings: Bindings,
  environmentId: string,
  matched: readonly MatchedEvent[],
  now: number,
  depth: number,
): Promise<Published> {
  // Each event goes its whole way alone: one that waits for another send's claim must not keep that send waiting for this one.
  const published = await inParallel(FANOUT.inline, matched, (item) =>
    publishOne(bindings, environmentId, item, now, depth),
  );
  return {
    events: published.map(({ routed }) => routed),
    runIds: published.flatMap(({ starts }) => starts.map(({ runId }) => runId)),
    unreported: published.filter(({ reported }) => !reported).map(({ routed }) => routed),
  };
}

interface PublishedOne extends Route {
  readonly reported: boolean;
}

async function publishOne(
  bindings: Bindings,
  environmentId: string,
  matched: MatchedEvent,
  now: number,
  depth: number,
): Promise<PublishedOne> {
  // Waits start nothing and therefore see duplicates too, and events of the future at once (EV-15, EV-11). Both are finished, even if
  // one fails: what is begun must not be cut off by the reply.
  const [started, offered] = await Promise.allSettled([
    startRuns(bindings, environmentId, matched, now, depth),
    matched.awaited ? offerEvent(bindings, environmentId, matched.event) : undefined,
  ]);
  if (started.status === "rejected") throw started.reason;
  if (offered.status === "rejected") throw offered.reason;
  return started.value;
}

async function startRuns(
  bindings: Bindings,
  environmentId: string,
  { event, matches, repeated }: MatchedEvent,
  now: number,
  depth: number,
): Promise<PublishedOne> {
  const claimed = event.deduplicationId !== null && !repeated;
  const window = claimed ? eventIdStub(bindings, environmentId, event.deduplicationId) : null;
  const standing: Standing = repeated
    ? { standing: "duplicate" }
    : ((await window?.claim(event.internalId)) ?? { standing: "owner", settled: true });
  const route = await routeEvent(environmentId, event, matches, standing);
  await inParallel(FANOUT.inline, route.starts, async (start) => {
    await runStub(bindings, environmentId, start.runId).start(
      identityOf(environmentId, route.routed, start, { now, depth }),
    );
  });
  if (standing.standing !== "duplicate" && !standing.settled) await window?.settle(event.internalId);
  // The runs of an event that stands in for another may have been started by that one, and then report that one.
  return { ...route, reported: route.starts.length > 0 && standing.standing === "owner" };
}
