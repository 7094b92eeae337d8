/**
 * A line: who holds units of one limit, who waits for them, and who is to be told (FC-4 … FC-11, FC-15). Pure: time and chance are
 * arguments. Changed in place, because thousands may stand in it; whoever keeps it stores {@link WaitingLine.takeChanges} or starts anew
 * from what is stored.
 * Guarantees that never more is given out than the limit of the function that is served allows; that within a function who stands further
 * ahead is served first; and that what a run was, or may have been, told it holds is given to nobody else until the run has answered.
 */
import { CAPACITY } from "../../limits.ts";
import { Choice, type Moment } from "./choice.ts";
import { Departed } from "./departed.ts";
import { isNewer } from "./fence.ts";
import type { Group } from "./group.ts";
import { Journal } from "./journal.ts";
import type { Claim, Counted, Fence, Held, LineLimit, Needs } from "./line.ts";
import type { Entry, Member } from "./member.ts";
import { Outbox } from "./outbox.ts";
import { type Changes, Roster } from "./roster.ts";
import { Starts, type StoredStarts } from "./starts.ts";
import { mustYield, unwarned } from "./yielding.ts";

/** A line as it is stored. */
export interface StoredLine {
  readonly entries: readonly Entry[];
  /** By function, where the entries may name an older one. */
  readonly limits: ReadonlyMap<string, LineLimit>;
  readonly starts: StoredStarts | null;
}

/** A call of a run: what it is told. */
export interface Call {
  readonly member: Member;
  readonly held: Held;
}

export class WaitingLine {
  readonly counts: Counted;
  readonly roster = new Roster();
  /** Present where starts are given out, which nobody holds or gives back. */
  readonly starts: Starts | null;
  readonly journal = new Journal();
  readonly #choice = new Choice();
  readonly #departed: Departed;
  readonly #outbox = new Outbox();
  /** ms; how long a holder may be silent while others wait. */
  readonly #lease: number;
  /** When silent holders are looked for, ms; null while nobody waits and nobody has to answer. */
  #lookAt: number | null = null;

  constructor(counts: Counted, { entries, limits, starts }: StoredLine, now: number) {
    this.counts = counts;
    this.starts = counts === "starts" ? new Starts(starts) : null;
    this.#departed = new Departed(now);
    this.#lease = counts === "runs" ? CAPACITY.runLease : CAPACITY.lease;
    // A start that was given is in the one row of starts; the run's own row goes when it has answered.
    const told = (entry: Entry): Entry =>
      this.starts?.has(entry.runId) ? { ...entry, held: 1, wants: 0, owed: true } : entry;
    this.roster.restore(entries.map(told), limits, now);
    for (const member of this.roster.members()) if (member.owed) this.#outbox.add(member, "grant");
  }

  /** Takes what a run says, and answers what it holds from now on. What it said before counts no more, and what is older not at all. */
  claim(claim: Claim, moment: Moment): Held {
    const known = this.roster.find(claim);
    const newest = known?.fence ?? this.#departed.of(claim);
    if (newest !== undefined && !isNewer(claim.fence, newest)) return this.#standing(claim, known, newest);
    const asked = claim.busy + claim.wants;
    if (this.starts?.has(claim.runId) === true || (known === undefined && asked === 0)) {
      if (known !== undefined) this.#leave(known);
      this.#departed.note(claim, claim.fence);
      return this.#standing(claim, undefined, claim.fence);
    }
    const member = known ?? this.roster.join(claim);
    this.#judge(member, claim, known === undefined);
    this.#hear(member, claim.fence, moment.now);
    this.roster.setPlace(member, claim.place);
    this.roster.setWarned(member, false);
    this.roster.adopt(member.functionId, claim.limit);
    // Nothing is taken from a run that has yet to answer: it may be using what it was told of. It may never speak again by itself.
    const kept = member.owed ? Math.max(member.held, claim.busy) : claim.busy;
    const spare = kept - claim.busy;
    if (spare > 0) this.roster.touch(member);
    this.#settle(member, { held: kept, spare, wants: claim.wants }, moment.now);
    this.#serve(moment, member);
    const yields = this.#mustYield(member);
    this.roster.setWarned(member, yields);
    if (!member.owed) this.#outbox.drop(member);
    member.untold = false;
    const held = member.held - member.spare;
    this.#leaveIfDone(member);
    return { held, yields, heard: claim.fence };
  }

