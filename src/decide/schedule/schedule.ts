/**
 * The schedule of one function: its crons, and how far each is done (TR-12 … TR-15). Pure: state and time in, ticks and state out.
 * Guarantees that no tick fires before its time or twice, whatever the clock does, and that a cron knows nothing from before the sync that
 * brought it. What a tick starts is not decided here.
 */
import { SCHEDULE } from "../../limits.ts";
import { calendarOf } from "./calendar.ts";
import { fireTime } from "./jitter.ts";

/** What becomes of ticks that were missed (TR-13). */
export type CatchUp = "skip" | "latest" | "all";

/** A cron as its trigger wrote it. `jitter` in ms. */
export interface CronTrigger {
  readonly cron: string;
  readonly jitter: number | null;
}

/** A cron and how far it is done: ticks up to `handled` (ms since 1970) have fired, were dropped, or were never its own. */
interface ScheduledCron extends CronTrigger {
  readonly handled: number;
}

/** The crons of a function, in the order of its triggers, no text twice. */
export interface Schedule {
  /** Rises with everything the schedule is told: what was said earlier and arrives later is not listened to. */
  readonly revision: number;
  readonly crons: readonly ScheduledCron[];
}

/** A tick that starts a run. Times are ms since 1970. */
export interface Tick {
  /** The trigger's text. */
  readonly cron: string;
  /** The scheduled time. */
  readonly at: number;
  /** The scheduled time and its jitter. */
  readonly fireAt: number;
}

/** What is to be done at a moment, and how far the crons it concerns are done afterwards, by their texts. */
export interface Due {
  /**
   * By instant, earliest first. Crons that tick together start one run (TR-12): the first of them, in the order of triggers, that is still
   * wanted when its turn comes.
   */
  readonly instants: readonly (readonly Tick[])[];
  readonly handled: ReadonlyMap<string, number>;
}

/**
 * The schedule after it was told its crons at `now`; the one it was given when the message is an old or repeated one. A cron that was there
 * before goes on where it was, any other one begins at `now` (TR-14).
 */
export function tell(
  schedule: Schedule | null,
  crons: readonly CronTrigger[],
  { revision, now }: { readonly revision: number; readonly now: number },
): Schedule {
  if (schedule !== null && revision <= schedule.revision) return schedule;
  const handled = new Map(schedule?.crons.map((scheduled) => [scheduled.cron, scheduled.handled]));
  return {
    revision,
    crons: crons.map(({ cron, jitter }) => ({ cron, jitter, handled: handled.get(cron) ?? now })),
  };
}

/** What is due at `now`; null when nothing is. The function's id decides the jitter. */
export function dueAt(schedule: Schedule, functionId: string, now: number, policy: CatchUp): Due | null {
  const instants = new Map<number, Tick[]>();
  const handled = new Map<string, number>();
  for (const scheduled of schedule.crons) {
    const due = dueOf(scheduled, functionId, now, policy);
    if (due === null) continue;
    handled.set(scheduled.cron, due.handled);
    for (const tick of due.ticks) instants.set(tick.at, [...(instants.get(tick.at) ?? []), tick]);
  }
  if (handled.size === 0) return null;
  const inOrder = [...instants].sort(([a], [b]) => a - b);
  return { instants: inOrder.map(([, ticks]) => ticks), handled };
}

/** Walks back from `now`, so that a long outage costs no more than what is made up for of it. */
function dueOf(
  { handled, ...trigger }: ScheduledCron,
  functionId: string,
  now: number,
  policy: CatchUp,
): { readonly ticks: readonly Tick[]; readonly handled: number } | null {
  const calendar = calendarOf(trigger.cron);
  if (calendar === null) return null;
  const ticks: Tick[] = [];
  let newest: number | null = null;
  let next = calendar.next(now);
  let at = calendar.previous(now);
  while (at !== null && at > handled && ticks.length < SCHEDULE.catchUp) {
    const tick = { cron: trigger.cron, at, fireAt: fireTime(functionId, trigger, at, next) };
    if (tick.fireAt <= now) {
      newest ??= at;
      const late = now - tick.fireAt >= SCHEDULE.grace;
      if (late && !isMadeUpFor(policy, at === newest)) break;
      ticks.push(tick);
    }
    next = at;
    at = calendar.previous(at - 1);
  }
  return newest === null ? null : { ticks, handled: newest };
}

/** Whether a missed tick fires after all (TR-13). */
function isMadeUpFor(policy: CatchUp, newest: boolean): boolean {
  switch (policy) {
    case "skip":
      return false;
    case "latest":
      return newest;
    case "all":
      return true;
  }
}

/** The schedule once everything that was due is done. What it was told meanwhile stays. */
export function settle(schedule: Schedule, { handled }: Pick<Due, "handled">): Schedule {
  const crons = schedule.crons.map((scheduled) => {
    return { ...scheduled, handled: Math.max(scheduled.handled, handled.get(scheduled.cron) ?? 0) };
  });
  return { ...schedule, crons };
}

/** When something is due next, which may have been long ago; null when no cron ever ticks again. */
export function nextDue(schedule: Schedule, functionId: string): number | null {
  const times = schedule.crons.flatMap((scheduled) => {
    const calendar = calendarOf(scheduled.cron);
    const at = calendar?.next(scheduled.handled) ?? null;
    return calendar === null || at === null ? [] : [fireTime(functionId, scheduled, at, calendar.next(at))];
  });
  return times.length === 0 ? null : Math.min(...times);
}
