/**
 * What a run needs done elsewhere: its waits and cancel listeners registered where events and signals arrive, invoked functions started.
 * Owns what this instance has already done of it. All of it is idempotent, so that an instance that knows nothing does it again.
 * Guarantees that waits are registered before anything else of the same reply is carried out (EX-45), and listeners before any call (CR-2).
 */
import type { Bindings } from "../bindings.ts";
import type { Input } from "../decide/run/decide.ts";
import type { RunIdentity } from "../decide/run/identity.ts";
import { type Listener, listenersOf, unprovenListeners } from "../decide/run/listener.ts";
import { type RunState, type WaitingStep, waitingSteps } from "../decide/run/state.ts";
import type { Wait } from "../decide/waits/wait.ts";
import { WAITS } from "../limits.ts";
import { type WaitsKind, waitsStub } from "../objects.ts";
import { invokeFrom } from "./invocation.ts";

export class Registrations {
  readonly #bindings: Bindings;
  readonly #done = new Set<string>();
  #settling: Promise<Input[]> | null = null;
  #listening: Promise<void> | null = null;

  constructor(bindings: Bindings) {
    this.#bindings = bindings;
  }

  /** Whether all of it is done, as far as this instance knows. */
  isSettled(state: RunState): boolean {
    return this.#waiting(state).length === 0 && this.#unheard(state).length === 0;
  }

  /** Registers the run's cancel listeners. Throws when an object could not be reached. */
  async listen(state: RunState | null): Promise<void> {
    if (state === null || this.#unheard(state).length === 0) return;
    this.#listening ??= this.#listen(state).finally(() => {
      this.#listening = null;
    });
    await this.#listening;
  }

  /**
   * Sees to them. Resolves with what the run has to learn from it: a conflict, a function that does not exist; with null when an
   * earlier call is still at it. Throws when an object could not be reached; what was done until then stays done.
   */
  async settle(state: RunState, now: number): Promise<Input[] | null> {
    if (this.#settling !== null) return null;
    this.#settling = this.#settleAll(state, now).finally(() => {
      this.#settling = null;
    });
    return await this.#settling;
  }

  async #settleAll(state: RunState, now: number): Promise<Input[]> {
    const learned: Input[] = [];
    await this.listen(state);
    const open = this.#waiting(state);
    const waits = open.filter((step) => step.on.kind !== "invoke");
    const invocations = open.filter((step) => step.on.kind === "invoke");
    for (const steps of [waits, invocations]) {
      const inputs = await Promise.all(steps.map((step) => this.#settleOne(state, step, now)));
      learned.push(...inputs.filter((input) => input !== null));
    }
    return learned;
  }

  /** Takes back what a run that has ended still had open, one request per name, so that it meets no more events (BY-5). */
  async forget(state: RunState): Promise<void> {
    // What is under way would come after being taken back. Its failure is told to whoever began it.
    await Promise.allSettled([this.#listening, this.#settling]);
    const { environmentId, runId } = state.identity;
    const end = state.outcome?.at ?? Number.POSITIVE_INFINITY;
    const open = new Map<string, { kind: WaitsKind; name: string; ids: string[] }>();
    const add = (kind: WaitsKind, name: string, id: string) => {
      const entry = open.get(`${kind} ${name}`) ?? { kind, name, ids: [] };
      entry.ids.push(id);
      open.set(`${kind} ${name}`, entry);
    };
    for (const { id, event, until } of listenersOf(state)) if (until === null || end < until) add("event", event, id);
    for (const step of state.steps.values()) {
      if (step.status !== "waiting" || step.on.kind === "invoke") continue;
      add(step.on.kind, step.on.kind === "event" ? step.on.event : step.on.signal, step.id);
    }
    await Promise.all(
      [...open.values()].map(({ kind, name, ids }) =>
        waitsStub(this.#bindings, environmentId, kind, name).forget(runId, ids),
      ),
    );
  }

  #waiting(state: RunState): WaitingStep[] {
    return waitingSteps(state).filter((step) => !this.#done.has(step.id));
  }

  #unheard(state: RunState): Listener[] {
    return unprovenListeners(state).filter(({ id }) => !this.#done.has(id));
  }

  async #listen(state: RunState): Promise<void> {
    const { identity } = state;
    await Promise.all(
      this.#unheard(state).map(async ({ id, event, condition, until }) => {
        const since = identity.queuedAt;
        const expiresAt = until ?? since + WAITS.life;
        await this.#register(identity, event, { stepId: id, since, expiresAt, expression: condition });
        this.#done.add(id);
      }),
    );
  }

  async #register(
    { environmentId, runId, events }: RunIdentity,
    name: string,
    wait: Pick<Wait, "stepId" | "since" | "expiresAt" | "expression">,
  ): Promise<void> {
    await waitsStub(this.#bindings, environmentId, "event", name).register({
      ...wait,
      runId,
      event: events[0]?.event.payload ?? null,
      triggers: events.map(({ event }) => event.internalId),
    });
  }

  async #settleOne(state: RunState, step: WaitingStep, now: number): Promise<Input | null> {
    const { identity } = state;
    const { runId, environmentId } = identity;
    let learned: Input | null = null;
    switch (step.on.kind) {
      case "event":
        await this.#register(identity, step.on.event, {
          stepId: step.id,
          since: step.at,
          expiresAt: step.until,
          expression: step.on.condition,
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

function signalConflict(step: WaitingStep, signal: string): Input {
  const message = `Signal conflict; signal wait already exists for another run: step "${step.label.name}" waits for "${signal}".`;
  return { kind: "failed", error: { name: "signal_conflict", code: "signal_conflict", message } };
}
