/**
 * What a run holds on its lines, in the memory of this instance: stands between the jobs that are due and their delivery. Owns what was said
 * to each line and what it gave; the order of acquisition is `acquisition.ts`.
 * Guarantees that no job is delivered without a unit of every line, that a unit which passes from step to step asks nobody, and that what a
 * line has granted is used only while nothing newer was said to it (FC-10). What is forgotten with the instance is asked for again.
 */
import type { Fence, Held, LineRef, Needs } from "../decide/capacity/line.ts";
import { lineName } from "../decide/capacity/line-order.ts";
import { needs, passing, type Standing, type Units } from "../decide/run/acquisition.ts";
import { isGrantNews } from "../decide/run/admission.ts";
import type { Input } from "../decide/run/decide.ts";
import { dueJobs } from "../decide/run/effects.ts";
import { linesOf, lostUntil, type Work, workOf } from "../decide/run/lines.ts";
import type { Job, RunState } from "../decide/run/state.ts";
import { CAPACITY } from "../limits.ts";
import { Lease } from "./lease.ts";
import type { LineSide, Said } from "./lines.ts";

/** What leases need of the run they belong to. */
export interface LeaseOwner {
  /** The run as it is now; null when there is none. */
  state(): RunState | null;
  /** Commits a decision and advances the run, before it returns; resolves when the alarm is set too. */
  take(input: Input): Promise<void>;
  /** Does what the run calls for now; it has not ended. */
  advance(state: RunState): void;
  /** Reports a failure that nobody waits for. */
  failed(error: unknown): void;
}

/** The calls of the run. */
export interface Calls {
  /** Jobs in hand. */
  readonly delivering: ReadonlySet<number>;
  deliver(job: Job): void;
}

export class Leases {
  readonly #lines: LineSide;
  readonly #calls: Calls;
  readonly #owner: LeaseOwner;
  #leases: readonly Lease[] | null = null;
  /** An earlier instance may have spoken to the lines. */
  #inherited = false;
  /** When the run was found in its log with its end, ms: an earlier instance may have had calls in hand. Null otherwise. */
  #endFoundAt: number | null = null;
  #stamp = 0;
  #failures = 0;

  constructor(lines: LineSide, calls: Calls, owner: LeaseOwner) {
    this.#lines = lines;
    this.#calls = calls;
    this.#owner = owner;
  }

  /** The run was found in its log at `now` (ms), not begun here. */
  inherit({ outcome }: RunState, now: number): void {
    this.#inherited = true;
    if (outcome !== null) this.#endFoundAt = now;
  }

