/**
 * A step that invokes a function (EX-50 … EX-55): the event that starts the child, and the answer it gives its parent.
 * Owns the correlation between the two. The event's id derives from run and step, so that there is exactly one child however often
 * it is started (EX-55).
 */
import { catalogOf } from "../apps/catalog.ts";
import type { Bindings } from "../bindings.ts";
import { takesChildrenAlong } from "../decide/run/cancellation.ts";
import type { Input } from "../decide/run/decide.ts";
import { errorMemo, type RunState, type WaitingStep, type WaitTarget } from "../decide/run/state.ts";
import type { AcceptedEvent } from "../events/event.ts";
import { inParallel } from "../events/parallel.ts";
import { publish } from "../events/publish.ts";
import { gathers, INVOKED } from "../events/route.ts";
import { record } from "../history/record.ts";
import { derivedUlid, runIdFor } from "../ids.ts";
import { type JsonObject, objectOf } from "../json.ts";
import { FANOUT } from "../limits.ts";
import { runStub } from "../objects.ts";
import { toError } from "../protocol/opcodes.ts";

type Invocation = Extract<WaitTarget, { kind: "invoke" }>;

/** Starts the child. An answer for the parent when there can be none: the function is not found (EX-53). */
export async function invokeFrom(
  bindings: Bindings,
  state: RunState,
  step: WaitingStep,
  invocation: Invocation,
  now: number,
): Promise<Input | null> {
  const { environmentId } = state.identity;
  const target = (await catalogOf(bindings, environmentId, now)).functionNamed(invocation.functionId);
  if (target === null || target.archived) {
    const message = `could not find function with ID: ${invocation.functionId}`;
    return { kind: "resolved", stepId: step.id, memo: errorMemo({ name: "Error", message, code: "invoke_not_found" }) };
  }
  const event = await invokedEvent(state, step, invocation);
  // A function that skips the event answers the step by itself (FC-43).
  const published = await publish(bindings, environmentId, [event], now);
  await record(bindings, environmentId, published);
  return null;
}

/** The internal id of the event by which a step that began to wait at `at` (ms since 1970) invokes its function. */
export function invocationId(
  { environmentId, runId }: { readonly environmentId: string; readonly runId: string },
  stepId: string,
  at: number,
): Promise<string> {
  return derivedUlid(at, "invoke", environmentId, runId, stepId);
}

async function invokedEvent(state: RunState, step: WaitingStep, invocation: Invocation): Promise<AcceptedEvent> {
  const { identity } = state;
  const id = await invocationId(identity, step.id, step.at);
  const { data, user, v, meta } = invocation.payload;
  const sessions = objectOf(objectOf(meta)["sessions"]);
  return {
    internalId: id,
    receivedAt: step.at,
    source: `run ${identity.runId}`,
    deduplicationId: null,
    depth: identity.depth + 1,
    payload: {
      name: INVOKED,
      data: {
        ...objectOf(data),
        _inngest: {
          type: "step.invoke",
          fn_id: invocation.functionId,
          correlation_id: `${identity.runId}.${step.id}`,
          source_app_id: identity.app.id,
          source_fn_id: identity.function.id,
          expire: step.until,
        },
      },
      id,
      ts: step.at,
      user: objectOf(user),
      ...(typeof v === "string" ? { v } : {}),
      ...(Object.keys(sessions).length === 0 ? {} : { meta: { sessions } }),
    },
  };
}

/**
 * Cancels the runs that this one invoked and waits for, when they go with it (EX-54), and theirs in turn. Repeated at its end until history
 * has it: a child that was just being started is found then. Throws when one cannot be reached.
 */
export async function cancelChildren(bindings: Bindings, state: RunState | null, now: number): Promise<void> {
  if (state === null || !takesChildrenAlong(state)) return;
  const { environmentId, runId } = state.identity;
  const catalog = await catalogOf(bindings, environmentId, now);
  await inParallel(FANOUT.inline, [...state.steps.values()], async (step) => {
    if (step.status !== "waiting" || step.on.kind !== "invoke") return;
    const target = catalog.functionNamed(step.on.functionId);
    // A run that gathers has events of others as well.
    if (target === null || gathers(target)) return;
    const { internalId } = await invokedEvent(state, step, step.on);
    const child = await runIdFor(environmentId, target.id, internalId);
    await runStub(bindings, environmentId, child).cancel({ by: "parent", runId, children: true });
  });
}

/** Tells the steps that invoked an ended run how it ended. Repeated until it succeeds; a parent takes the first answer. */
export async function answerParent(bindings: Bindings, state: RunState): Promise<void> {
  const { identity, outcome } = state;
  if (identity.parent === null || outcome === null) return;
  const memo: JsonObject =
    outcome.status === "completed" ? { data: outcome.output } : errorMemo(toError(outcome.output));
  await inParallel(FANOUT.inline, [identity.parent, ...(identity.otherParents ?? [])], async ({ runId, stepId }) => {
    await runStub(bindings, identity.environmentId, runId).resolve(stepId, memo, { runId: identity.runId });
  });
}
