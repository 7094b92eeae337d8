/**
 * Who goes first among the runs of one function (FC-8, FC-29), and a list that is always in that order. Pure.
 * Guarantees that a change of the list costs a binary search, whatever its length.
 */
import type { Member } from "./member.ts";

/** Negative when `a` goes before `b`. No two runs are equal. */
export function byPlace(a: Member, b: Member): number {
  if (a.place.score !== b.place.score) return a.place.score - b.place.score;
  if (a.place.tie !== b.place.tie) return a.place.tie < b.place.tie ? -1 : 1;
  if (a.runId !== b.runId) return a.runId < b.runId ? -1 : 1;
  return a.environmentId === b.environmentId ? 0 : a.environmentId < b.environmentId ? -1 : 1;
}

/** Runs in the order of their places. A place must not change while its run is in here. */
export class PlaceList {
  readonly #members: Member[];

  constructor(members: Member[] = []) {
    this.#members = members.sort(byPlace);
  }

  get size(): number {
    return this.#members.length;
  }

  get first(): Member | undefined {
    return this.#members[0];
  }

  get last(): Member | undefined {
    return this.#members.at(-1);
  }

  /** The first `count`, in order. */
  head(count: number): Member[] {
    return this.#members.slice(0, count);
  }

  /** How many go before this run, whether it is here or not. */
  before(member: Member): number {
    let low = 0;
    let high = this.#members.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#members[middle];
      if (other !== undefined && byPlace(other, member) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  add(member: Member): void {
    const index = this.before(member);
    if (this.#members[index] !== member) this.#members.splice(index, 0, member);
  }

  /** Removes it; none is fine. */
  remove(member: Member): void {
    const index = this.before(member);
    if (this.#members[index] !== member) return;
    if (index === 0) this.#members.shift();
    else this.#members.splice(index, 1);
  }
}
