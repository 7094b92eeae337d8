/**
 * Chains of runs and events that do not end by themselves (SE-18): a function that sends its own trigger event, two that call each other.
 * Owns when the engine warns and when it stops: the event is stored, and starts nothing.
 */
import { CHAIN } from "../limits.ts";
import type { AcceptedEvent, KeyWarning } from "./event.ts";
import type { Match } from "./route.ts";

/** A match as the chain leaves it: from `stop` runs on, the event starts nothing. */
export function inChain(match: Match, { depth = 0 }: AcceptedEvent, stop: number): Match {
  return depth < stop ? match : { ...match, into: null, loop: true };
}

/** An event with the functions that it is for. */
interface Matched {
  readonly event: AcceptedEvent;
  readonly matches: readonly Match[];
}

/** Tells the log of the longest chain among the events, once for all of them: where it begins to be too long, and where it is stopped. */
export function noteChains(matched: readonly Matched[]): void {
  const depthOf = ({ event: { depth = 0 } }: Matched) => depth;
  const [longest] = matched.filter(({ matches }) => matches.length > 0).sort((a, b) => depthOf(b) - depthOf(a));
  if (longest === undefined || depthOf(longest) < CHAIN.warn) return;
  const { event, matches } = longest;
  const slugs = matches.map(({ function: { slug } }) => slug).join(", ");
  const what = `${depthOf(longest)} runs led to event ${event.internalId}`;
  if (matches.some(({ loop }) => loop === true)) console.error(`event_loop: ${what}, which does not start ${slugs}`);
  else if (depthOf(longest) === CHAIN.warn) console.warn(`event chain: ${what}, which starts ${slugs}`);
}

/** What the outcome of a start shows when so many runs led to it that it may be a loop. */
export function chainWarnings(depth: number): readonly KeyWarning[] {
  if (depth < CHAIN.warn) return [];
  return [{ option: "event chain", reason: `${depth} runs led to this event: is it a loop?` }];
}
