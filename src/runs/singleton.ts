/**
 * Giving a singleton back at the end of a run (FC-37): from then on the next start of the function and key may go.
 */
import type { Bindings } from "../bindings.ts";
import type { RunState } from "../decide/run/state.ts";
import { windowStub } from "../objects.ts";

/** Tells the singleton of a run that has ended; nothing for a run that has none. Repeatable. Throws when it could not be reached. */
export async function releaseSingleton(bindings: Bindings, { identity, outcome }: RunState): Promise<void> {
  const key = identity.flow?.singleton ?? null;
  if (key === null || outcome === null) return;
  const { environmentId, runId, function: fn } = identity;
  const window = await windowStub(bindings, environmentId, "singleton", { functionId: fn.id, key });
  await window.leaveSingleton(runId, "ended");
}
