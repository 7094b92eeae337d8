/**
 * Running a run again (CR-21, CR-26, CR-27), whatever became of it, also while it goes on (BY-13). Owns what is refused, and with which error.
 * Guarantees that what is refused leaves nothing behind, and that repeating it under the same id has no second effect (CR-28).
 */
import { currentCatalog } from "../apps/catalog.ts";
import type { RegisteredFunction } from "../apps/function.ts";
import type { Bindings } from "../bindings.ts";
import type { Cut } from "../decide/run/fork.ts";
import type { Fork } from "../decide/run/identity.ts";
import { MillraceError } from "../errors.ts";
import { startAgain } from "../events/start-again.ts";
import type { Json } from "../json.ts";
import { RUN } from "../limits.ts";
import { editFault } from "../protocol/edited-request.ts";
import { findOriginal } from "./original.ts";

/** What is asked for. */
export interface Rerun {
  /** The new run's id. */
  readonly runId: string;
  readonly originalRunId: string;
  /** The step to begin with; null: the beginning. */
  readonly fromStep: string | null;
  /** The arguments it is executed with; null: those its function gives. */
  readonly input: readonly Json[] | null;
}

/**
 * Starts the new run by the newest registration of its function; resolves when it is durable. `now` in ms. Throws `run_not_found`,
 * `step_not_found`, `run_deleted`, `function_not_found`, `conflict` for a function that starts nothing, `invalid_request` for an input that
 * does not fit, `request_too_large`. The database's schema must be in place.
 */
export async function rerun(bindings: Bindings, environmentId: string, wish: Rerun, now: number): Promise<void> {
  const { runId, originalRunId, fromStep, input } = wish;
  if (input !== null && fromStep === null) {
    throw new MillraceError("invalid_request", "input belongs to a step: name it in from_step.");
  }
  const { functionId, original, cut } = await findOriginal(bindings, environmentId, originalRunId, fromStep);
  const catalog = await currentCatalog(bindings, environmentId, now);
  const fn = startable(catalog.functionById(functionId), `run "${originalRunId}"`);
  const fork = cut === null ? undefined : forkAt(cut, input, catalog.app(fn.app.id)?.sdk ?? "");
  const again = { runId, original, function: fn, ...(fork === undefined ? {} : { fork }) };
  const started = await startAgain(bindings, environmentId, again, { waits: true, now });
  switch (started) {
    case "started":
      return;
    case "gone":
      throw new MillraceError(
        "run_deleted",
        `The results of run "${originalRunId}" were deleted after their retention.`,
      );
    case "too_large":
      throw new MillraceError(
        "request_too_large",
        `With this input the run would begin with more than its ${RUN.stateBytes} bytes.`,
      );
    case "busy":
      throw new Error(`Run ${runId} was to wait for its turn.`);
  }
}

/** A function that can start runs now. Throws `function_not_found` and `conflict`; `whose` says whose function it is. */
export function startable(fn: RegisteredFunction | null, whose: string): RegisteredFunction {
  if (fn === null) throw new MillraceError("function_not_found", `The function of ${whose} is no longer registered.`);
  const refusal = fn.archived ? "is archived: unarchive it" : fn.paused === null ? null : "is paused: resume it";
  if (refusal !== null) throw new MillraceError("conflict", `The function "${fn.slug}" of ${whose} ${refusal} first.`);
  return fn;
}

function forkAt({ stepId, label, results }: Cut, input: readonly Json[] | null, sdk: string): Fork {
  if (input === null) return { stepId, results };
  const fault = editFault(label, input);
  if (fault !== null) throw new MillraceError("invalid_request", `The step "${label.name}" ${fault}.`);
  const of = label.takes ?? "arguments";
  // Others take what stands in the place of a result for the result (protocol/03 §3.1).
  if (of === "arguments" && !sdk.startsWith("js:")) {
    throw new MillraceError("invalid_request", `The app's SDK "${sdk}" cannot execute a step with other arguments.`);
  }
  return { stepId, results, edit: { of, input } };
}
