/**
 * The events that cancel a run (CR-2 … CR-4). Pure. The run owns its listeners and judges what is offered to them; the `Waits` object of
 * an event's name finds them, under the id of {@link cancelListenerId} where a wait has the id of its step.
 */
import type { AcceptedEvent } from "../../events/event.ts";
import { compileCached } from "../../expressions/cache.ts";
import { evaluateCondition } from "../../expressions/evaluate.ts";
import { type CancelCause, type CancelListener, cancelListenerId } from "./flow.ts";
import type { RunState } from "./state.ts";

/** A listener with the id it is registered under. */
export type Listener = CancelListener & { readonly id: string };

/** All listeners of a run, whatever its state. */
export function listenersOf({ identity }: RunState): Listener[] {
  return (identity.flow?.cancelOn ?? []).map((listener, index) => ({ ...listener, id: cancelListenerId(index) }));
}

function isOpen({ outcome, cancelling }: RunState): boolean {
  return outcome === null && cancelling === null;
}

/**
 * The listeners that have to be registered, as far as the log tells. No call is made before they are, so that the first answer proves it and
 * nothing need be noted; registering one again is harmless.
 */
export function unprovenListeners(state: RunState): Listener[] {
  const first = state.jobs.get(1);
  const answered = hasOwnSteps(state) || first === undefined || first.attempt > 0;
  return answered || !isOpen(state) ? [] : listenersOf(state);
}

/** Whether the app has told of a step; those whose results were taken over from another run (CR-26) it has not. */
function hasOwnSteps({ steps }: RunState): boolean {
  for (const { group } of steps.values()) if (group !== 0) return true;
  return false;
}

/** Whether something of the run still waits under this id: a step, or a listener. */
export function isAwaiting(state: RunState | null, id: string): boolean {
  if (state === null || !isOpen(state)) return false;
  return state.steps.get(id)?.status === "waiting" || listenersOf(state).some((listener) => listener.id === id);
}

/**
 * Why an event offered under `id` cancels the run; null when it does not, as when a step has that id. The window (CR-3) is judged by when
 * the event was received; `now` (ms) is the expression's clock.
 */
export function causeIn(state: RunState | null, id: string, event: AcceptedEvent, now: number): CancelCause | null {
  if (state === null || !isOpen(state)) return null;
  const { receivedAt, internalId, payload } = event;
  const { events, queuedAt } = state.identity;
  const listener = listenersOf(state).find((one) => one.id === id);
  if (listener === undefined || listener.event !== payload.name) return null;
  if (receivedAt < queuedAt || receivedAt >= (listener.until ?? Number.POSITIVE_INFINITY)) return null;
  if (events.some((own) => own.event.internalId === internalId)) return null;
  const trigger = events[0]?.event.payload;
  if (listener.condition !== null) {
    const compiled = compileCached(listener.condition, "cancel");
    if (!compiled.ok || trigger === undefined) return null;
    const result = evaluateCondition(compiled.expression, { event: trigger, async: payload }, now);
    if (!result.ok || !result.matched) return null;
  }
  return { by: "event", eventId: internalId, eventName: payload.name };
}
