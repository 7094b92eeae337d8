/**
 * One run: its log, its alarm, its calls. A thin shell around `src/decide/run`: it loads the log, hands inputs to the pure
 * decisions, commits each decision as one row together with the alarm, and performs the effects that follow from the new state.
 * Guarantees that nothing leaves the object before the decision it rests on is committed, and that an alarm is set while anything is owed.
 */
import { DurableObject } from "cloudflare:workers";
import type { Bindings } from "../src/bindings.ts";
import { CallPool } from "../src/calls/pool.ts";
import { counters } from "../src/counters.ts";
import { type Decided, decide, type Input, start } from "../src/decide/run/decide.ts";
import { dueJobs, isDormant, nextLook } from "../src/decide/run/effects.ts";
import { type EndpointReport, type Reported, receive } from "../src/decide/run/endpoint.ts";
import { replay } from "../src/decide/run/evolve.ts";
import type { RunIdentity } from "../src/decide/run/identity.ts";
import { isWithinMetadata } from "../src/decide/run/metadata.ts";
import { viewOf } from "../src/decide/run/report.ts";
import { fenceOfCheckpoint, memoOf, type ResponseHead, type RunState } from "../src/decide/run/state.ts";
import type { Moment } from "../src/decide/run/turn.ts";
import { messageOf } from "../src/errors.ts";
import type { AcceptedEvent, EventPayload } from "../src/events/event.ts";
import type { RunReport } from "../src/history/message.ts";
import type { RunView } from "../src/history/view.ts";
import type { Json, JsonObject } from "../src/json.ts";
import { RUN } from "../src/limits.ts";
import type { Checkpoint } from "../src/protocol/checkpoint.ts";
import type { EndpointResult } from "../src/protocol/endpoint-output.ts";
import type { MetadataChange } from "../src/protocol/metadata.ts";
import { Registrations } from "../src/runs/registrations.ts";
import { Reporter } from "../src/runs/reporter.ts";
import { Results } from "../src/runs/results.ts";
import { settingsOf } from "../src/settings.ts";
import { appendToLog, readLog } from "./log.ts";