  /** What a call of a run brought. Null: the run has ended, or never was. */
  answered({ member, held }: Call, needs: Needs, moment: Moment): void {
    if (this.roster.find(member) !== member) return;
    const { now } = moment;
    member.calling = false;
    if (needs === null) this.#leave(member);
    else if (this.starts !== null) {
      if (needs.wants === 0) this.#leave(member);
      else this.#outbox.postpone(member, now);
    } else {
      member.failures = 0;
      if (isNewer(member.fence, needs.fence)) this.#outspoken(member, now);
      else this.#agreed(member, held, needs, now);
      if (member.owed) this.#outbox.add(member, "grant");
      this.#leaveIfDone(member);
    }
    this.#serve(moment, null);
  }

  /** It has spoken since it was called: what it was told by the call, it knew by then. */
  #outspoken(member: Member, now: number): void {
    this.#settle(member, { held: member.held - member.spare, spare: 0, wants: member.wants }, now);
    this.roster.setOwed(member, member.untold);
  }

  #agreed(member: Member, { held, heard }: Held, { fence, busy, wants }: NonNullable<Needs>, now: number): void {
    // What it said before it was called, and was heard after, may have made it disregard the call.
    const crossed = isNewer(member.fence, heard);
    const told = crossed ? member.held : held;
    const untold = crossed ? 0 : Math.max(0, member.held - member.spare - held);
    const kept = Math.max(busy, Math.min(told, busy + wants)) + untold;
    this.#hear(member, fence, now);
    this.#settle(member, { held: kept, spare: 0, wants: Math.max(0, busy + wants - kept) }, now);
    this.roster.setOwed(member, kept > 0 && (crossed || untold > 0));
  }

  /** A call has failed, or was never answered: whether the run has heard is not known. */
  unanswered({ member }: Call, now: number): void {
    if (this.roster.find(member) !== member) return;
    member.calling = false;
    this.#outbox.postpone(member, now);
  }

  /** The function's limit is another one (FC-11). */
  relimit(functionId: string, limit: LineLimit, moment: Moment): void {
    if (this.roster.adopt(functionId, limit)) this.#serve(moment, null);
  }

  /** Does what is due: gives out starts, and has holders asked that have been silent while others wait. */
  wake(moment: Moment): void {
    const { now } = moment;
    if (this.#lookAt !== null && now >= this.#lookAt) this.#lookAt = null;
    const isWanted = this.roster.waiting.size > 0;
    for (const member of this.starts === null && (isWanted || this.roster.owed > 0) ? this.roster.members() : []) {
      if (!isWanted && !member.doubted) continue;
      // An instance that has not heard of it yet was woken for it: one that works on does not sleep until then.
      const silent = member.heardAt === null || now - member.heardAt >= this.#lease;
      if (silent && member.held > 0 && member.failures === 0) this.#outbox.add(member, "ask");
    }
    this.#serve(moment, null);
  }

  /** The next run to be called, and what it is told; null when there is none. The caller reports what became of it. */
  nextCall(now: number): Call | null {
    for (let next = this.#outbox.take(now); next !== null; next = this.#outbox.take(now)) {
      const [member, reason] = next;
      const yields = this.#mustYield(member);
      if (reason === "yield" && !yields) {
        this.roster.setWarned(member, false);
        continue;
      }
      if (yields) this.roster.setWarned(member, true);
      member.calling = true;
      member.doubted = false;
      member.untold = false;
      this.roster.setOwed(member, true);
      return { member, held: { held: member.held - member.spare, yields, heard: member.fence } };
    }
    return null;
  }

  /** When it has to be woken, ms; null when nothing will happen by itself. */
  dueAt(now: number): number | null {
    const [group] = this.roster.waiting;
    const start = this.starts === null || group === undefined ? null : this.starts.nextAt(group.limit, now);
    const times = [this.#lookAt, this.#outbox.dueAt(), start].filter((time) => time !== null);
    return times.length === 0 ? null : Math.min(...times);
  }

  /** What is to be stored. */
  takeChanges(): Changes & { readonly starts: StoredStarts | null } {
    return { ...this.roster.takeChanges(), starts: this.starts?.takeChanges() ?? null };
  }

  #serve(moment: Moment, speaker: Member | null): void {
    const { now } = moment;
    for (let group = this.#next(moment); group !== null; group = this.#next(moment)) {
      const member = group.waiting.first;
      if (member === undefined) break;
      this.#give(group, member, now);
      if (member === speaker) continue;
      member.untold = true;
      this.roster.setOwed(member, true);
      this.#outbox.add(member, "grant");
    }
    if (this.counts === "steps") {
      for (const member of unwarned(this.roster)) if (member !== speaker) this.#outbox.add(member, "yield");
    }
    const watched = this.roster.owed > 0 || (this.roster.waiting.size > 0 && this.starts === null);
    if (!watched) this.#lookAt = null;
    else this.#lookAt ??= now + this.#lease;
  }

  #next(moment: Moment): Group | null {
    const { starts } = this;
    const open = [...this.roster.waiting].filter(({ limit, waiting }) => {
      if (starts !== null) return starts.nextAt(limit, moment.now) <= moment.now;
      // What is kept for the first run alone is no one's as far as that run is concerned.
      return limit.limit === 0 || this.roster.inUse - (waiting.first?.spare ?? 0) < limit.limit;
    });
    return open.length === 0 ? null : this.#choice.next(open, moment);
  }

  #give(group: Group, member: Member, now: number): void {
    this.starts?.give(member.runId, group.limit, now, (runId) => {
      return this.roster.find({ environmentId: member.environmentId, runId }) !== undefined;
    });
    if (member.spare > 0) this.roster.setHeld(member, member.held, member.spare - 1, now);
    else this.roster.setHeld(member, member.held + 1, 0, now);
    this.roster.setWants(member, member.wants - 1, now);
    if (this.starts !== null) this.roster.untouch(member);
    group.passedSince = now;
    this.journal.note(now, "granted", 1, member);
  }

  #settle(member: Member, { held, spare, wants }: Pick<Member, "held" | "spare" | "wants">, now: number): void {
    const wanted = this.starts === null ? wants : Math.min(1, wants);
    if (held < member.held) this.journal.note(now, "released", member.held - held, member);
    if (member.wants === 0 && wanted > 0) this.journal.note(now, "waits", wanted, member);
    this.roster.setHeld(member, held, spare, now);
    this.roster.setWants(member, wanted, now);
  }

  /** Who comes with something said so long ago that it may have left since is asked, unless it speaks again before (I5). */
  #judge(member: Member, { fence, busy, wants }: Claim, isNew: boolean): void {
    const isSure = busy + wants === 0 || this.#departed.covers(fence);
    if (isSure ? !member.doubted : !isNew || this.starts !== null) return;
    member.doubted = !isSure;
    this.roster.setOwed(member, !isSure || member.untold);
  }

  #hear(member: Member, fence: Fence, now: number): void {
    member.fence = fence;
    member.heardAt = now;
  }

  #mustYield(member: Member): boolean {
    return this.counts === "steps" && mustYield(this.roster, member);
  }

  /** A start has reached its run with the answer; anything else is held until it is given back. */
  #leaveIfDone(member: Member): void {
    const { held, wants, owed } = member;
    if (this.starts === null ? held + wants === 0 && !owed : held > 0 || wants === 0) this.#leave(member);
  }

  #leave(member: Member): void {
    this.#departed.note(member, member.fence);
    this.#outbox.drop(member);
    this.roster.leave(member);
  }

  #standing(claim: Claim, member: Member | undefined, heard: Fence): Held {
    const held = this.starts?.has(claim.runId) === true ? 1 : member === undefined ? 0 : member.held - member.spare;
    return { held, yields: member !== undefined && this.#mustYield(member), heard };
  }
}
