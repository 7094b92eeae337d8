/**
 * What follows from a run's state, performed: waits registered, jobs delivered as its lines allow, its end told to everybody. Owns the order
 * of these, and what of a run lives in memory only; decides nothing and stores nothing.
 * Guarantees that whatever is due is begun once in this instance, however often it is advanced: after each commit, and by what it began.
 */
import type { Bindings } from "../bindings.ts";
import { CallPool } from "../calls/pool.ts";
import { answerToRepetition, type Cancelled } from "../decide/run/cancellation.ts";
import type { Input } from "../decide/run/decide.ts";
import { awaitsTurn, dueJobs, jobsInHand } from "../decide/run/effects.ts";
import type { CancelCause } from "../decide/run/flow.ts";
import { causeIn, isAwaiting } from "../decide/run/listener.ts";
import { isWithinMetadata } from "../decide/run/metadata.ts";
import type { Standing } from "../decide/run/pausing.ts";
import { fenceOfCheckpoint, isStopped, type RunState } from "../decide/run/state.ts";
import type { AcceptedEvent } from "../events/event.ts";
import type { Checkpoint } from "../protocol/checkpoint.ts";
import type { MetadataChange } from "../protocol/metadata.ts";
import { cancelChildren } from "./invocation.ts";
import { Leases } from "./leases.ts";
import { Lines } from "./lines.ts";
import { Registrations } from "./registrations.ts";
import { Reporter } from "./reporter.ts";
import { standingOf } from "./standing.ts";
import { takeTurn } from "./turn.ts";

/** What the effects of a run need of it. */
export interface EffectsOwner {
  /** The run as it is now; null when there is none. */
  state(): RunState | null;
  /** Decides, commits, and advances the effects, before it returns; resolves when the alarm is set too. */
  take(input: Input): Promise<void>;
  /** Reports a failure that nobody waits for. The alarm is set, so that what failed will be tried again. */
  failed(error: unknown): void;
}

export class RunEffects {
  readonly registrations: Registrations;
  readonly calls: CallPool;
  readonly leases: Leases;
  readonly reporter: Reporter;
  readonly #bindings: Bindings;
  readonly #owner: EffectsOwner;
  #asking = false;
  /** Deliveries that an earlier instance may have made: generations by job. */
  #inherited: ReadonlyMap<number, number> = new Map();

  constructor(bindings: Bindings, { state, take, failed }: EffectsOwner) {
    const owner = { state, take, failed, advance: (now: RunState) => this.advance(now) };
    this.#bindings = bindings;
    this.#owner = owner;
    this.registrations = new Registrations(bindings);
    this.calls = new CallPool(bindings, owner);
    this.leases = new Leases(new Lines(bindings), this.calls, owner);
    this.reporter = new Reporter(bindings, this.registrations, this.leases, owner);
  }

  /** The run was found in its log at `now` (ms), not begun here. */
  inherit(state: RunState, now: number): void {
    this.leases.inherit(state, now);
    this.reporter.inherit(state);
    this.#inherited = new Map(jobsInHand(state, now).map(({ id, generation }) => [id, generation]));
  }

  /** Does what the state calls for: registers its waits, then delivers its jobs; or tells everybody that it has ended. */
  advance(state: RunState): void {
    if (state.outcome !== null) return this.#inBackground(this.reporter.report(state));
    this.reporter.later(state);
    if (!this.registrations.isSettled(state)) return this.#inBackground(this.#register(state));
    if (awaitsTurn(state, Date.now())) return this.#inBackground(this.#enter(state));
    // A call that outlived its instance may still report: repeated under the same fence, both would count (EX-66).
    if (this.#repeatsCall(state)) return this.#inBackground(this.#owner.take(this.look(state, undefined)));
    this.leases.advance(state);
  }

  #repeatsCall(state: RunState): boolean {
    if (this.#inherited.size === 0) return false;
    return dueJobs(state, this.calls.delivering, Date.now()).some(
      ({ id, generation }) => this.#inherited.get(id) === generation,
    );
  }

  /** Time passed: what a decision has to know of this instance. `standing`: what is known of the function's pauses. */
  look(state: RunState, standing: Standing | undefined): Input {
    const { delivering, executing } = this.calls;
    return { kind: "wake", delivering, executing, waiting: new Set(this.leases.waiting(state).keys()), standing };
  }

  /** Cancels the run, and with it the children that go along (EX-54). Resolves when all of that is durable. */
  async cancel(cause: CancelCause): Promise<Cancelled> {
    const state = this.#owner.state();
    if (state === null) return "unknown";
    if (state.outcome !== null) return answerToRepetition(state.outcome, cause);
    await this.#owner.take({ kind: "cancel", cause, executing: this.calls.executing });
    await cancelChildren(this.#bindings, this.#owner.state(), Date.now());
    return this.#owner.state()?.outcome === null ? "cancelling" : "cancelled";
  }

  /** Offers an event to the step or the cancel listener that waits under this id. False when it still waits. */
  async offer(id: string, event: AcceptedEvent): Promise<boolean> {
    const cause = causeIn(this.#owner.state(), id, event, Date.now());
    const input: Input =
      cause === null
        ? { kind: "event", stepId: id, event }
        : { kind: "cancel", cause, executing: this.calls.executing };
    await this.#owner.take(input);
    return !isAwaiting(this.#owner.state(), id);
  }

  /** Stores what a call under way has finished. `stale`: that call is no longer the one that counts. */
  async checkpoint({ ops, ...call }: Checkpoint): Promise<"stored" | "stale" | "unknown"> {
    const standing = await standingOf(this.#bindings, this.#owner.state());
    const fence = fenceOfCheckpoint(this.#owner.state(), call);
    if (typeof fence === "string") return fence;
    const pause = standing === undefined ? standing : { standing, executing: this.calls.executing };
    await this.#owner.take({ kind: "checkpoint", fence, ops, pause });
    return isStopped(this.#owner.state()) ? "stale" : "stored";
  }

  /** Writes metadata from outside a step. */
  async annotate(changes: readonly MetadataChange[]): Promise<"stored" | "too_large" | "unknown"> {
    const state = this.#owner.state();
    if (state === null) return "unknown";
    if (!isWithinMetadata(state, changes)) return "too_large";
    await this.#owner.take({ kind: "annotated", changes });
    return "stored";
  }

  async #register(state: RunState): Promise<void> {
    const learned = await this.registrations.settle(state, Date.now());
    if (learned === null) return;
    for (const input of learned) await this.#owner.take(input);
    const now = this.#owner.state();
    if (now?.outcome === null) this.advance(now);
  }

  async #enter(state: RunState): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    const entered = await takeTurn(this.#bindings, state).finally(() => {
      this.#asking = false;
    });
    if (entered) await this.#owner.take({ kind: "entered" });
  }

  #inBackground(work: Promise<void>): void {
    work.catch((error: unknown) => this.#owner.failed(error));
  }
}
