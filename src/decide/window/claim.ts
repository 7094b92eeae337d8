/**
 * Who may act on a sender's deduplication id (EV-15, EV-16). Pure: the state of one `Window` object and what follows from it.
 * Guarantees that within 24 h everything that acts on an id acts under one internal id, the owner's, so that run ids derived from it
 * are the same whoever performs the starts; and that an id is never lost to a send that died between claiming and starting.
 */
import { EVENT } from "../../limits.ts";

/** A claimed id. All times are ms since 1970. */
export interface Claim {
  /** Internal id of the first event with this id: the one that run ids derive from. */
  readonly owner: string;
  /** Internal id of the event whose send performs the starts: the owner, or the one that stepped in for it. */
  readonly holder: string;
  /** Since when the holder is at it. */
  readonly heldAt: number;
  /** 24 h after the owner's claim: from then on the id is new again. */
  readonly expiresAt: number;
  /** True once the starts are durable: no other event needs to step in any more. */
  readonly settled: boolean;
}

/** What an event is told about its id. */
export type Standing =
  /** It acts; nothing is left to settle when `settled`. */
  | { readonly standing: "owner"; readonly settled: boolean }
  /** It acts in place of a first event that never finished, under that one's internal id `owner`. */
  | { readonly standing: "stand_in"; readonly owner: string; readonly settled: boolean }
  /** It starts nothing. */
  | { readonly standing: "duplicate" };

/** What a claim is answered: a standing, or that the first event is still at work and `until` is the time to ask again. */
export type ClaimAnswer = Standing | { readonly standing: "wait"; readonly until: number };

/**
 * The claim of the event `claimant` (internal id) on the id at `now`. The returned claim is `current` itself when nothing changed.
 * A repeated claim of the same event gets the same standing, so a retried send does what the first try did.
 */
export function claimId(
  current: Claim | null,
  claimant: string,
  now: number,
): { readonly claim: Claim; readonly answer: ClaimAnswer } {
  if (current === null || now >= current.expiresAt) {
    const expiresAt = now + EVENT.deduplication;
    const claim = { owner: claimant, holder: claimant, heldAt: now, expiresAt, settled: false };
    return { claim, answer: { standing: "owner", settled: false } };
  }
  const { owner, settled } = current;
  if (claimant === owner) return { claim: current, answer: { standing: "owner", settled } };
  if (claimant === current.holder) return { claim: current, answer: { standing: "stand_in", owner, settled } };
  if (settled) return { claim: current, answer: { standing: "duplicate" } };
  // A clock that went back must not make anybody wait longer than the grace.
  const held = now - current.heldAt;
  if (held >= 0 && held < EVENT.claimGrace) {
    return { claim: current, answer: { standing: "wait", until: current.heldAt + EVENT.claimGrace } };
  }
  return {
    claim: { ...current, holder: claimant, heldAt: now },
    answer: { standing: "stand_in", owner, settled: false },
  };
}

/** The starts of `claimant` are durable. Of anybody but owner and holder this changes nothing: their claim has expired meanwhile. */
export function settleClaim(current: Claim | null, claimant: string): Claim | null {
  if (current === null || current.settled) return current;
  return claimant === current.owner || claimant === current.holder ? { ...current, settled: true } : current;
}
