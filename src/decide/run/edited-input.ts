/**
 * A step that is executed with another input than its function gives it (CR-27). Pure. Owns when calls carry that input.
 *
 * SDKs take `{"input": […]}` in the place of a result only in a call for that very step: a step that has it is left out of what they plan,
 * and, where they report by checkpoint, counts as one that returned null. Therefore nothing is executed at once until the step was planned
 * for a call of its own, and from then on calls carry the input. Until it has its result others only plan beside it, as beside any open step.
 */
import type { Json, JsonObject } from "../../json.ts";
import type { RunState } from "./state.ts";

/** True until the step has been announced: a call that executed it at once would execute it with its own input. */
export function isStepAwaited({ identity: { fork }, steps }: RunState): boolean {
  return fork?.edit?.of === "arguments" && !steps.has(fork.stepId);
}

/** What calls carry in the place of the step's result; nothing while they carry none. */
export function inputMemo({ identity: { fork }, steps }: RunState): JsonObject {
  if (fork?.edit?.of !== "arguments" || steps.get(fork.stepId)?.status !== "planned") return {};
  return { [fork.stepId]: { input: fork.edit.input } };
}

/** The input that the engine's own request of a step is made with; null: the one its function gave. */
export function requestInput({ identity: { fork } }: RunState, stepId: string): readonly Json[] | null {
  return fork?.stepId === stepId ? (fork.edit?.input ?? null) : null;
}
