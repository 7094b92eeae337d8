/**
 * What a run led to by the engine's own doing: the events of its end, its deferred calls, and the events by which its steps invoked functions.
 * They carry its data on, so that who deletes it has to find them (OB-25). Stores nothing.
 */
import type { Decision } from "../decide/run/change.ts";
import { deferredEvents, endEventNames } from "../decide/run/end-events.ts";
import type { RunState } from "../decide/run/state.ts";
import { endEventId } from "./announce-end.ts";
import { invocationId } from "./invocation.ts";

/** A run as its deletion sees it. */
export interface Kin {
  /** ms since 1970; null while it has not ended. */
  readonly endedAt: number | null;
  /** Internal ids of the events it led to, whether or not they are stored. */
  readonly eventIds: readonly string[];
}

/** The kin of a run; `log` are its decisions in order. */
export async function kinOf(state: RunState, log: Iterable<Decision>): Promise<Kin> {
  const { identity, outcome } = state;
  const invoked: Promise<string>[] = [];
  for (const { changes } of log) {
    for (const change of changes) {
      if (change.is !== "waiting" || change.on.kind !== "invoke") continue;
      invoked.push(invocationId(identity, change.id, change.at));
    }
  }
  if (outcome === null) return { endedAt: null, eventIds: await Promise.all(invoked) };
  const keys = [...endEventNames(state), ...deferredEvents(state).map(({ deferId }) => `defer ${deferId}`)];
  const ended = keys.map((key) => endEventId(identity, key, outcome.at));
  return { endedAt: outcome.at, eventIds: await Promise.all([...ended, ...invoked]) };
}
