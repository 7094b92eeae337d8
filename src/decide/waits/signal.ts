/**
 * Who waits for a signal's name (EX-48, EX-49). Pure: the waits one name has seen, and what follows from them.
 * Guarantees that at most one wait can receive, and that a repeated registration changes nothing, also after its wait was served or replaced.
 */

/** `told`: the run has the signal. `replaced`: the name belongs to another wait; this one can only time out. */
export type SignalState = "waiting" | "replaced" | "sent" | "told";

/** A wait that the name remembers. */
export interface SignalWait {
  readonly runId: string;
  readonly stepId: string;
  readonly state: SignalState;
  /** ms since 1970: of a wait its time-out, of any other how long it is remembered. */
  readonly expiresAt: number;
}

/** What a run asks for. */
export interface SignalClaim {
  readonly runId: string;
  readonly stepId: string;
  /** ms since 1970. */
  readonly expiresAt: number;
  /** What is to happen when another run waits already. */
  readonly conflict: "fail" | "replace";
}

/** What becomes of a claim. */
export type ClaimDecision =
  /** Nothing is left to do. */
  | { readonly kind: "settled" }
  /** Another run waits and keeps the name. */
  | { readonly kind: "conflict" }
  /** The name is the claimant's; `replaced` had it before. */
  | { readonly kind: "registered"; readonly replaced: SignalWait | null };

/** Decides a claim at `now` (ms). Of two steps of one run the later gets the name: a run is in no conflict with itself. */
export function claimSignal(known: readonly SignalWait[], claim: SignalClaim, now: number): ClaimDecision {
  const repeated = known.some(({ runId, stepId }) => runId === claim.runId && stepId === claim.stepId);
  if (repeated || claim.expiresAt <= now) return { kind: "settled" };
  const holder = receiverOf(known, now);
  if (holder !== null && holder.runId !== claim.runId && claim.conflict === "fail") return { kind: "conflict" };
  return { kind: "registered", replaced: holder };
}

/** The wait that a signal sent at `now` (ms) is for; null when nobody waits. */
export function receiverOf(known: readonly SignalWait[], now: number): SignalWait | null {
  return known.find(({ state, expiresAt }) => state === "waiting" && expiresAt > now) ?? null;
}