  /** Delivers what may be delivered, asks for what else is due, and gives back what is not. */
  advance(state: RunState): void {
    const due = dueJobs(state, this.#calls.delivering, Date.now());
    if (linesOf(state).length === 0) {
      for (const job of due) this.#calls.deliver(job);
      return;
    }
    const { leases, standings, work } = this.#outlook(state, due);
    const granted = due.slice(0, passing(standings, work).at(-1));
    if (granted.length > 0) return this.#deliver(state, granted);
    const claims = needs(standings, work);
    for (const [index, lease] of leases.entries()) {
      const need = claims[index];
      if (need?.tell) this.#say(state, lease, need);
    }
    // A start that was let through must not be asked for again, should this instance be lost while the run waits for a unit.
    const quiet = leases.every(({ asking }) => asking === null);
    if (quiet && work.due > 0 && isStartHeld(leases) && !state.admitted) this.#record([], true);
  }

  /** A line tells what the run holds. Does what follows from it and answers what the run needs; null when nothing any more. */
  told(line: LineRef, held: Held): Needs {
    const before = this.#owner.state();
    if (before === null) return null;
    this.#heed(held.heard);
    this.#leaseOn(before, line)?.called(held);
    if (before.outcome === null) this.#owner.advance(before);
    this.#pass();
    return this.#answer(this.#owner.state() ?? before, line, held);
  }

  /** The due jobs that wait for a line which knows of them, and that line. */
  waiting(state: RunState): Map<number, LineRef> {
    const due = this.#due(state);
    const waiting = new Map<number, LineRef>();
    if (linesOf(state).length === 0) return waiting;
    const { leases, standings, work } = this.#outlook(state, due);
    const past = passing(standings, work);
    for (const [position, job] of due.entries()) {
      const index = past.findIndex((count) => count <= position);
      const lease = leases[index];
      // What was not registered yet, or could not be, has not come to its lines.
      const units = lease?.line.counts === "steps" ? work.executing + position + 1 : 1;
      if (lease?.acknowledges(units)) waiting.set(job.id, lease.line);
    }
    return waiting;
  }

  /** Something changed nothing; perhaps it was a call that ended after its run, whose unit goes back. */
  trim(): void {
    const state = this.#owner.state();
    const claimed = this.#leases?.some(({ isClaimed }) => isClaimed) ?? false;
    if (claimed && state !== null && state.outcome !== null) this.advance(state);
  }

  /** When what calls that outlast their run hold is to be given back, ms; endless while one is in hand, null when it has been (FC-10). */
  owedAt(state: RunState): number | null {
    if (state.outlasting.length === 0) return null;
    if (this.#calls.delivering.size > 0) return Number.POSITIVE_INFINITY;
    const isOwed = ({ line, isKnown, doubtful, asking }: Lease) =>
      line.counts === "steps" && (isKnown || doubtful || asking !== null);
    if (!this.#leasesOf(state).some(isOwed)) return null;
    return Math.max(Date.now(), ...lostUntil(state, this.#endFoundAt));
  }

  /** Gives back whatever an ended run does not use any more. Throws when a line did not hear of it; to be repeated then. */
  async release(state: RunState): Promise<void> {
    if (linesOf(state).length === 0) return;
    this.advance(state);
    for (;;) {
      const asking = this.#leasesOf(state).flatMap((lease) => lease.asking ?? []);
      if (asking.length === 0) break;
      await Promise.all(asking);
    }
    // A start that was given is never given back: whatever its line has not heard, it need not be told. Nor what lost calls hold, for now.
    const now = Date.now();
    const isLost = lostUntil(state, this.#endFoundAt).some((until) => until > now);
    const isOver = ({ line: { counts } }: Lease) =>
      counts === "starts" ? state.admitted || state.startedAt !== null : counts === "steps" && isLost;
    if (this.#leasesOf(state).some((lease) => lease.doubtful && !isOver(lease))) {
      throw new Error("What the run held of its limits could not be given back yet.");
    }
  }

  #answer(state: RunState, line: LineRef, { held }: Held): Needs {
    const lease = this.#leaseOn(state, line);
    if (lease === undefined) return null;
    const { leases, standings, work } = this.#outlook(state, this.#due(state));
    const need = needs(standings, work)[leases.indexOf(lease)];
    if (need === undefined) return null;
    // What lost calls may still use is in use, as far as the line knows of it; beyond that it only keeps its place.
    const lost = line.counts === "steps" ? work.lost : 0;
    const used = Math.min(lost, Math.max(0, held - need.busy));
    const units = { busy: need.busy + used, wants: work.ended ? 0 : need.wants + lost - used };
    if (work.ended && units.busy === 0) return null;
    const fence = lease.underWay(units) ?? this.#fence(state);
    lease.said(fence, units, lost === 0);
    lease.keep(units);
    return { fence, ...units };
  }

  #deliver(state: RunState, jobs: readonly Job[]): void {
    const admitted = isStartHeld(this.#leasesOf(state));
    // The row comes first; taking it advances the run, which comes here again.
    if (isGrantNews(state, jobs, admitted)) return this.#record(jobs, admitted);
    for (const job of jobs) this.#calls.deliver(job);
    this.advance(state);
  }

  /** Jobs that a line has let go on, and that the next one does not know of yet: should this instance be lost, nobody would call for them. */
  #pass(): void {
    const state = this.#owner.state();
    if (state === null || state.outcome !== null) return;
    const waiting = this.waiting(state);
    const passed = this.#due(state).flatMap(({ id, lined }) => (lined && !waiting.has(id) ? [id] : []));
    if (passed.length === 0) return;
    this.#owner.take({ kind: "passed", jobs: passed }).catch((error: unknown) => this.#owner.failed(error));
  }

  #record(jobs: readonly Job[], admitted: boolean): void {
    const granted: Input = { kind: "granted", jobs: jobs.map(({ id }) => id), admitted };
    this.#owner.take(granted).catch((error: unknown) => this.#owner.failed(error));
  }

  #say(state: RunState, lease: Lease, { busy, wants }: Units): void {
    const { isKnown, calls } = lease;
    const said: Said = { fence: this.#fence(state), busy, wants };
    lease.said(said.fence, said, true);
    lease.doubtful = false;
    lease.asking = this.#lines
      .say(state, lease.line, said, isKnown)
      .then(
        (held) => this.#answered(lease, said, held, calls),
        (error: unknown) => this.#unanswered(lease, error),
      )
      .catch((error: unknown) => this.#owner.failed(error));
  }

  #answered(lease: Lease, said: Said, held: Held | null, calls: number): void {
    this.#failures = 0;
    lease.asking = null;
    if (held === null) lease.vanished(Date.now());
    else {
      lease.answered(said, held, calls, this.#calls.delivering.size);
      // It was taken for old. One that has been replaced knows of fewer decisions, and is not to repeat what it said.
      if (this.#heed(held.heard) && held.heard.sequence === said.fence.sequence) lease.doubtful = true;
    }
    this.#again();
  }

  #unanswered(lease: Lease, error: unknown): void {
    lease.asking = null;
    lease.doubtful = true;
    this.#owner.failed(error);
    const { first, max } = CAPACITY.retry;
    // An ended run is told of it, and repeats its end; see `release`.
    if (this.#owner.state()?.outcome === null) {
      setTimeout(() => this.#again(), Math.min(first * 2 ** this.#failures++, max));
    }
  }

  #again(): void {
    const state = this.#owner.state();
    if (state === null) return;
    if (state.outcome === null) this.#owner.advance(state);
    else this.advance(state);
  }

  #due(state: RunState): Job[] {
    return dueJobs(state, this.#calls.delivering, Date.now());
  }

  #outlook(
    state: RunState,
    due: readonly Job[],
  ): { readonly leases: readonly Lease[]; readonly standings: readonly Standing[]; readonly work: Work } {
    const now = Date.now();
    const executing = this.#calls.delivering.size;
    const leases = this.#leasesOf(state);
    const work = workOf(state, executing, due.length, now, this.#endFoundAt);
    return { leases, standings: leases.map((lease) => lease.standing(executing, now)), work };
  }

  #leasesOf(state: RunState): readonly Lease[] {
    this.#leases ??= linesOf(state).map((line) => new Lease(line, this.#inherited ? null : 0));
    return this.#leases;
  }

  #leaseOn(state: RunState, line: LineRef): Lease | undefined {
    const name = lineName(line);
    return this.#leasesOf(state).find((lease) => lineName(lease.line) === name);
  }

  /** What is said from here on is newer than what a line has heard. True when it would not have been: another instance's clock was ahead. */
  #heed({ stamp }: Fence): boolean {
    const isBehind = stamp > this.#stamp;
    if (isBehind) this.#stamp = stamp;
    return isBehind;
  }

  #fence({ sequence }: RunState): Fence {
    this.#stamp = Math.max(this.#stamp + 1, Date.now());
    return { sequence, stamp: this.#stamp };
  }
}

function isStartHeld(leases: readonly Lease[]): boolean {
  return leases.some(({ line, held }) => line.counts === "starts" && held > 0);
}
