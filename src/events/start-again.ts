/**
 * Starting a run again with events that were stored before (CR-21, CR-22). Owns what flow control means for such a start (FC-43): it is
 * neither rate-limited nor gathered nor known by its key, it stands in lines like any other, and a singleton keeps it waiting.
 * Guarantees that all of it can be repeated: the same run id is born once.
 */
import type { RegisteredFunction } from "../apps/function.ts";
import type { Bindings } from "../bindings.ts";
import type { RunFlow } from "../decide/run/flow.ts";
import type { RunIdentity } from "../decide/run/identity.ts";
import { runStub } from "../objects.ts";
import type { Birth } from "../runs/take-over.ts";
import type { AcceptedEvent } from "./event.ts";
import { type Candidate, identityOf, judge, planOf } from "./start.ts";

/** A run that is to be run again. */
export interface Again {
  /** The new run's. */
  readonly runId: string;
  readonly original: Original;
  /** As it is registered now. */
  readonly function: RegisteredFunction;
  readonly fork?: RunIdentity["fork"];
  readonly replayId?: string;
}

/** What of the original run enters the new one. */
export interface Original {
  readonly runId: string;
  readonly events: readonly [AcceptedEvent, ...AcceptedEvent[]];
  readonly depth: number;
  readonly endpoint?: RunIdentity["endpoint"];
}

/**
 * Starts the run; resolves when it is durable. While a singleton has another run it is created all the same and `waits` for its turn, or
 * nothing happens and it is `busy`. `now` in ms. Throws when an object could not be reached; it is to be tried again then.
 */
export async function startAgain(
  bindings: Bindings,
  environmentId: string,
  again: Again,
  { waits, now }: { readonly waits: boolean; readonly now: number },
): Promise<Birth | "busy"> {
  const { original, function: fn, fork, replayId } = again;
  const { events, depth, endpoint } = original;
  const candidate: Candidate = {
    runId: again.runId,
    function: fn,
    at: now,
    kind: "wanted",
    events,
    parents: [],
    depth,
  };
  const plan = planOf(bindings, fn, events[0], now);
  const { verdict } = await judge(bindings, environmentId, candidate, plan);
  if (verdict.verdict === "skipped") throw new Error(`Run ${again.runId} was asked for and must not be skipped.`);
  if (verdict.verdict === "busy" && !waits) return "busy";
  // Nothing limits a run of the app's own handler (FC-43).
  const flow = endpoint === undefined ? flowIn(plan.flow, verdict.verdict === "busy") : undefined;
  const routed = events.map((event) => ({ event, outcomes: [], duplicate: false }));
  const identity: RunIdentity = {
    ...identityOf(environmentId, candidate, { flow, notBefore: plan.notBefore }, routed, now),
    originalRunId: original.runId,
    // The original has reported them, or will.
    gathered: true,
    ...(replayId === undefined ? {} : { replayId }),
    ...(fork === undefined ? {} : { fork }),
    ...(endpoint === undefined ? {} : { endpoint }),
  };
  return await runStub(bindings, environmentId, again.runId).start(identity);
}

function flowIn(flow: RunFlow | undefined, busy: boolean): RunFlow | undefined {
  return flow === undefined || !busy ? flow : { ...flow, waitsForTurn: true };
}
