/**
 * One event on its way through its functions: its id is claimed, the gates are asked, and when every outcome is known its runs are begun, so
 * that each is born knowing them all. Owns what an event has to wait for: those before it in its lanes (FC-8).
 * Guarantees that all of it can be repeated, with the same answers.
 */
import type { Bindings } from "../bindings.ts";
import type { Standing } from "../decide/window/claim.ts";
import type { RunRow } from "../history/message.ts";
import { runIdFor } from "../ids.ts";
import { EVENT, FANOUT } from "../limits.ts";
import { eventIdStub } from "../objects.ts";
import type { AcceptedEvent, EventOutcome, RoutedEvent } from "./event.ts";
import type { FlowPlan } from "./flow.ts";
import type { Turn } from "./lanes.ts";
import { inParallel } from "./parallel.ts";
import { type Match, parentOf, wayOf } from "./route.ts";
import { skip } from "./skip.ts";
import { begin, type Candidate, identityOf, type Judged, judge, startedOutcome } from "./start.ts";

/** Where the events are and what they have in common. */
export interface PublishContext {
  readonly bindings: Bindings;
  readonly environmentId: string;
  /** ms since 1970. */
  readonly now: number;
  /** There are several events. */
  readonly burst: boolean;
}

/** One function that an event is for. */
export type Visit =
  /** It joins a window there; asked what became of it, which may fail. */
  { readonly match: Match; readonly gathered: () => Promise<EventOutcome> } | (Start & { readonly match: Match });

/** What a start needs of the others. */
interface Start {
  readonly plan: FlowPlan;
  /** When it may ask the gates, and when it may begin the run. */
  readonly gate: Turn;
  readonly start: Turn;
}

/** An event with the functions it is for. `repeated`: an earlier event of the same request has the same sender's id. */
export interface Journey {
  readonly event: AcceptedEvent;
  readonly repeated: boolean;
  readonly visits: readonly Visit[];
}

/** What became of an event. */
export interface Arrival {
  readonly routed: RoutedEvent;
  readonly runIds: readonly string[];
  /** Entries for runs that were skipped. */
  readonly skipped: readonly RunRow[];
  /** A run that was started reports the event to history. */
  readonly reported: boolean;
}

/** Takes an event all its way. Resolves when its runs are durable; throws when something could not be reached. */
export async function startRuns(context: PublishContext, journey: Journey): Promise<Arrival> {
  try {
    return await travel(context, journey);
  } finally {
    leaveLanes(journey);
  }
}

async function travel(context: PublishContext, journey: Journey): Promise<Arrival> {
  const { bindings, environmentId, now } = context;
  const { event, visits } = journey;
  const standing = await standingOf(context, journey);
  const duplicate = standing.standing === "duplicate";
  // Everything that acts on a sender's id acts under the internal id of its first event (EV-16).
  const origin = standing.standing === "stand_in" ? standing.owner : event.internalId;
  const entered = await inParallel(FANOUT.inline, visits, (visit) => enter(context, event, visit, duplicate, origin));
  const routed: RoutedEvent = { event, outcomes: entered.map(({ outcome }) => outcome), duplicate };
  const begun = entered.flatMap(({ begun }) => begun ?? []);
  await inParallel(FANOUT.inline, begun, async ({ start, judged }) => {
    await start.come;
    // A burst of starts keeps the thread busy, and the network is not looked at before its end: what apps answer meanwhile gets its turn.
    if (context.burst) await scheduler.wait(0);
    const identity = identityOf(environmentId, judged.candidate, judged.plan, [routed], now);
    await begin(bindings, environmentId, judged, identity).finally(start.done);
  });
  if (!duplicate && !standing.settled) {
    await eventIdStub(bindings, environmentId, event.deduplicationId ?? "").settle(event.internalId);
  }
  return {
    routed,
    runIds: begun.map(({ judged }) => judged.candidate.runId),
    skipped: entered.flatMap(({ row }) => row ?? []),
    // Runs that two events may have started, one in place of the other, report the one that came first. And what became of
    // an event in a window may change before a run reports it: it has to be stored by then (FC-27).
    reported: begun.length > 0 && isAlone(event, origin) && !visits.some((visit) => "gathered" in visit),
  };
}

/** Whether no other event with the sender's id can have acted: none may stand in for another within the grace (EV-16). */
function isAlone({ internalId, deduplicationId, receivedAt }: AcceptedEvent, origin: string): boolean {
  if (deduplicationId === null) return true;
  return origin === internalId && Date.now() < receivedAt + EVENT.claimGrace;
}

/** Where the event stands with its id. While another send is at work on the same id this one waits, and lets others go first. */
async function standingOf({ bindings, environmentId }: PublishContext, journey: Journey): Promise<Standing> {
  const { event, repeated } = journey;
  if (repeated) return { standing: "duplicate" };
  if (event.deduplicationId === null) return { standing: "owner", settled: true };
  const window = eventIdStub(bindings, environmentId, event.deduplicationId);
  const answer = await window.ask(event.internalId);
  if (answer.standing !== "wait") return answer;
  // That send may be waiting for an id of ours in the same way.
  leaveLanes(journey);
  return await window.claim(event.internalId);
}

/** What became of an event at one function. */
interface Entered {
  readonly outcome: EventOutcome;
  /** The entry of a skipped run. */
  readonly row?: RunRow | null;
  /** The run to be begun. */
  readonly begun?: { readonly judged: Judged; readonly start: Turn };
}

/** Gates 2 to 7 at one function. */
async function enter(
  context: PublishContext,
  event: AcceptedEvent,
  visit: Visit,
  duplicate: boolean,
  origin: string,
): Promise<Entered> {
  if ("gathered" in visit) return { outcome: await visit.gathered() };
  try {
    const entered = await passGates(context, event, visit, duplicate, origin);
    if (entered.begun === undefined) visit.start.done();
    return entered;
  } finally {
    visit.gate.done();
  }
}

async function passGates(
  { bindings, environmentId, now }: PublishContext,
  event: AcceptedEvent,
  { match, plan, gate, start }: Extract<Visit, Start>,
  duplicate: boolean,
  origin: string,
): Promise<Entered> {
  const { function: fn } = match;
  const way = wayOf(match, duplicate);
  if (way.way === "failed") return { outcome: way.outcome };
  const parent = parentOf(event.payload, fn);
  const candidate: Candidate = {
    runId: await runIdFor(environmentId, fn.id, origin),
    function: fn,
    at: event.receivedAt,
    kind: "counted",
    events: [event],
    parents: parent === null ? [] : [parent],
    depth: event.depth ?? 0,
  };
  if (way.way === "skipped") return await skip(bindings, environmentId, candidate, plan, way.reason, now);
  await gate.come;
  const judged = await judge(bindings, environmentId, candidate, plan);
  switch (judged.verdict.verdict) {
    case "skipped":
      return await skip(bindings, environmentId, candidate, plan, judged.verdict.reason, now);
    case "passed":
      return { outcome: startedOutcome(candidate, plan), begun: { judged, start } };
    case "busy":
      throw new Error("A start that is counted is never kept waiting by a singleton.");
  }
}

function leaveLanes({ visits }: Journey): void {
  for (const visit of visits) {
    if ("gathered" in visit) continue;
    visit.gate.done();
    visit.start.done();
  }
}
