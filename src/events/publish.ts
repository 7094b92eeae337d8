/**
 * Publishing: routes events, starts their runs and offers them to those that wait. What ingest, the fan-out consumer, invocations and system
 * events have in common. Owns what the events of one request share: who goes first, and what joins a window together.
 * Guarantees that all of it can be repeated: the same event always reaches the same runs.
 * Writes no history: runs report their own events, and what no run reports is handed back.
 */
import { catalogOf } from "../apps/catalog.ts";
import type { RegisteredFunction } from "../apps/function.ts";
import type { Bindings } from "../bindings.ts";
import type { RunRow } from "../history/message.ts";
import { FANOUT } from "../limits.ts";
import { settingsOf } from "../settings.ts";
import { inChain, noteChains } from "./chain.ts";
import type { AcceptedEvent, EventOutcome, RoutedEvent } from "./event.ts";
import { gatheringOf } from "./flow.ts";
import { gather, type Joining } from "./gather.ts";
import type { GatherKind } from "./gathering.ts";
import { Lanes } from "./lanes.ts";
import { offerEvent } from "./offer.ts";
import { inParallel } from "./parallel.ts";
import { type Match, matchEvent, parentOf, wayOf } from "./route.ts";
import { planOf } from "./start.ts";
import { type Arrival, type Journey, type PublishContext, startRuns, type Visit } from "./start-runs.ts";
import { evaluateTrigger } from "./trigger.ts";

/** What publishing events came to. */
export interface Published {
  /** The events in their order, with every outcome. */
  readonly events: readonly RoutedEvent[];
  readonly runIds: readonly string[];
  /** Those of the events that no started run will report to history. */
  readonly unreported: readonly RoutedEvent[];
  /** Entries for runs that were skipped; nobody else stores them. */
  readonly skipped: readonly RunRow[];
}

/** An event and the functions it is for. */
export interface MatchedEvent {
  readonly event: AcceptedEvent;
  readonly matches: readonly Match[];
  /** An earlier event of the same request has the same sender's id. */
  readonly repeated: boolean;
  /** Runs may be waiting for its name. */
  readonly awaited: boolean;
  /** What functions are known to have done with it already. */
  readonly known: readonly EventOutcome[];
}

/**
 * Publishes events of an environment and resolves when every run is durable; throws when one could not be started, after which
 * publishing the same events again completes what is missing. An event with a `deduplicationId` is checked against its window; system
 * events have none, because their derived internal ids make them unique already.
 */
export async function publish(
  bindings: Bindings,
  environmentId: string,
  events: readonly AcceptedEvent[],
  now: number,
): Promise<Published> {
  const matched = await matchEvents(bindings, environmentId, events, now);
  return await publishMatched(bindings, environmentId, matched, now);
}

/** Gate 1 for all events of a request or chunk, and what the later gates need to know of them. */
export async function matchEvents(
  bindings: Bindings,
  environmentId: string,
  events: readonly AcceptedEvent[],
  now: number,
): Promise<MatchedEvent[]> {
  const catalog = await catalogOf(bindings, environmentId, now);
  const { maxChain: stop } = settingsOf(bindings);
  const seen = new Set<string>();
  const matched = events.map((event): MatchedEvent => {
    const id = event.deduplicationId;
    const repeated = id !== null && seen.has(id);
    if (id !== null) seen.add(id);
    const matches = matchEvent(
      event.payload,
      catalog,
      (source, payload) => evaluateTrigger(source, payload, now),
      (fn, payload) => gatheringOf(fn.configuration, payload, now),
    ).map((match) => inChain(match, event, stop));
    return { event, matches, repeated, awaited: catalog.awaits(event.payload.name), known: [] };
  });
  noteChains(matched);
  return matched;
}

/** {@link publish} for events that are matched already. */
export async function publishMatched(
  bindings: Bindings,
  environmentId: string,
  matched: readonly MatchedEvent[],
  now: number,
): Promise<Published> {
  const context: PublishContext = { bindings, environmentId, now, burst: matched.length > 1 };
  const windows = new Windows(context);
  const journeys = prepare(context, matched, windows);
  // Each event goes its whole way alone: one that waits for another send's claim must not keep that send waiting for this one. Waits start
  // nothing and therefore see duplicates too, and events of the future at once (EV-15, EV-11). All is finished, even if some of it fails:
  // what is begun must not be cut off by the reply.
  const [arrived, offered] = await Promise.allSettled([
    inParallel(FANOUT.inline, journeys, (journey) => startRuns(context, journey)),
    inParallel(
      FANOUT.inline,
      matched.filter(({ awaited }) => awaited),
      ({ event }) => offerEvent(bindings, environmentId, event),
    ),
    windows.join(),
  ]);
  if (arrived.status === "rejected") throw arrived.reason;
  if (offered.status === "rejected") throw offered.reason;
  return sumOf(arrived.value);
}

/** Everybody gets in line before anybody goes, in the order of the request (FC-8). */
function prepare({ bindings, now }: PublishContext, matched: readonly MatchedEvent[], windows: Windows): Journey[] {
  const gates = new Lanes();
  const starts = new Lanes();
  return matched.map(({ event, matches, repeated, known }) => ({
    event,
    repeated,
    visits: matches.map((match): Visit => {
      // What was skipped once stays so, should the function have been resumed before this is repeated (CR-17).
      const skipped = known.find((one) => one.functionId === match.function.id && one.outcome === "skipped");
      if (skipped !== undefined) return { match, gathered: async () => skipped };
      const way = wayOf(match, repeated);
      if (way.way === "gathers") return { match, gathered: windows.add(event, match.function, way.into, known) };
      const plan = planOf(bindings, match.function, event, now);
      return { match, plan, gate: gates.enter(plan.lanes), start: starts.enter(plan.lanes) };
    }),
  }));
}

/** The batches and debounce windows that events of a request join: handed over together, in the order of the request. */
class Windows {
  readonly #context: PublishContext;
  readonly #joining: Joining[] = [];
  #joined: Promise<readonly EventOutcome[]> | null = null;

  constructor(context: PublishContext) {
    this.#context = context;
  }

  /** Adds an event, unless it is known what became of it; gives how to learn that once all are added. */
  add(
    event: AcceptedEvent,
    fn: RegisteredFunction,
    into: GatherKind,
    known: readonly EventOutcome[],
  ): () => Promise<EventOutcome> {
    const earlier = known.find(({ functionId }) => functionId === fn.id);
    if (earlier !== undefined) return async () => earlier;
    const at = this.#joining.push({ event, function: fn, into, parent: parentOf(event.payload, fn) }) - 1;
    return async () => {
      const outcome = (await this.join())[at];
      if (outcome === undefined) throw new Error(`Nothing is known of what became of event ${event.internalId}.`);
      return outcome;
    };
  }

  /** Lets all of them join, once. Throws when a window could not be reached. */
  join(): Promise<readonly EventOutcome[]> {
    this.#joined ??= gather(this.#context, this.#joining);
    return this.#joined;
  }
}

function sumOf(arrivals: readonly Arrival[]): Published {
  return {
    events: arrivals.map(({ routed }) => routed),
    runIds: arrivals.flatMap(({ runIds }) => runIds),
    unreported: arrivals.filter(({ reported }) => !reported).map(({ routed }) => routed),
    skipped: arrivals.flatMap(({ skipped }) => skipped),
  };
}
