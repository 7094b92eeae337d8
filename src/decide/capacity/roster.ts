/**
 * Everybody in a line: the runs, by function, with what they hold and want, and what of it is not stored yet. Pure, and changed in place.
 * Owns every list and sum; guarantees that they agree with the runs after each call, at the cost of a binary search.
 */
import { type Group, newGroup } from "./group.ts";
import type { Claim, LineLimit, Place } from "./line.ts";
import { type Entry, keyOf, type Member, newcomer, restored } from "./member.ts";

/** What has changed since it was last asked: rows to be removed first, then rows to be written. */
export interface Changes {
  readonly gone: readonly Member[];
  readonly put: readonly Member[];
  /** Function ids whose limit needs no row any more. */
  readonly forgotten: readonly string[];
  readonly limits: readonly Group[];
}

export class Roster {
  /** By function id. */
  readonly groups = new Map<string, Group>();
  /** Those in which somebody waits. */
  readonly waiting = new Set<Group>();
  readonly #members = new Map<string, Member>();
  #inUse = 0;
  #owed = 0;
  readonly #gone = new Set<Member>();
  readonly #put = new Set<Member>();
  readonly #forgotten = new Set<string>();
  readonly #limits = new Set<Group>();

  /** Units held. */
  get inUse(): number {
    return this.#inUse;
  }

  /** Runs that have not answered. */
  get owed(): number {
    return this.#owed;
  }

  /** Runs in the line. */
  get size(): number {
    return this.#members.size;
  }

  members(): Iterable<Member> {
    return this.#members.values();
  }

  find(run: Pick<Entry, "environmentId" | "runId">): Member | undefined {
    return this.#members.get(keyOf(run));
  }

  groupOf(member: Member): Group {
    const group = this.groups.get(member.functionId);
    if (group === undefined) throw new Error(`No function ${member.functionId} is in this line.`);
    return group;
  }

  /** Takes over what was stored, into an empty roster. `now`: nobody is known to have been passed over before. */
  restore(entries: Iterable<Entry>, limits: ReadonlyMap<string, LineLimit>, now: number): void {
    const byFunction = new Map<string, Member[]>();
    for (const entry of entries) {
      const known = byFunction.get(entry.functionId);
      if (known === undefined) byFunction.set(entry.functionId, [restored(entry)]);
      else known.push(restored(entry));
    }
    for (const [functionId, members] of byFunction)
      this.#restoreGroup(functionId, members, limits.get(functionId), now);
    // A limit whose function has nobody here any more.
    for (const functionId of limits.keys()) if (!byFunction.has(functionId)) this.#forgotten.add(functionId);
  }

  #restoreGroup(functionId: string, members: Member[], limit: LineLimit | undefined, now: number): void {
    const newest = members.reduce((a, b) => (b.limit.version > a.limit.version ? b : a));
    const waiting = members.filter(({ wants }) => wants > 0);
    const group = newGroup(
      functionId,
      newest,
      waiting,
      members.filter(({ held }) => held > 0),
    );
    group.stored = limit !== undefined;
    if (limit !== undefined && limit.version >= newest.limit.version) group.limit = limit;
    group.size = members.length;
    group.passedSince = now;
    this.groups.set(functionId, group);
    if (waiting.length > 0) this.waiting.add(group);
    for (const member of members) {
      this.#members.set(keyOf(member), member);
      group.backlog += member.wants;
      this.#inUse += member.held;
      if (member.owed) this.#owed++;
    }
  }

  /** A run comes to the line, with nothing yet. */
  join(claim: Claim): Member {
    const member = newcomer(claim);
    const group = this.groups.get(claim.functionId) ?? newGroup(claim.functionId, claim);
    this.groups.set(claim.functionId, group);
    group.size++;
    group.rank = claim.place.rank;
    this.#members.set(keyOf(member), member);
    this.touch(member);
    return member;
  }

  /** The run has nothing to do with this line any more. */
  leave(member: Member): void {
    this.setHeld(member, 0, 0, 0);
    this.setWants(member, 0, 0);
    this.setOwed(member, false);
    this.#members.delete(keyOf(member));
    this.#put.delete(member);
    if (member.stored) this.#gone.add(member);
    const group = this.groupOf(member);
    if (--group.size > 0) return;
    this.groups.delete(group.functionId);
    this.#limits.delete(group);
    if (group.stored) this.#forgotten.add(group.functionId);
  }

  /** Of two limits the newer counts; of the same version, what was said last. True when it is another one. */
  adopt(functionId: string, limit: LineLimit): boolean {
    const group = this.groups.get(functionId);
    if (group === undefined || limit.version < group.limit.version || isSame(limit, group.limit)) return false;
    group.limit = limit;
    this.#limits.add(group);
    return true;
  }

  setPlace(member: Member, place: Place): void {
    const { score, tie, rank } = member.place;
    if (score === place.score && tie === place.tie && rank === place.rank) return;
    const group = this.groupOf(member);
    const keeps = member.held > member.spare && !member.warned;
    group.waiting.remove(member);
    group.keepers.remove(member);
    member.place = place;
    if (member.wants > 0) group.waiting.add(member);
    if (keeps) group.keepers.add(member);
    this.touch(member);
  }

  /** `spare` of the units held are kept for the run without its having been told of them. */
  setHeld(member: Member, held: number, spare: number, now: number): void {
    if (held === member.held && spare === member.spare) return;
    if (member.held === 0) member.heldSince = now;
    if (held !== member.held) this.touch(member);
    this.#inUse += held - member.held;
    member.held = held;
    member.spare = spare;
    this.#keep(member);
  }

  setWants(member: Member, wants: number, now: number): void {
    if (wants === member.wants) return;
    const group = this.groupOf(member);
    if (member.wants === 0) {
      member.waitsSince = now;
      if (group.waiting.size === 0) group.passedSince = now;
      group.waiting.add(member);
    }
    group.backlog += wants - member.wants;
    member.wants = wants;
    if (wants === 0) group.waiting.remove(member);
    if (group.waiting.size === 0) this.waiting.delete(group);
    else this.waiting.add(group);
    this.touch(member);
  }

  /** Owing an answer is stored with what the run was given, and no row is written because it has answered. */
  setOwed(member: Member, owed: boolean): void {
    if (owed === member.owed) return;
    this.#owed += owed ? 1 : -1;
    member.owed = owed;
  }

  setWarned(member: Member, warned: boolean): void {
    member.warned = warned;
    this.#keep(member);
  }

  /** Its row is to be written. */
  touch(member: Member): void {
    this.#put.add(member);
  }

  /** Its row says enough as it is. */
  untouch(member: Member): void {
    if (member.stored) this.#put.delete(member);
  }

  /** What is to be stored; the caller stores it, or throws this roster away. */
  takeChanges(): Changes {
    const put = [...this.#put];
    const limits = [...this.#limits];
    const changes = { gone: [...this.#gone], put, forgotten: [...this.#forgotten], limits };
    for (const member of put) member.stored = true;
    for (const group of limits) group.stored = true;
    this.#gone.clear();
    this.#put.clear();
    this.#forgotten.clear();
    this.#limits.clear();
    return changes;
  }

  #keep(member: Member): void {
    const { keepers } = this.groupOf(member);
    if (member.held > member.spare && !member.warned) keepers.add(member);
    else keepers.remove(member);
  }
}

function isSame(a: LineLimit, b: LineLimit): boolean {
  return a.version === b.version && a.limit === b.limit && a.period === b.period && a.burst === b.burst;
}
