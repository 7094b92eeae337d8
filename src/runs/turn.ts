/**
 * A run that waits for its turn on a singleton (FC-43): it was asked for explicitly, so that it is neither skipped nor takes another's place.
 * Owns the question, which may be repeated: the singleton gives the same run the same answer.
 */
import type { Bindings } from "../bindings.ts";
import type { RunState } from "../decide/run/state.ts";
import { windowStub } from "../objects.ts";

/** Whether the singleton is the run's own now. Throws when it could not be reached. */
export async function takeTurn(bindings: Bindings, { identity }: RunState): Promise<boolean> {
  const { environmentId, runId, function: fn, flow } = identity;
  const key = flow?.singleton ?? null;
  if (key === null) return true;
  const window = await windowStub(bindings, environmentId, "singleton", { functionId: fn.id, key });
  return (await window.claimSingleton(runId, "wait")).verdict === "go";
}
