/**
 * What flow control means for one start of a function (spec/05): the gates it has to pass, and what limits its run. Every key and the
 * priority are evaluated here, once, for the run's first event; the numbers stay with the function's registration (FC-11).
 * Pure apart from the expressions' own cache.
 */
import type { ConcurrencyLimit, FunctionConfiguration, RegisteredFunction } from "../apps/function.ts";
import type { Counted, LineRef } from "../decide/capacity/line.ts";
import { inOrderOfAcquisition, lineName } from "../decide/capacity/line-order.ts";
import type { CancelListener, RunFlow } from "../decide/run/flow.ts";
import { IDEMPOTENCY, type RateLimit } from "../decide/window/rate-limit.ts";
import { compileCached } from "../expressions/cache.ts";
import { evaluateCondition, evaluateNumber } from "../expressions/evaluate.ts";
import { PRIORITY } from "../limits.ts";
import type { EventPayload, KeyWarning } from "./event.ts";
import { optionKey } from "./option-key.ts";

/** The gates of a start, in their order; null where there is none for its event. */
export interface Gates {
  readonly rateLimit: { readonly key: string; readonly limit: RateLimit } | null;
  readonly idempotency: { readonly key: string; readonly limit: RateLimit } | null;
  readonly singleton: { readonly key: string; readonly mode: "skip" | "cancel" } | null;
}

/** Everything flow control says about a start. */
export interface FlowPlan {
  readonly gates: Gates;
  /** Undefined when nothing limits the run, which costs nothing then. */
  readonly flow: RunFlow | undefined;
  /** ms since 1970; a negative priority lets the run start no earlier (FC-31). */
  readonly notBefore: number;
  readonly warnings: readonly KeyWarning[];
  /** What it shares with other starts that it must not overtake (FC-8); empty: it may start whenever it likes. */
  readonly lanes: readonly string[];
}

/** What the plan depends on besides function and event. */
export interface FlowContext {
  /** When the run is created, and the expressions' clock, ms since 1970. */
  readonly now: number;
  /** The account's ceiling of executing steps (FC-14); null without one. */
  readonly ceiling: number | null;
}

/** What becomes of an event that matched the function: it joins a batch or a debounce window, or (null) starts a run (FC-35). */
export function gatheringOf(
  { batchEvents, debounce }: FunctionConfiguration,
  event: EventPayload,
  now: number,
): "batch" | "debounce" | null {
  if (batchEvents === null) return debounce === null ? null : "debounce";
  if (batchEvents.condition === null) return "batch";
  const compiled = compileCached(batchEvents.condition, "batch");
  if (!compiled.ok) return null;
  const verdict = evaluateCondition(compiled.expression, { event }, now);
  return verdict.ok && verdict.matched ? "batch" : null;
}

/** The plan for a start of the function with this first event. */
export function flowOf(fn: RegisteredFunction, event: EventPayload, context: FlowContext): FlowPlan {
  const { now } = context;
  const warnings: KeyWarning[] = [];
  const keyOf = (option: string, source: string | null) => {
    const { key, disabled, warning } = optionKey(option, source, event, now);
    if (warning !== null) warnings.push(warning);
    return { key, disabled };
  };
  const gates = gatesOf(fn.configuration, keyOf);
  const lines = inOrderOfAcquisition(linesOf(fn, context.ceiling, (option, source) => keyOf(option, source).key));
  const { priority, timeouts } = fn.configuration;
  const { value, error } = priority === null ? NO_PRIORITY : priorityOf(priority, event, now);
  const cancelOn = cancelOnOf(fn.configuration, now);
  const flow: RunFlow = {
    lines,
    priority: value,
    priorityError: error,
    singleton: gates.singleton?.key ?? null,
    timeouts: timeouts ?? { start: null, finish: null },
    cancelOn,
  };
  const timed = flow.timeouts.start !== null || flow.timeouts.finish !== null;
  const limited = lines.length > 0 || priority !== null || gates.singleton !== null || timed || cancelOn.length > 0;
  return {
    gates,
    flow: limited ? flow : undefined,
    notBefore: now + Math.max(-value, 0) * 1000,
    warnings,
    lanes: lanesOf(fn.id, gates, lines),
  };
}

