/**
 * Waits: where events of one name, or one signal, meet the runs that wait for them. The run owns its wait and decides; this is the index
 * that finds it. Owns the alarm and which of two kinds the object is; each kind is a file in `waits/`.
 * Guarantees that an answer is given only when what it says is durable, and that an alarm is set while anything is owed.
 */
import { DurableObject } from "cloudflare:workers";
import type { Bindings } from "../src/bindings.ts";
import { counters } from "../src/counters.ts";
import type { SignalClaim } from "../src/decide/waits/signal.ts";
import type { Wait } from "../src/decide/waits/wait.ts";
import { messageOf } from "../src/errors.ts";
import type { AcceptedEvent } from "../src/events/event.ts";
import type { Json } from "../src/json.ts";
import { WAITS } from "../src/limits.ts";
import { waitsNamed } from "../src/objects.ts";
import { isLost } from "./lost-alarm.ts";
import { EventWaits } from "./waits/event-waits.ts";
import type { Part } from "./waits/part.ts";
import { SignalWaits } from "./waits/signal-waits.ts";

export class Waits extends DurableObject<Bindings> {
  readonly #events: EventWaits;
  readonly #signals: SignalWaits;
  readonly #part: Part;
  /** The time the alarm is set to, as far as this instance knows. */
  #alarm: number | null = null;

  constructor(ctx: DurableObjectState, env: Bindings) {
    super(ctx, env);
    const named = waitsNamed(ctx.id.name ?? "");
    if (named === null) throw new Error(`No waits are kept under the name ${ctx.id.name}.`);
    const context = {
      storage: ctx.storage,
      bindings: env,
      environmentId: named.environmentId,
      name: named.name,
      arm: () => this.#arm(),
      inBackground: (work: Promise<void>) => this.#inBackground(work),
    };
    this.#events = new EventWaits(context);
    this.#signals = new SignalWaits(context);
    this.#part = named.kind === "event" ? this.#events : this.#signals;
  }

  // schema and load: the tables' own files.

  // methods

  /** Registers a wait for an event (EX-41). Idempotent by run and step. Resolves when it is durable and events of the name come here. */
  async register(wait: Wait): Promise<void> {
    counters.objectRequests++;
    await this.#events.register(wait);
  }

  /**
   * Offers an event to the waits for its name. `matched` counts the waits it resolves and those whose runs have yet to judge it; 0 for an
   * event offered before. Replies when it is durable, and then tells the runs.
   */
  async offer(event: AcceptedEvent): Promise<{ matched: number }> {
    counters.objectRequests++;
    return { matched: this.#events.offer(event) };
  }

  /** Registers a wait for the signal (EX-49). `conflict`: another run has the name and keeps it. Idempotent by run and step. */
  async registerSignal(claim: SignalClaim): Promise<{ conflict: boolean }> {
    counters.objectRequests++;
    return { conflict: this.#signals.register(claim) };
  }

  /** Sends the signal (EX-48). The id of the run that gets it; null when nobody waits. Replies when it is durable. */
  async signal(data: Json): Promise<string | null> {
    counters.objectRequests++;
    return this.#signals.send(data);
  }

  /** Takes back the waits of steps that no longer wait. */
  async forget(runId: string, stepIds: readonly string[]): Promise<void> {
    counters.objectRequests++;
    if (this.#part === this.#events) this.#events.forget(runId, stepIds);
    else this.#signals.forget(runId, stepIds);
  }

  /** Sets the alarm again, should the platform have given it up; called by the sweep. */
  async rouse(): Promise<void> {
    counters.objectRequests++;
    if (!isLost(await this.ctx.storage.getAlarm(), Date.now())) return;
    this.#alarm = null;
    this.#arm();
  }

  // alarm

  /** Does what is due. Never throws: the platform drops an alarm that keeps failing. */
  override async alarm(): Promise<void> {
    counters.alarms++;
    this.#alarm = null;
    try {
      await this.#part.wake(Date.now());
      this.#arm();
    } catch (error) {
      console.error(`waits ${this.ctx.id.name}: alarm failed: ${messageOf(error)}`);
      this.#set(Date.now() + WAITS.retry.first);
    }
  }

  // apply

  /** An alarm that is set too early only wakes for nothing; each move is a written row. */
  #arm(): void {
    const due = this.#part.due(Date.now());
    if (due !== null && (this.#alarm === null || due < this.#alarm)) this.#set(due);
  }

  // Not awaited, so that it belongs to the same commit as what was written before it.
  #set(at: number): void {
    this.#alarm = at;
    counters.rowsWritten++;
    void this.ctx.storage.setAlarm(at);
  }

  #inBackground(work: Promise<void>): void {
    work.catch((error: unknown) => console.error(`waits ${this.ctx.id.name}: ${messageOf(error)}`));
  }
}
