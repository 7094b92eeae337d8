/**
 * Asking a run's object. Owns what happens when the object leaves memory during the question: it is asked once more, which is why only
 * questions that may be repeated go this way.
 */
import type { Bindings } from "../bindings.ts";
import { runStub } from "../objects.ts";

type RunStub = ReturnType<typeof runStub>;

/** What the run's object answers. A deployment, or a finished run that lets go of its memory, costs a second question. */
export async function askRun<Answer>(
  bindings: Bindings,
  environmentId: string,
  runId: string,
  question: (run: RunStub) => Promise<Answer>,
): Promise<Answer> {
  try {
    return await question(runStub(bindings, environmentId, runId));
  } catch (error) {
    if (!(error instanceof Error && "durableObjectReset" in error && error.durableObjectReset === true)) throw error;
    return await question(runStub(bindings, environmentId, runId));
  }
}
