/**
 * What must hold of ticks (TR-10 … TR-15): each starts at most one run, none before its time, none that its function did not have, and after
 * an outage those that the policy makes up for. What crons are is known from the syncs.
 */
import { disagreeing, disturbed, invented, rewritten, stuck } from "../checks/runs.ts";
import type { Done } from "../deeds.ts";
import type { Rest } from "../rest.ts";
import type { Plan } from "./plan.ts";

/** What is left of a schedule, and what led to it. Times are ms. */
export interface CronsRest extends Rest {
  readonly plan: Plan;
  readonly deeds: readonly Done[];
  readonly downs: readonly { readonly from: number; readonly until: number }[];
  readonly begin: number;
  readonly registeredAt: number;
  readonly peaceAt: number;
  readonly endAt: number;
}

const MINUTE = 60_000;
/** ms by which a tick may be late and still count as on time (`SCHEDULE.grace`). */
const GRACE = MINUTE;
/** ms until a schedule knows of a sync that was answered, when calls fail. */
const SETTLED = 3 * MINUTE;

/** What is wrong, in words. */
export function checkCrons(rest: CronsRest): string[] {
  return [
    ...stuck(rest),
    ...rewritten(rest),
    ...invented(rest),
    ...disagreeing(rest),
    ...disturbed(rest, MINUTE),
    ...ticking(rest),
    ...silent(rest),
  ];
}

/** A run of a tick: when it was due, and when its first call came. */
interface Ticked {
  readonly at: number;
  readonly calledAt: number;
  readonly cron: string;
}

function ticksOf({ ledger }: Rest, slug: string): { readonly ticks: Map<number, Ticked>; readonly doubled: string[] } {
  const runs = new Map<number, string>();
  const ticks = new Map<number, Ticked>();
  const doubled: string[] = [];
  for (const { functionId, runId, data, from } of ledger) {
    if (functionId !== slug) continue;
    const at = Date.parse(String(data["scheduledAt"]));
    const known = runs.get(at);
    if (known !== undefined && known !== runId) doubled.push(`${slug}: the tick ${textOf(at)} has two runs`);
    if (known !== undefined) continue;
    runs.set(at, runId);
    ticks.set(at, { at, calledAt: from, cron: String(data["cron"]) });
  }
  return { ticks, doubled };
}

/** Ticks that there were and should not have been. */
function ticking(rest: CronsRest): string[] {
  const { plan, downs } = rest;
  return plan.functions.flatMap(({ id }) => {
    const { ticks, doubled } = ticksOf(rest, `sim-${id}`);
    const wrong = [...ticks.values()].flatMap(({ at, calledAt, cron }) => {
      const said = (what: string) => [`sim-${id}: the tick ${textOf(at)} of ${cron} ${what}`];
      if (calledAt < at) return said(`came at ${calledAt.toFixed(1)}`);
      if (at % (everyOf(cron) * MINUTE) !== 0) return said("is none");
      if (!crons(rest, id, at).possible.has(cron)) return said("came while the function had no such cron");
      const isInterrupted = downs.some(({ from, until }) => from <= calledAt && until >= at);
      const isLate = calledAt - at >= GRACE + 1000 && plan.policy === "skip" && isQuiet(rest) && !isInterrupted;
      return isLate ? said(`came late, at ${calledAt.toFixed(1)}`) : [];
    });
    return [...doubled, ...wrong];
  });
}

/** Ticks that there should have been: all in peace, all ever under the policy `all`, and the newest of an outage under `latest`. */
function silent(rest: CronsRest): string[] {
  const { plan, registeredAt, peaceAt, endAt, downs } = rest;
  const first = Math.ceil((registeredAt + 1) / MINUTE) * MINUTE;
  return plan.functions.flatMap(({ id }) => {
    const { ticks } = ticksOf(rest, `sim-${id}`);
    const missing: string[] = [];
    for (let at = first; at < endAt - 5000; at += MINUTE) {
      const down = downs.find(({ from, until }) => from <= at + 5000 && until >= at);
      const certain = [...crons(rest, id, at, down?.until).certain];
      const due = certain.filter((cron) => at % (everyOf(cron) * MINUTE) === 0);
      if (due.length === 0 || ticks.has(at)) continue;
      const isNewest = down !== undefined && due.some((cron) => at + everyOf(cron) * MINUTE > down.until);
      const isMadeUpFor = plan.policy === "all" || (plan.policy === "latest" && isNewest && isQuiet(rest));
      const isOnTime = isQuiet(rest) && down === undefined;
      if (at >= peaceAt + MINUTE || isMadeUpFor || isOnTime)
        missing.push(`sim-${id}: the tick ${textOf(at)} has no run`);
    }
    return missing;
  });
}

/**
 * The crons that a function may have had at an instant, and those that it certainly had, as far as clients know. `madeUpAt`: the earliest
 * that its tick can be made up for, by when a sync may have taken the cron away.
 */
function crons(
  rest: CronsRest,
  id: string,
  at: number,
  madeUpAt = at,
): { readonly possible: Set<string>; readonly certain: Set<string> } {
  const { plan, deeds, begin, registeredAt } = rest;
  const initial = { functions: plan.functions, from: begin, settled: registeredAt };
  const syncs = deeds.flatMap(({ deed, at: from, answeredAt }) => {
    const settled = (answeredAt ?? Number.POSITIVE_INFINITY) + (isQuiet(rest) ? 0 : SETTLED);
    return deed.kind === "register" ? [{ functions: deed.functions, from, settled }] : [];
  });
  const all = [initial, ...syncs];
  const setsAt = all.flatMap(({ functions, from }, index) => {
    const over = all.slice(index + 1).some((later) => later.settled < at);
    return from <= at && !over ? [new Set(functions.find((fn) => fn.id === id)?.crons ?? [])] : [];
  });
  const possible = new Set(setsAt.flatMap((set) => [...set]));
  const isPaused = pauses(rest, id).some(({ from, until }) => from <= madeUpAt && at <= until);
  const unsettled = all.some(({ from, settled }) => from <= madeUpAt + MINUTE && at <= settled);
  const certain = isPaused || unsettled ? [] : [...possible].filter((cron) => setsAt.every((set) => set.has(cron)));
  return { possible, certain: new Set(certain) };
}

/** When a function may have been paused, with the time in which ticks would still have been made up for. */
function pauses({ deeds }: CronsRest, id: string): { readonly from: number; readonly until: number }[] {
  return deeds.flatMap(({ deed, at }) => {
    if (deed.kind !== "pause" || deed.function !== `sim-${id}`) return [];
    const resume = deeds.findLast((other) => other.deed.kind === "resume");
    return [{ from: at - MINUTE, until: (resume?.answeredAt ?? Number.POSITIVE_INFINITY) + SETTLED }];
  });
}

/** Whether nothing goes wrong but that the process dies. */
function isQuiet({ plan }: CronsRest): boolean {
  return plan.faults.instances === undefined;
}

function everyOf(cron: string): number {
  return Number(/^\*\/(\d+)/.exec(cron)?.[1] ?? 1);
}

function textOf(at: number): string {
  return new Date(at).toISOString().slice(11, 16);
}
