/**
 * What a run's waiting steps need done elsewhere: waits registered where events and signals arrive, invoked functions started.
 * Owns what this instance has already done of it. All of it is idempotent, so that an instance that knows nothing does it again.
 * Guarantees that waits are registered before anything else of the same reply is carried out (EX-45).
 */
import type { Bindings } from "../bindings.ts";
import type { Input } from "../decide/run/decide.ts";
import { type RunState, type WaitingStep, waitingSteps } from "../decide/run/state.ts";
import { waitsStub } from "../objects.ts";
import { invokeFrom } from "./invocation.ts";

export class Registrations {
  readonly #bindings: Bindings;
  readonly #done = new Set<string>();
  #running = false;

  constructor(bindings: Bindings) {
    this.#bindings = bindings;
  }

  /** The waiting steps this instance has not seen to yet, waits before invocations. */
  open(state: RunState): WaitingStep[] {
    const steps = waitingSteps(state).filter((step) => !this.#done.has(step.id));
    return steps.sort((a, b) => Number(a.on.kind === "invoke") - Number(b.on.kind === "invoke"));
  }

  /**
   * Sees to them. Resolves with what the run has to learn from it: a conflict, a function that does not exist; with null when an
   * earlier call is still at it. Throws when an object could not be reached; what was done until then stays done.
   */
  async settle(state: RunState, now: number): Promise<Input[] | null> {
    if (this.#running) return null;
    this.#running = true;
    return await this.#settleAll(state, now).finally(() => {
      this.#running = false;
    });
  }

  async #settleAll(state: RunState, now: number): Promise<Input[]> {
    const learned: Input[] = [];
    const open = this.open(state);
    const waits = open.filter((step) => step.on.kind !== "invoke");
    const invocations = open.filter((step) => step.on.kind === "invoke");
    for (const steps of [waits, invocations]) {
      const inputs = await Promise.all(steps.map((step) => this.#settleOne(state, step, now)));
      learned.push(...inputs.filter((input) => input !== null));
    }
    return learned;
  }

  /** Takes back the waits of a run that has ended with some of them open, so that they meet no more events (BY-5). */
  async forget(state: RunState): Promise<void> {
    const { environmentId, runId } = state.identity;
    const waiting = [...state.steps.values()].filter((step) => step.status === "waiting");
    await Promise.all(
      waiting.map(async (step) => {
        const stub = stubFor(this.#bindings, environmentId, step);
        await stub?.forget(runId, [step.id]);
      }),
    );
  }

  async #settleOne(state: RunState, step: WaitingStep, now: number): Promise<Input | null> {
    const { identity } = state;
    const { runId, environmentId } = identity;
    let learned: Input | null = null;
    switch (step.on.kind) {
      case "event":
        await waitsStub(this.#bindings, environmentId, "event", step.on.event).register({
          runId,
          stepId: step.id,
          since: step.at,
          expiresAt: step.until,
          expression: step.on.condition,
          event: identity.events[0]?.event.payload ?? null,
          triggers: identity.events.map(({ event }) => event.internalId),
        });
        break;
      case "signal": {
        const { signal, conflict } = step.on;
        const stub = waitsStub(this.#bindings, environmentId, "signal", signal);
        const answer = await stub.registerSignal({ runId, stepId: step.id, expiresAt: step.until, conflict });
        if (answer.conflict) learned = signalConflict(step, signal);
        break;
      }
      case "invoke":
        learned = await invokeFrom(this.#bindings, state, step, step.on, now);
        break;
    }
    this.#done.add(step.id);
    return learned;
  }
}

function stubFor(bindings: Bindings, environmentId: string, step: WaitingStep) {
  switch (step.on.kind) {
    case "event":
      return waitsStub(bindings, environmentId, "event", step.on.event);
    case "signal":
      return waitsStub(bindings, environmentId, "signal", step.on.signal);
    case "invoke":
      return null;
  }
}

function signalConflict(step: WaitingStep, signal: string): Input {
  const message = `Signal conflict; signal wait already exists for another run: step "${step.label.name}" waits for "${signal}".`;
  return { kind: "failed", error: { name: "signal_conflict", code: "signal_conflict", message } };
}
