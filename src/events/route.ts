/**
 * Routing: which functions an event is for, and how it enters each of them (TR-1 … TR-8, gates 1 to 5 of spec/05 "Order of decisions").
 * Pure: the catalog, the evaluator of trigger expressions and the event's standing are arguments.
 */
import * as z from "zod";
import type { RegisteredFunction, Trigger } from "../apps/function.ts";
import type { EventOutcome, EventPayload } from "./event.ts";
import type { GatherKind, Parent } from "./gathering.ts";

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

/** What the function does with an event that is for it: gathers it in a batch or a debounce window, or (null) starts a run. */
export type DecideGathering = (started: RegisteredFunction, event: EventPayload) => GatherKind | null;

/** A function that has to consider an event. */
export interface Match {
  readonly function: RegisteredFunction;
  /** Set when none of its triggers was true and one could not be evaluated. */
  readonly error: string | null;
  readonly into: GatherKind | null;
  /** Too many runs led to the event: it starts nothing any more (SE-18). */
  readonly loop?: true;
}

/** The event that starts one function by name, whatever its triggers (TR-17). */
export const INVOKED = "inngest/function.invoked";

/**
 * Gate 1: the functions an event is for, each once (TR-8). Archived functions see nothing; a trigger whose `if` is not true does not
 * count. An invoked event is for the function it names, and else only for triggers on exactly its name.
 */
export function matchEvent(
  event: EventPayload,
  catalog: RoutingCatalog,
  evaluate: EvaluateTrigger,
  gathering: DecideGathering,
): Match[] {
  const matches = new Map<string, Pick<Match, "function" | "error">>();
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
  return [...matches.values()].map((match) => ({
    ...match,
    into: match.error === null ? gathering(match.function, event) : null,
  }));
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
export function parentOf(event: EventPayload, started: RegisteredFunction): Parent | null {
  const { data } = invocation.safeParse(event.name === INVOKED ? event.data["_inngest"] : null);
  if (data?.fn_id !== started.slug && data?.fn_id !== started.id) return null;
  const [runId, stepId] = data.correlation_id?.split(".") ?? [];
  return runId === undefined || stepId === undefined ? null : { runId, stepId };
}

/** What is done with an event at a function that it is for. */
export type Way =
  | { readonly way: "failed"; readonly outcome: EventOutcome }
  | { readonly way: "skipped"; readonly reason: "event_loop" | "function_paused" | "duplicate_event" }
  | { readonly way: "gathers"; readonly into: GatherKind }
  | { readonly way: "starts" };

/** Gates 2 to 5 for one match. `duplicate`: an earlier event used the same id (EV-15). */
export function wayOf({ function: fn, error, into, loop }: Match, duplicate: boolean): Way {
  if (error !== null) return { way: "failed", outcome: failedOutcome(fn, error) };
  if (loop === true) return { way: "skipped", reason: "event_loop" };
  if (fn.paused !== null) return { way: "skipped", reason: "function_paused" };
  // A function that gathers takes a duplicate like any other event, also one that is not to be gathered (EV-17).
  if (duplicate && !gathers(fn)) return { way: "skipped", reason: "duplicate_event" };
  return into === null ? { way: "starts" } : { way: "gathers", into };
}

/** The outcomes of an event for which nothing is to be done at any of its functions; null when there is something to do. */
export function idleOutcomes(matches: readonly Match[], duplicate: boolean): EventOutcome[] | null {
  const outcomes: EventOutcome[] = [];
  for (const match of matches) {
    const way = wayOf(match, duplicate);
    if (way.way === "failed") outcomes.push(way.outcome);
    else if (way.way === "skipped" && way.reason === "duplicate_event") outcomes.push(duplicateOutcome(match.function));
    else return null;
  }
  return outcomes;
}

function duplicateOutcome({ id, slug }: RegisteredFunction): EventOutcome {
  return { functionId: id, functionSlug: slug, outcome: "skipped", reason: "duplicate_event" };
}

function failedOutcome({ id, slug }: RegisteredFunction, reason: string): EventOutcome {
  return { functionId: id, functionSlug: slug, outcome: "expression_error", reason };
}

/** Whether events of the function join windows before they run, at least some of them. */
export function gathers({ configuration }: RegisteredFunction): boolean {
  return configuration.batchEvents !== null || configuration.debounce !== null;
}