export class Run extends DurableObject<Bindings> {
  #state: RunState | null | undefined;
  /** The time the alarm is set to, as far as this instance knows. Not knowing costs one needless move, never a lost one. */
  #alarm: number | null = null;
  #watchdog: number = RUN.watchdog.first;
  readonly #registrations = new Registrations(this.env);
  readonly #reporter = new Reporter(this.env, this.#registrations);
  readonly #results = new Results(() => this.#load());
  readonly #calls = new CallPool(this.env, {
    state: () => this.#load(),
    take: (input) => this.#take(input),
    failed: (error) => this.#failed(error),
  });

  // schema: one table, made by `log.ts` with the first row.

  // load

  #load(): RunState | null {
    if (this.#state === undefined) this.#state = replay(readLog(this.ctx.storage.sql));
    return this.#state;
  }

  #request(): RunState | null {
    counters.objectRequests++;
    return this.#load();
  }

  // methods

  /** Begins the run. Idempotent: a run that exists is left alone. Resolves when the run is durable (EV-8). */
  async start(identity: RunIdentity): Promise<void> {
    if (this.#request() === null) await this.#apply(start(identity, this.#moment()));
  }

  /** The run as it is now; null when this object holds none. */
  view(): RunView | null {
    const state = this.#request();
    return state === null ? null : viewOf(state);
  }

  /** The trigger events as functions see them; null when this object holds no run. */
  events(): EventPayload[] | null {
    return this.#request()?.identity.events.map(({ event }) => event.payload) ?? null;
  }

  /** The results of finished steps by id; null when this object holds no run. */
  actions(): JsonObject | null {
    const state = this.#request();
    return state === null ? null : memoOf(state);
  }

  /** Stores what a call under way has finished (EX-66). `stale`: that call is no longer the one that counts. */
  async checkpoint({ ops, ...call }: Checkpoint): Promise<"stored" | "stale" | "unknown"> {
    const fence = fenceOfCheckpoint(this.#request(), call);
    if (typeof fence === "string") return fence;
    await this.#take({ kind: "checkpoint", fence, ops });
    // A step too many, or too much state, has failed the run: the app is not to go on.
    return this.#load()?.outcome?.status === "failed" ? "stale" : "stored";
  }

  /** Takes a report of the app's own handler; its first one begins the run (EX-68). */
  async endpoint(report: EndpointReport): Promise<Reported> {
    const { reported, decided } = receive(this.#request(), report, this.#moment());
    if (decided !== null) await this.#apply(decided);
    return reported;
  }

  /** Status and headers of an endpoint's response, told apart from its body. */
  async respond(head: ResponseHead): Promise<void> {
    this.#request();
    await this.#take({ kind: "responded", head });
  }

  /** The result of an endpoint's run, waited for at most `patience` ms (EX-69). */
  async result(patience: number): Promise<EndpointResult> {
    this.#request();
    return await this.#results.wait(patience);
  }

  /** Offers an event to a waiting step. False when the step still waits: this was not the event (EX-43). */
  async offerEvent(stepId: string, event: AcceptedEvent): Promise<boolean> {
    this.#request();
    await this.#take({ kind: "event", stepId, event });
    return this.#load()?.steps.get(stepId)?.status !== "waiting" || this.#load()?.outcome !== null;
  }

  /** Ends a waiting step: a signal came, or the invoked run ended. A step that no longer waits ignores it. */
  async resolve(stepId: string, memo: Json): Promise<void> {
    this.#request();
    await this.#take({ kind: "resolved", stepId, memo });
  }

  /** Writes metadata from outside a step, also after the run's end (EX-72). */
  async annotate(changes: readonly MetadataChange[]): Promise<"stored" | "too_large" | "unknown"> {
    const state = this.#request();
    if (state === null) return "unknown";
    if (!isWithinMetadata(state, changes)) return "too_large";
    await this.#take({ kind: "annotated", changes });
    return "stored";
  }

  /** The run's report, for a consumer whose message only carried a reference. */
  async report(): Promise<RunReport | null> {
    const state = this.#request();
    return state === null ? null : await this.#reporter.reportOf(state);
  }

  /** History has the row of this sequence. A finished run now only waits for its retention to pass. */
  async confirm(sequence: number): Promise<void> {
    const state = this.#request();
    if (state === null || state.outcome === null || state.sequence !== sequence) return;
    await this.#setAlarm(state.outcome.at + settingsOf(this.env).retention);
    this.#release();
  }

  // alarm

  /** Whatever is due. Never fails for a reason of its own: a platform alarm that fails often enough is dropped. */
  override async alarm(): Promise<void> {
    counters.alarms++;
    this.#alarm = null;
    try {
      await this.#wake();
    } catch (error) {
      this.#failed(error);
      await this.#setAlarm(Date.now() + RUN.watchdog.first);
    }
  }

  async #wake(): Promise<void> {
    const state = this.#load();
    if (state === null) return;
    // Looking in vain makes the next look later; `#apply` begins anew.
    const watchdog = this.#watchdog;
    this.#watchdog = Math.min(watchdog * 2, RUN.watchdog.max);
    if (state.outcome !== null) {
      if (Date.now() >= state.outcome.at + settingsOf(this.env).retention) return await this.ctx.storage.deleteAll();
      await this.#setAlarm(Date.now() + watchdog);
      return await this.#reporter.report(state);
    }
    const decided = decide(state, { kind: "wake", delivering: this.#calls.delivering }, this.#moment());
    if (decided !== null) return await this.#apply(decided);
    await this.#arm(state, Date.now(), watchdog);
    this.#advance(state);
  }

  // apply

  async #take(input: Input): Promise<void> {
    const state = this.#load();
    const decided = state === null ? null : decide(state, input, this.#moment());
    if (decided !== null) await this.#apply(decided);
  }

  /** Commits one decision, row and alarm together, and starts what follows from it. */
  #apply({ state, decision }: Decided): Promise<void> {
    this.#watchdog = RUN.watchdog.first;
    counters.rowsWritten += appendToLog(this.ctx.storage, state.sequence, decision);
    this.#state = state;
    this.#results.changed();
    const armed = this.#arm(state, Date.now(), this.#watchdog);
    this.#advance(state);
    return armed;
  }

  /** Each move of the alarm is a written row: it moves to be in time, or when a dormant run would wake for nothing. */
  async #arm(state: RunState, now: number, watchdog: number): Promise<void> {
    const registered = this.#registrations.open(state).length === 0;
    const next = nextLook(state, now, watchdog, registered);
    if (next === null || next === this.#alarm) return;
    if (this.#alarm === null || next < this.#alarm || isDormant(state, registered, now)) await this.#setAlarm(next);
  }

  async #setAlarm(at: number): Promise<void> {
    this.#alarm = at;
    counters.rowsWritten++;
    await this.ctx.storage.setAlarm(at);
  }

  /** Does what the state calls for: registers its waits, then delivers its jobs; or tells everybody that it has ended. */
  #advance(state: RunState): void {
    if (state.outcome !== null) return this.#inBackground(this.#reporter.report(state));
    this.#reporter.later(state, () => this.#inBackground(this.#reportProgress()));
    if (this.#registrations.open(state).length > 0) return this.#inBackground(this.#register(state));
    for (const job of dueJobs(state, this.#calls.delivering, Date.now())) this.#calls.deliver(job);
  }

  async #register(state: RunState): Promise<void> {
    const learned = await this.#registrations.settle(state, Date.now());
    if (learned === null) return;
    for (const input of learned) await this.#take(input);
    const now = this.#load();
    if (now !== null && now.outcome === null) this.#advance(now);
  }

  async #reportProgress(): Promise<void> {
    const state = this.#load();
    if (state !== null && state.outcome === null) await this.#reporter.report(state);
  }

  /** Work nobody waits for. Its failure is logged; the alarm is set, so that it will be tried again. */
  #inBackground(work: Promise<void>): void {
    work.catch((error: unknown) => this.#failed(error));
  }

  #failed(error: unknown): void {
    console.error(`run ${this.ctx.id.name}: ${messageOf(error)}`);
  }

  // Locally every object in memory holds open files for ten seconds after its last event; a finished run gives them back at once.
  #release(): void {
    if (settingsOf(this.env).mode !== "dev") return;
    setTimeout(() => this.ctx.abort("The run has finished and leaves memory."), RUN.release);
  }

  #moment(): Moment {
    const { retryInterval, maxSteps } = settingsOf(this.env);
    return { now: Date.now(), random: Math.random(), retryInterval, maxSteps };
  }
}
