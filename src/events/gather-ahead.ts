/**
 * Gathering before anything else of a request is done: what batches or debounces keeps the order of the request, also when its other runs
 * are left to the fan-out, whose chunks know no order. Owns how much a request gathers itself.
 */
import { messageOf } from "../errors.ts";
import { GATHER } from "../limits.ts";
import type { EventOutcome } from "./event.ts";
import { type GatherContext, groupsOf, type Joining, joinGroups } from "./gather.ts";
import type { MatchedEvent } from "./publish.ts";
import { parentOf, wayOf } from "./route.ts";

/** What gathering ahead came to. */
export interface GatheredAhead {
  /** The events, with the outcomes of those that joined. */
  readonly matched: readonly MatchedEvent[];
  /** False when some are still to join: there are too many windows, or one could not be reached. */
  readonly complete: boolean;
}

/** Lets the events join their windows, if these are at most `GATHER.groups`. Never throws: what failed can be tried again. */
export async function gatherAhead(context: GatherContext, matched: readonly MatchedEvent[]): Promise<GatheredAhead> {
  const joining: (Joining & { readonly of: number })[] = [];
  for (const [of, { event, matches, repeated, known }] of matched.entries()) {
    for (const match of matches) {
      const { function: fn } = match;
      const way = wayOf(match, repeated);
      if (way.way !== "gathers" || known.some(({ functionId }) => functionId === fn.id)) continue;
      joining.push({ of, event, function: fn, into: way.into, parent: parentOf(event.payload, fn) });
    }
  }
  if (joining.length === 0) return { matched, complete: true };
  const groups = groupsOf(joining, context.now);
  if (groups.length > GATHER.groups) return { matched, complete: false };
  const { outcomes, failure } = await joinGroups(context, groups);
  if (failure !== null) console.error(`Not all events of a send joined their windows: ${messageOf(failure)}`);
  const learned = new Map<number, EventOutcome[]>();
  for (const [at, outcome] of outcomes) {
    const of = joining[at]?.of ?? -1;
    learned.set(of, [...(learned.get(of) ?? []), outcome]);
  }
  return {
    matched: matched.map((item, of) => ({ ...item, known: [...item.known, ...(learned.get(of) ?? [])] })),
    complete: failure === null,
  };
}