type KeyOf = (option: string, source: string | null) => { readonly key: string; readonly disabled: boolean };

function gatesOf({ rateLimit, idempotency, singleton }: FunctionConfiguration, keyOf: KeyOf): Gates {
  const rated = rateLimit === null ? null : keyOf("rateLimit.key", rateLimit.key);
  const once = idempotency === null ? null : keyOf("idempotency", idempotency);
  const single = singleton === null ? null : keyOf("singleton.key", singleton.key);
  return {
    rateLimit:
      rateLimit === null || rated === null || rated.disabled
        ? null
        : { key: rated.key, limit: { limit: rateLimit.limit, period: rateLimit.period } },
    idempotency: once === null || once.disabled ? null : { key: once.key, limit: IDEMPOTENCY },
    singleton:
      singleton === null || single === null || single.disabled ? null : { key: single.key, mode: singleton.mode },
  };
}

function linesOf(
  { id, configuration }: RegisteredFunction,
  ceiling: number | null,
  keyOf: (option: string, source: string | null) => string,
): LineRef[] {
  const line = (counts: Counted, option: string, scope: LineRef["scope"], expression: string | null): LineRef => ({
    counts,
    scope,
    functionId: scope === "fn" ? id : "",
    expression,
    key: keyOf(option, expression),
  });
  const limits = (counts: Counted, option: string, all: readonly ConcurrencyLimit[]): LineRef[] =>
    all
      .map((one, index) => ({ ...one, option: all.length === 1 ? `${option}.key` : `${option}[${index}].key` }))
      .filter(({ limit }) => limit > 0)
      // Of two limits on one line the lower one is to be found first.
      .sort((a, b) => a.limit - b.limit)
      .map((one) => line(counts, one.option, one.scope, one.key));
  const { throttle, concurrency, runConcurrency } = configuration;
  return [
    ...(throttle === null ? [] : [line("starts", "throttle.key", "fn", throttle.key)]),
    ...limits("runs", "concurrency.fn", runConcurrency),
    ...limits("steps", "concurrency", concurrency),
    ...(ceiling === null ? [] : [line("steps", "", "account", null)]),
  ];
}

const NO_PRIORITY = { value: 0, error: null } as const;

/** Whole seconds within the range; 0 and the reason when there is no number (FC-30). */
function priorityOf(source: string, event: EventPayload, now: number): { value: number; error: string | null } {
  const compiled = compileCached(source, "priority");
  if (!compiled.ok) return { value: 0, error: compiled.error.message };
  const result = evaluateNumber(compiled.expression, { event }, now);
  if (!result.ok) return { value: 0, error: result.error };
  const clipped = Math.min(Math.max(result.value, PRIORITY.min), PRIORITY.max);
  // Adding 0 makes 0 of −0, which JSON would not keep.
  return { value: Math.trunc(clipped) + 0, error: null };
}

/** The cancel listeners of a run that is created at `now`; those that are over already are left out (CR-3). */
function cancelOnOf({ cancel }: FunctionConfiguration, now: number): CancelListener[] {
  return cancel
    .map(({ event, condition, timeout }) => ({
      event,
      condition,
      until: timeout === null ? null : endOf(timeout, now),
    }))
    .filter(({ until }) => until === null || until > now);
}

/** A time-out as the configuration keeps it: a length in digits, or a moment. */
function endOf(timeout: string, now: number): number {
  return /^\d+$/.test(timeout) ? now + Number(timeout) : Date.parse(timeout);
}

function lanesOf(
  functionId: string,
  { rateLimit, idempotency, singleton }: Gates,
  lines: readonly LineRef[],
): string[] {
  const gates = { rateLimit, idempotency, singleton };
  return [
    ...Object.entries(gates).flatMap(([gate, at]) => (at === null ? [] : [`${gate}\n${at.key}`])),
    ...lines.map(lineName),
  ].map((lane) => `${functionId}\n${lane}`);
}
