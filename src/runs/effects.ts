/**
 * What follows from a run's state, performed: waits registered, jobs delivered as its lines allow, its end told to everybody. Owns the order
 * of these, and what of a run lives in memory only; decides nothing and stores nothing.
 * Guarantees that whatever is due is begun once in this instance, however often it is advanced: after each commit, and by what it began.
 */
import type { Bindings } from "../bindings.ts";
import { CallPool } from "../calls/pool.ts";
import type { Input } from "../decide/run/decide.ts";
import type { Standing } from "../decide/run/pausing.ts";
import type { RunState } from "../decide/run/state.ts";
import { Leases } from "./leases.ts";
import { Lines } from "./lines.ts";
import { Registrations } from "./registrations.ts";
import { Reporter } from "./reporter.ts";

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
  readonly #owner: EffectsOwner;

  constructor(bindings: Bindings, { state, take, failed }: EffectsOwner) {
    const owner = { state, take, failed, advance: (now: RunState) => this.advance(now) };
    this.#owner = owner;
    this.registrations = new Registrations(bindings);
    this.calls = new CallPool(bindings, owner);
    this.leases = new Leases(new Lines(bindings), this.calls, owner);
    this.reporter = new Reporter(bindings, this.registrations, this.leases, owner);
  }

  /** Does what the state calls for: registers its waits, then delivers its jobs; or tells everybody that it has ended. */
  advance(state: RunState): void {
    if (state.outcome !== null) return this.#inBackground(this.reporter.report(state));
    this.reporter.later(state);
    if (!this.registrations.isSettled(state)) return this.#inBackground(this.#register(state));
    this.leases.advance(state);
  }

  /** Time passed: what a decision has to know of this instance. `standing`: what is known of the function's pauses. */
  look(state: RunState, standing: Standing | undefined): Input {
    const { delivering, executing } = this.calls;
    return { kind: "wake", delivering, executing, waiting: new Set(this.leases.waiting(state).keys()), standing };
  }

  async #register(state: RunState): Promise<void> {
    const learned = await this.registrations.settle(state, Date.now());
    if (learned === null) return;
    for (const input of learned) await this.#owner.take(input);
    const now = this.#owner.state();
    if (now?.outcome === null) this.advance(now);
  }

  #inBackground(work: Promise<void>): void {
    work.catch((error: unknown) => this.#owner.failed(error));
  }
}
