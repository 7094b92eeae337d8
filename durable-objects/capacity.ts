/**
 * Capacity: one line (FC-4, FC-15): who holds units of one limit, who waits for them and in which order, or when the next start is due.
 * A thin shell around `src/decide/capacity`.
 */
import { DurableObject } from "cloudflare:workers";
import type { Bindings } from "../src/bindings.ts";
import { counters } from "../src/counters.ts";
import type { Claim, Held, LineRef } from "../src/decide/capacity/line.ts";

export class Capacity extends DurableObject<Bindings> {
  /** Takes what a run says it uses and wants, and answers what it holds from now on. What is granted later is told to `Run.capacity`. */
  claim(_line: LineRef, claim: Claim): Held {
    counters.objectRequests++;
    return { held: claim.busy + claim.wants, yields: false };
  }
}
