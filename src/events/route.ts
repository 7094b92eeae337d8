/**
 * Routing: which functions an event starts, and what becomes of it at each of them (EV-12, TR-1 … TR-8, spec/05 "Order of decisions").
 * Pure: the catalog, the evaluator of trigger expressions and the event's standing are arguments. Starts nothing itself, so that every
 * run is born knowing all outcomes of its event.
 */
import * as z from "zod";
import type { RegisteredFunction, Trigger } from "../apps/function.ts";
import type { RunIdentity } from "../decide/run/identity.ts";
import type { Standing } from "../decide/window/claim.ts";
import { runIdFor } from "../ids.ts";
import type { AcceptedEvent, EventOutcome, EventPayload, RoutedEvent } from "./event.ts";

/** What routing needs of the catalog. */
export interface RoutingCatalog {
  /** Every trigger that matches the event name, in the order of registration; a function may appear several times. */
  functionsFor(eventName: string): readonly { readonly function: RegisteredFunction; readonly trigger: Trigger }[];
  /** The function with this slug or UUID; null when there is none. */
  functionNamed(slugOrId: string): RegisteredFunction | null;
}

/** Evaluates a trigger's `if` for an event. Never throws: an expression that fails is an answer of its own (TR-6). */
export type EvaluateTrigger = (
  expression: string,
  event: EventPayload,
) => { readonly ok: true; readonly matched: boolean } | { readonly ok: false; readonly error: string };

/** A function that has to consider an event; `error` when none of its triggers was true and one could not be evaluated. */
export interface Match {
  readonly function: RegisteredFunction;
  readonly error: string | null;
}

/** The event that starts one function by name, whatever its triggers (TR-17). */
export const INVOKED = "inngest/function.invoked";

/**
 * Gate 1: the functions an event is for, each once (TR-8). Archived functions see nothing; a trigger whose `if` is not true does not
 * count. An invoked event is for the function it names, and else only for triggers on exactly its name.
 */
export function matchEvent(event: EventPayload, catalog: RoutingCatalog, evaluate: EvaluateTrigger): Match[] {
  const matches = new Map<string, Match>();
  const target = event.name === INVOKED ? invokedFunction(event, catalog) : null;
  if (target !== null && !target.archived) matches.set(target.id, { function: target, error: null });
  for (const { function: candidate, trigger } of catalog.functionsFor(event.name)) {
    if (candidate.archived || trigger.kind !== "event") continue;
    if (event.name === INVOKED && trigger.event !== INVOKED) continue;
    if (matches.get(candidate.id)?.error === null) continue;
    const verdict =
      trigger.expression === null ? ({ ok: true, matched: true } as const) : evaluate(trigger.expression, event);
    if (!verdict.ok) matches.set(candidate.id, { function: candidate, error: verdict.error });
    else if (verdict.matched) matches.set(candidate.id, { function: candidate, error: null });
  }
  return [...matches.values()];
}

const invocation = z.object({ fn_id: z.string(), correlation_id: z.string().optional() });

function invokedFunction(event: EventPayload, catalog: RoutingCatalog): RegisteredFunction | null {
  const { data } = invocation.safeParse(event.data["_inngest"]);
  return data === undefined ? null : catalog.functionNamed(data.fn_id);
}

/**
 * The waiting step of another run, from the correlation id `<run id>.<step id>` of an invoked event (protocol/06 §6.6). Only the function
 * that was invoked answers it; others that listen to the event do not.
 */
function parentOf(event: EventPayload, started: RegisteredFunction): RunIdentity["parent"] {
  const { data } = invocation.safeParse(event.name === INVOKED ? event.data["_inngest"] : null);
  if (data?.fn_id !== started.slug && data?.fn_id !== started.id) return null;
  const [runId, stepId] = data.correlation_id?.split(".") ?? [];
  return runId === undefined || stepId === undefined ? null : { runId, stepId };
}

/** A run that routing decided to start. */
export interface Start {
  readonly runId: string;
  readonly function: RegisteredFunction;
}

/** A routed event with the runs to start for it. */
export interface Route {
  readonly routed: RoutedEvent;
  readonly starts: readonly Start[];
}

/**
 * Takes each match through the gates that follow. Run ids derive from the function and from the event that owns the sender's id,
 * so routing an event again, or another one standing in for it, leads to the same runs (EV-7, EV-16).
 */
export async function routeEvent(
  environmentId: string,
  event: AcceptedEvent,
  matches: readonly Match[],
  standing: Standing,
): Promise<Route> {
  const origin = standing.standing === "stand_in" ? standing.owner : event.internalId;
  const starts: Start[] = [];
  const outcomes: EventOutcome[] = [];
  for (const match of matches) {
    const considered = { functionId: match.function.id, functionSlug: match.function.slug };
    if (match.error !== null) {
      outcomes.push({ ...considered, outcome: "expression_error", reason: match.error });
      continue;
    }
    const skipped = skipReason(standing);
    if (skipped !== null) {
      outcomes.push({ ...considered, outcome: "skipped", reason: skipped });
      continue;
    }
    const runId = await runIdFor(environmentId, match.function.id, origin);
    starts.push({ runId, function: match.function });
    outcomes.push({ ...considered, outcome: "started", runId });
  }
  return { routed: { event, outcomes, duplicate: standing.standing === "duplicate" }, starts };
}

type SkipReason = Extract<EventOutcome, { readonly outcome: "skipped" }>["reason"];

/**
 * Gates 2 to 7 of spec/05, in order: why a matched function starts no run for an event, or null when it does. Pausing (gate 2) comes
 * before, and batching, debounce, rate limit, idempotency and singleton (gates 4 to 7) come after the one that exists.
 */
function skipReason(standing: Standing): SkipReason | null {
  // Gate 3. Functions with batchEvents or debounce will pass it (EV-17).
  if (standing.standing === "duplicate") return "duplicate_event";
  return null;
}

/** What the run is born with. It does not start before the event's `ts` (EV-10). `depth` counts the runs that led to the event. */
export function identityOf(
  environmentId: string,
  routed: RoutedEvent,
  start: Start,
  { now, depth }: { now: number; depth: number },
): RunIdentity {
  const { id, slug, name, version, app, configuration } = start.function;
  return {
    environmentId,
    runId: start.runId,
    app: { id: app.id, name: app.name },
    function: { id, slug, name, version },
    retries: configuration.retries,
    events: [routed],
    queuedAt: now,
    startAt: Math.max(now, routed.event.payload.ts),
    depth,
    parent: parentOf(routed.event.payload, start.function),
    originalRunId: null,
  };
}
