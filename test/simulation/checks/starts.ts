/**
 * I1: everything that is to start a run starts exactly one (EV-15, EX-55, CR-30 … CR-34, CR-21): events, steps that invoke, ends, reruns.
 */
import type { Execution } from "../app.ts";
import { stepsOf } from "../program.ts";
import type { Rest } from "../rest.ts";
import type { Sent } from "../world.ts";
import type { WorldFunction } from "../world-function.ts";
import { byRun } from "./runs.ts";

/** A time in which a function may have started nothing, ms. */
export interface Span {
  readonly from: number;
  readonly until: number;
}

/**
 * Events that have no run of a function they are for, or several. Events with one sender's id count as one. `away`: when functions were
 * paused or removed, by slug; then there may be none.
 */
export function lost(
  { sent, runs }: Rest,
  functions: readonly WorldFunction[],
  away: ReadonlyMap<string, readonly Span[]>,
): string[] {
  const started = new Map<string, Set<string>>();
  for (const [runId, { row, history }] of runs) {
    const known = row ?? history;
    if (known === null || known.status === "skipped" || known.originalRunId !== null) continue;
    for (const id of known.eventIds) {
      const key = `${known.functionSlug} ${id}`;
      started.set(key, (started.get(key) ?? new Set()).add(runId));
    }
  }
  return functions.flatMap(({ id, event: name }) => {
    const slug = `sim-${id}`;
    const units = new Map<string, Sent[]>();
    for (const one of sent.values()) {
      if (one.event.payload.name !== name) continue;
      const unit = one.event.deduplicationId ?? one.event.internalId;
      units.set(unit, [...(units.get(unit) ?? []), one]);
    }
    return [...units].flatMap(([unit, events]) => {
      const own = new Set(events.flatMap(({ event }) => [...(started.get(`${slug} ${event.internalId}`) ?? [])]));
      // An accepted event may be routed much later, when its fan-out was lost.
      const isExcused = events.some(({ sentAt }) => (away.get(slug) ?? []).some(({ until }) => sentAt <= until));
      return own.size === 1 || (own.size === 0 && isExcused) ? [] : [`event ${unit} has ${own.size} runs of ${slug}`];
    });
  });
}

/** Steps that invoked more than one child, or were answered what their child did not say (EX-50 … EX-55). */
export function misinvoked({ ledger, runs }: Rest, functions: readonly WorldFunction[]): string[] {
  const children = new Map<string, Set<string>>();
  for (const { runId, data } of ledger) {
    const correlation = correlationOf(data);
    // A child that is run again has the event of its original, and answers nobody.
    if (correlation !== null && !isRerun(runs, runId))
      children.set(correlation, (children.get(correlation) ?? new Set()).add(runId));
  }
  const parts = new Map(functions.map((fn) => [`sim-${fn.id}`, stepsOf(fn.parts)]));
  return [...byRun(ledger)].flatMap(([runId, own]) =>
    (parts.get(own[0]?.functionId ?? "") ?? []).flatMap((part) => {
      if (part.kind !== "invoke") return [];
      const said = (what: string) => [`run ${runId}: invoke ${part.id} ${what}`];
      const [child, ...others] = children.get(`${runId}.${part.id}`) ?? [];
      if (others.length > 0) return said(`has ${others.length + 1} children`);
      const memo = runs.get(runId)?.memo[part.id];
      if (typeof memo !== "object" || memo === null || !("data" in memo)) return [];
      // A run that took its results over has the children of its original.
      if (isRerun(runs, runId)) return [];
      const row = child === undefined ? null : (runs.get(child)?.row ?? null);
      if (row === null) return said("has a result and no child");
      return JSON.stringify(memo["data"]) === JSON.stringify(row.output)
        ? []
        : said(`has a result its child did not return`);
    }),
  );
}

/** Ends that a listener has not heard of, or more than once. */
export function unannounced({ ledger, runs }: Rest, listener: WorldFunction | null): string[] {
  if (listener === null) return [];
  const slug = `sim-${listener.id}`;
  const heard = new Map<unknown, Set<string>>();
  for (const { functionId, runId, data } of ledger) {
    if (functionId === slug && !isRerun(runs, runId))
      heard.set(data["run_id"], (heard.get(data["run_id"]) ?? new Set()).add(runId));
  }
  return [...runs].flatMap(([runId, { row }]) => {
    if (row === null || row.functionSlug === slug) return [];
    const times = heard.get(runId)?.size ?? 0;
    return times === 1 ? [] : [`the end of run ${runId} was announced ${times} times`];
  });
}

function isRerun(runs: Rest["runs"], runId: string): boolean {
  return (runs.get(runId)?.row?.originalRunId ?? null) !== null;
}

/** The step that invoked a run, as the event of its invocation says; null when it was not invoked. */
function correlationOf(data: Execution["data"]): string | null {
  const origin = data["_inngest"];
  if (typeof origin !== "object" || origin === null || Array.isArray(origin)) return null;
  const id = "correlation_id" in origin ? origin["correlation_id"] : null;
  return typeof id === "string" ? id : null;
}
