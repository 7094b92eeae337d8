/**
 * Limits of calls: of the app, and of the requests the engine makes for a step. Each number with its unit and its reason.
 */
import { KIB, MIB, MINUTE, SECOND } from "./units.ts";

/** One call of an app. */
export const CALL = {
  /** Bytes of a request body; above it the app fetches its state (EX-16). */
  requestBytes: 4 * MIB,
  /** Bytes of a reply after decompression (EX-18). */
  replyBytes: 8 * MIB,
  /** ms; how long one call may last (EX-17): the platform keeps a pending call for at most 15 minutes. */
  timeout: { default: 14 * MINUTE, min: 1 * SECOND, max: 14 * MINUTE },
  /** ms; silence tolerated inside a streamed reply (EX-64). Hosts must be given the default; less is for tests. */
  silence: { default: 60 * SECOND, min: 1 * SECOND, max: 60 * SECOND },
  /** Redirects followed, each checked like a URL of its own (EX-25). */
  redirects: 5,
  /** Calls a run makes itself; the platform allows six connections per invocation, one is kept for RPC. */
  direct: 4,
  /** Calls of one run in flight at once. */
  concurrent: 64,
  /** Bytes of a foreign reply quoted in an error (EX-24). */
  quotedBytes: 2 * KIB,
} as const;

/** One request the engine makes for a step: `step.fetch`, `step.ai.infer` (EX-57, EX-59). */
export const GATEWAY = {
  /** ms; the whole request, its redirects included. */
  timeout: 10 * MINUTE,
  /** Bytes of a reply after decompression. */
  replyBytes: 4 * MIB,
  /** Redirects followed, each checked like a URL of its own (SE-13). */
  redirects: 5,
  /**
   * Characters from which a credential is masked: in errors nearly every one; in results only those that are no word, so that
   * a placeholder such as "ollama" does not deface what a model says.
   */
  secretLength: { error: 6, result: 12 },
} as const;

/** Signatures and keys (SE-4). */
export const SIGNATURE = {
  /** ms; accepted age, in both directions. */
  age: 5 * MINUTE,
} as const;
