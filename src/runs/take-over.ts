/**
 * Fetching the results that a new run takes over from its original (CR-26), piece by piece, because a run may hold more than one answer can
 * carry. Stores nothing: the new run commits all of them together, or none.
 */
import type { Bindings } from "../bindings.ts";
import { bytesAtBirth, type CopiedStep } from "../decide/run/fork.ts";
import type { RunIdentity } from "../decide/run/identity.ts";
import { RUN } from "../limits.ts";
import { askRun } from "./ask.ts";

/** What became of the start of a run. `gone`: its original's results are no longer there; `too_large`: they and its own are too much. */
export type Birth = "started" | "gone" | "too_large";

/** The results, none for a run that begins at the beginning. Throws when the original could not be reached. */
export async function takeResults(
  bindings: Bindings,
  identity: RunIdentity,
): Promise<readonly CopiedStep[] | Exclude<Birth, "started">> {
  const { environmentId, originalRunId, fork } = identity;
  const wanted = fork?.results ?? 0;
  const taken: CopiedStep[] = [];
  while (originalRunId !== null && taken.length < wanted) {
    const from = taken.length;
    const more = await askRun(bindings, environmentId, originalRunId, (run) => run.copies(from, wanted));
    if (more === null || more.length === 0) return "gone";
    taken.push(...more);
  }
  return bytesAtBirth(identity, taken) > RUN.stateBytes ? "too_large" : taken;
}
