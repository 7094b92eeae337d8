/**
 * A small world around one schedule: a clock that jumps, alarms that come late, an engine that dies before or after a tick was published,
 * syncs that change the crons. Everything follows from a seed. The world keeps its own ledger and compares it after every step: what must
 * have fired has, what must not has not.
 */
import { calendarOf } from "../../../../src/decide/schedule/calendar.ts";
import { fireTime } from "../../../../src/decide/schedule/jitter.ts";
import {
  type CatchUp,
  type CronTrigger,
  dueAt,
  nextDue,
  type Schedule,
  settle,
  type Tick,
  tell,
} from "../../../../src/decide/schedule/schedule.ts";

const FUNCTION = "f";
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** Missed ticks of a cron that are made up for (TR-13). */
const MOST = 100;

/** What is simulated. Times in ms. */
export interface World {
  readonly seed: number;
  readonly from: number;
  readonly until: number;
  readonly policy: CatchUp;
  /** Crons that syncs choose from. */
  readonly crons: readonly CronTrigger[];
  /** How long the engine may be down. */
  readonly outage: number;
  /** How often in a thousand steps something goes wrong. */
  readonly trouble: number;
}

/** How a simulation went. */
export interface Outcome {
  /** Distinct instants that started a run. */
  readonly runs: number;
  readonly outages: number;
  readonly jumps: number;
  readonly syncs: number;
  /** Ticks published again after a crash. */
  readonly repeated: number;
}

/** A cron as the ledger sees it: since when it is active, and up to where the ledger has looked, by the clock. */
interface Active extends CronTrigger {
  readonly since: number;
  looked: number;
}

/** Runs a world to its end. Throws at the first tick that is early, missing, doubled or no longer wanted. */
export function simulate({ seed, from, until, policy, crons, outage, trouble }: World): Outcome {
  const random = generator(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const count = { runs: 0, outages: 0, jumps: 0, syncs: 0, repeated: 0 };
  /** Instants that have a run, with the cron that started it. */
  const started = new Map<number, Active>();
  let time = from;
  let skew = 0;
  let revision = 0;
  let stored: Schedule | null = null;
  let active: Active[] = [];

  const clock = () => time + skew;
  const broken = (what: string, tick: { readonly cron: string; readonly at: number }): never => {
    const facts = `${tick.cron} at ${new Date(tick.at).toISOString()}, clock ${new Date(clock()).toISOString()}`;
    throw new Error(`${what}: ${facts} (seed ${seed})`);
  };

  const sync = (): void => {
    count.syncs++;
    const chosen = crons.filter(() => below(3) > 0);
    const now = clock();
    active = chosen.map((trigger) => {
      const known = active.find(({ cron }) => cron === trigger.cron);
      return { ...trigger, since: known?.since ?? now, looked: known?.looked ?? now };
    });
    stored = tell(stored, chosen, { revision: ++revision, now });
  };

  /** Starts the run of a tick; `again` when a crash has made the engine forget that it did. */
  const publish = (tick: Tick, again: boolean): void => {
    if (tick.fireAt > clock()) broken("early", tick);
    const cron = active.find((known) => known.cron === tick.cron);
    if (cron === undefined || tick.at <= cron.since) return broken("fired an old time of", tick);
    const starter = started.get(tick.at);
    if (starter === undefined) {
      count.runs++;
      started.set(tick.at, cron);
    } else if (again || starter.cron !== tick.cron || starter.since !== cron.since) {
      // The same event is published again, and its run is there: after a crash, for another cron with another jitter, or because clocks
      // went back before a cron came back.
      count.repeated++;
    } else broken("doubled", tick);
  };

  /** What the object does when its alarm comes. False when it died on the way. */
  const wake = (afterCrash: boolean): boolean => {
    if (stored === null) return true;
    const due = dueAt(stored, FUNCTION, clock(), policy);
    if (due === null) return true;
    const dies = below(1000) < trouble / 2 ? below(due.instants.length + 1) : null;
    for (const [at, [tick]] of due.instants.entries()) {
      if (dies === at) return false;
      if (tick !== undefined) publish(tick, afterCrash);
    }
    if (dies !== null) return false;
    stored = settle(stored, due);
    return true;
  };

  /** Compares what has fired with what TR-13 says of all that fell due since the last time. */
  const check = (): void => {
    for (const cron of active) {
      const calendar = calendarOf(cron.cron);
      if (calendar === null) return broken("no cron", { ...cron, at: 0 });
      const fell: { readonly at: number; readonly late: number }[] = [];
      for (let at = calendar.next(cron.looked); at !== null && at <= clock(); at = calendar.next(at)) {
        const fireAt = fireTime(FUNCTION, cron, at, calendar.next(at));
        if (fireAt <= clock()) fell.push({ at, late: clock() - fireAt });
      }
      const newest = fell.at(-1);
      if (newest === undefined) continue;
      cron.looked = newest.at;
      const wanted = fell.slice(-MOST).filter(({ late }) => policy === "all" || late < MINUTE);
      if (policy === "latest") wanted.push(newest);
      for (const { at } of wanted) if (!started.has(at)) broken("missed", { cron: cron.cron, at });
    }
  };

  sync();
  while (time < until) {
    const dice = below(1000);
    if (dice < trouble) {
      count.outages++;
      time += below(outage);
    } else if (dice < 2 * trouble) {
      count.jumps++;
      skew += below(2 * HOUR) - HOUR;
    } else if (dice < 3 * trouble) {
      sync();
    }
    if (dice < 3 * trouble && below(2) === 0) continue;
    const due: number | null = stored === null ? null : nextDue(stored, FUNCTION);
    // Alarms come late, mostly by little, and now and then early.
    const late = below(20) === 0 ? below(50 * SECOND) : below(20);
    time = Math.max(
      time,
      Math.min((due ?? clock() + HOUR) - skew, time + 24 * HOUR) + late - (below(10) === 0 ? 30 : 0),
    );
    let alive = wake(false);
    while (!alive) {
      time += below(5 * SECOND);
      alive = wake(true);
    }
    check();
  }
  return count;
}

/** Numbers in [0, 1) that only the seed decides. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
