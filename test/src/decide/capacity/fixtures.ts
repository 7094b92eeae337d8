/** Lines and claims for the tests of this folder. */
import type { Moment } from "../../../../src/decide/capacity/choice.ts";
import type { Claim, Counted, Held, LineLimit } from "../../../../src/decide/capacity/line.ts";
import type { Entry } from "../../../../src/decide/capacity/member.ts";
import { type Call, type StoredLine, WaitingLine } from "../../../../src/decide/capacity/waiting-line.ts";

export const NOW = 1_800_000_000_000;
export const SECOND = 1000;

/** Chance that always says the same. */
export function at(now: number, chance = 0): Moment {
  return { now, random: () => chance };
}

/** A sequence of chances that a seed decides. */
export function chances(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function units(limit: number, version = 1): LineLimit {
  return { version, limit, period: 0, burst: 0 };
}

/** A throttle; `period` in seconds. */
export function rate(limit: number, period: number, burst = 1, version = 1): LineLimit {
  return { version, limit, period: period * SECOND, burst };
}

let stamps = NOW;
type Draft = Partial<Omit<Claim, "place">> & Partial<Claim["place"]>;

/** What a run says, newer than anything said before. It wants one unit, unless the draft says otherwise; older runs have smaller scores. */
export function aClaim(runId: string, { rank = 0, score = 0, tie = "", ...draft }: Draft = {}): Claim {
  return {
    environmentId: "env",
    runId,
    functionId: "f",
    fence: { sequence: 1, stamp: ++stamps },
    busy: 0,
    wants: 1,
    place: { rank, score, tie },
    limit: units(1),
    ...draft,
  };
}

export function emptyLine(counts: Counted = "steps"): WaitingLine {
  return new WaitingLine(counts, { entries: [], limits: new Map(), starts: null }, NOW);
}

/** Rows, as an object keeps them. */
export class Store {
  readonly #entries = new Map<string, Entry>();
  readonly #limits = new Map<string, LineLimit>();
  #starts: StoredLine["starts"] = null;
  /** Rows written so far. */
  written = 0;

  /** Stores what the line has changed. */
  save(line: WaitingLine): void {
    const { gone, put, forgotten, limits, starts } = line.takeChanges();
    for (const { runId } of gone) this.#entries.delete(runId);
    for (const entry of put) this.#entries.set(entry.runId, structuredClone(entry));
    for (const functionId of forgotten) this.#limits.delete(functionId);
    for (const { functionId, limit } of limits) this.#limits.set(functionId, limit);
    if (starts !== null) this.#starts = structuredClone(starts);
    this.written += gone.length + put.length + forgotten.length + limits.length + (starts === null ? 0 : 1);
  }

  /** The line as another instance finds it. */
  load(counts: Counted = "steps", now = NOW): WaitingLine {
    const entries = structuredClone([...this.#entries.values()]);
    return new WaitingLine(counts, { entries, limits: new Map(this.#limits), starts: this.#starts }, now);
  }

  get rows(): number {
    return this.#entries.size + this.#limits.size;
  }
}

/** All calls that are to be made now. */
export function callsOf(line: WaitingLine, now = NOW): Call[] {
  const calls: Call[] = [];
  for (let call = line.nextCall(now); call !== null; call = line.nextCall(now)) calls.push(call);
  return calls;
}

/** Calls as text: who is told what. */
export function told(calls: readonly Call[]): string[] {
  return calls.map(({ member, held }) => `${member.runId} ${held.held}${held.yields ? " yields" : ""}`);
}

/** Answers every call as a run that uses what it was given; the calls as text. */
export function deliver(line: WaitingLine, now = NOW): string[] {
  const calls = callsOf(line, now);
  for (const call of calls) {
    const { wants } = call.member;
    line.answered(call, { fence: aClaim("").fence, busy: call.held.held, wants }, at(now));
  }
  return told(calls);
}

/** What a run holds after it has said something. */
export function says(line: WaitingLine, claim: Claim, now = NOW): Pick<Held, "held" | "yields"> {
  const { held, yields } = line.claim(claim, at(now));
  return { held, yields };
}
