/**
 * Which runs of a line are to be called, and when (FC-10). Pure, changed in place. Owns the order of calls and when a failed one is made
 * again; guarantees that a run is never called twice at the same time, and that one that does not answer delays no other.
 */
import { CAPACITY } from "../../limits.ts";
import type { Member } from "./member.ts";

/** `grant`: it must hear what it was given. `yield`: that somebody goes first. `ask`: nobody has heard of it for long. */
export type Reason = "grant" | "yield" | "ask";

export class Outbox {
  /** In the order in which they are called. */
  readonly #ready = new Map<Member, Reason>();
  /** When a call is made again, ms. */
  readonly #later = new Map<Member, number>();

  /** A reason that must not be given up stays. */
  add(member: Member, reason: Reason): void {
    this.#later.delete(member);
    if (this.#ready.get(member) !== "grant") this.#ready.set(member, reason);
  }

  /** A call has failed at `now` (ms): it is made again, ever later. */
  postpone(member: Member, now: number): void {
    member.failures++;
    const wait = Math.min(CAPACITY.retry.first * 2 ** (member.failures - 1), CAPACITY.retry.max);
    this.#ready.delete(member);
    this.#later.set(member, now + wait);
  }

  drop(member: Member): void {
    this.#ready.delete(member);
    this.#later.delete(member);
  }

  /** Takes the next one to be called; null when there is none. */
  take(now: number): readonly [Member, Reason] | null {
    for (const [member, at] of this.#later) if (at <= now) this.add(member, "grant");
    for (const [member, reason] of this.#ready) {
      if (member.calling) continue;
      this.#ready.delete(member);
      return [member, reason];
    }
    return null;
  }

  /** When the next failed call is made again, ms; null without any. */
  dueAt(): number | null {
    let due: number | null = null;
    for (const at of this.#later.values()) due = due === null ? at : Math.min(due, at);
    return due;
  }
}
