/**
 * One line as one instance of a run knows it: what was said last, what the line answered, and whether that still counts. No behaviour of
 * its own; `leases.ts` speaks to the line.
 */
import { isNewer } from "../decide/capacity/fence.ts";
import type { Fence, Held, LineRef } from "../decide/capacity/line.ts";
import type { Standing, Units } from "../decide/run/acquisition.ts";
import { CAPACITY } from "../limits.ts";
import type { Said } from "./lines.ts";

export class Lease {
  readonly line: LineRef;
  /** A claim on its way; never rejects. */
  asking: Promise<void> | null = null;
  /** What was said or heard may not be what the line knows: it has to be told again. */
  doubtful = false;
  #held = 0;
  #told: number | null;
  #yields = false;
  /** A unit has done a step since the line last answered. */
  #spent = false;
  #executing = 0;
  /** ms since 1970; null while the limit exists. */
  #goneAt: number | null = null;
  #units: Units | null = null;
  #fence: Fence | null = null;
  /** The first of the things said that meant the same as the newest one. */
  #since: Fence | null = null;
  /** How often the line called by itself, and what it had heard when it last granted something so. */
  #calls = 0;
  #heard: Fence | null = null;

  /** `told` 0: nobody has said anything to the line; null: an earlier instance may have. */
  constructor(line: LineRef, told: 0 | null) {
    this.line = line;
    this.#told = told;
  }

  /** Units held, those in use included. */
  get held(): number {
    return this.#held;
  }

  /** Whether the line may have heard of the run. */
  get isKnown(): boolean {
    return this.#told !== 0;
  }

  /** The line was told that units are needed, and nothing else since. */
  get isClaimed(): boolean {
    return (this.#told ?? 0) > 0;
  }

  /** Whether the line knows that the run wants so many units of it, those in use included. */
  acknowledges(units: number): boolean {
    return this.asking === null && !this.doubtful && (this.#told ?? 0) >= units && this.#goneAt === null;
  }

  /** How the run stands with the line while `executing` calls are in hand; `now` in ms. */
  standing(executing: number, now: number): Standing {
    if (executing < this.#executing) this.#spent = true;
    this.#executing = executing;
    const gone = this.#goneAt !== null && now < this.#goneAt + CAPACITY.gone;
    if (!gone) this.#goneAt = null;
    // Whoever waits for very long asks whether it still stands in line.
    const waited = this.#held < (this.#told ?? 0) ? now - (this.#fence?.stamp ?? now) : 0;
    return {
      line: this.line,
      held: this.#held,
      told: this.#told,
      doubtful: this.doubtful || waited >= CAPACITY.look / 2,
      asking: this.asking !== null,
      yields: this.#yields && this.#spent,
      gone,
    };
  }

  /** Notes what the line is told. `whole`: it is all the run wants, so that telling it again would be no news. */
  said(fence: Fence, units: Units, whole: boolean): void {
    if (!this.#isSaid(units)) this.#since = fence;
    this.#fence = fence;
    this.#units = units;
    this.#told = whole ? units.busy + units.wants : null;
  }

  /** What it was told last, when that is the same and still on its way; null otherwise. */
  underWay(units: Units): Fence | null {
    return this.asking !== null && this.#isSaid(units) ? this.#fence : null;
  }

  /** Notes the answer to a claim; `calls` is what {@link calls} was when it was made, `executing` the calls in hand now. */
  answered({ fence, ...units }: Said, { held, yields }: Held, calls: number, executing: number): void {
    if (calls !== this.#calls) {
      // A call that had heard of the claim is newer than its answer; of others nobody knows.
      if (this.#heard === null || isNewer(fence, this.#heard)) this.doubtful = true;
      return;
    }
    this.#held = Math.min(held, units.busy + units.wants);
    this.#yields = yields;
    this.#spent = executing < units.busy;
  }

  /** The function has no such limit any more; `now` in ms. */
  vanished(now: number): void {
    this.#goneAt = now;
    this.#held = 0;
    this.#told = 0;
    this.doubtful = false;
  }

  /** How often the line has called by itself. */
  get calls(): number {
    return this.#calls;
  }

  /** Notes that the line calls: it has granted something, wants it back, or asks whether the run is still there. */
  called({ held, yields, heard }: Held): void {
    this.#calls++;
    this.#yields = yields;
    if (held === this.#held) return;
    // A start is never taken back. What else was granted counts only if the run has said nothing else since (see `Held.heard`).
    const current = this.#since !== null && !isNewer(this.#since, heard);
    if (current) this.#heard = heard;
    if (current || this.line.counts === "starts") this.#held = held;
    else this.doubtful = true;
  }

  /** Keeps no more than it has just told the line that it needs. */
  keep(units: Units): void {
    this.#held = Math.min(this.#held, units.busy + units.wants);
  }

  /** Whether the newest thing said meant this. */
  #isSaid({ busy, wants }: Units): boolean {
    return this.#units?.busy === busy && this.#units.wants === wants;
  }
}
