/**
 * Asks around why a run is not moving (BY-12): its lines for its place, the catalog for a pause, this instance for calls in flight.
 * Guarantees an answer even when a line cannot be reached: what is not known then is left out.
 */
import type { Bindings } from "../bindings.ts";
import type { LineRef } from "../decide/capacity/line.ts";
import type { RunState } from "../decide/run/state.ts";
import { type Cause, type LineStanding, whyOf } from "../decide/run/why.ts";
import { messageOf } from "../errors.ts";
import { capacityStub } from "../objects.ts";
import { settingsOf } from "../settings.ts";
import type { RunEffects } from "./effects.ts";
import { standingOf } from "./standing.ts";

/** Every cause, at this moment. */
export async function askWhy(
  bindings: Bindings,
  state: RunState,
  { calls, leases }: Pick<RunEffects, "calls" | "leases">,
): Promise<Cause[]> {
  const { callTimeout } = settingsOf(bindings);
  const waiting = leases.waiting(state);
  const [standing, places] = await Promise.all([standingOf(bindings, state), placesIn(bindings, state, waiting)]);
  const inFlight = [...calls.since].map(([job, since]) => [job, { since, deadline: since + callTimeout }] as const);
  return whyOf(state, {
    calls: new Map(inFlight),
    lines: new Map([...waiting].map(([job, line]) => [job, places.get(line) ?? unknownPlace(state, job, line)])),
    pausedSince: state.suspended?.since ?? standing?.paused?.since ?? null,
    now: Date.now(),
  });
}

/** The run's place in each of these lines; many jobs may wait in one. */
async function placesIn(
  bindings: Bindings,
  { identity }: RunState,
  waiting: ReadonlyMap<number, LineRef>,
): Promise<Map<LineRef, LineStanding>> {
  const { environmentId, runId } = identity;
  const places = new Map<LineRef, LineStanding>();
  await Promise.all(
    [...new Set(waiting.values())].map(async (line) => {
      try {
        const stub = await capacityStub(bindings, environmentId, line);
        const place = await stub.standing(environmentId, runId);
        if (place === null) return;
        const { since, ahead, limit, startsAt } = place;
        const holders = place.holders.map((holder) => ({ runId: holder.runId, since: holder.since }));
        places.set(line, { line, since, limit: limit.limit, ahead, holders, estimate: startsAt });
      } catch (error) {
        console.error(`run ${runId}: one of its lines did not say where it stands: ${messageOf(error)}`);
      }
    }),
  );
  return places;
}

function unknownPlace(state: RunState, job: number, line: LineRef): LineStanding {
  const since = state.jobs.get(job)?.due ?? state.identity.queuedAt;
  return { line, since, limit: null, ahead: null, holders: [], estimate: null };
}
