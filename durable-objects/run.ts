/**
 * One run: its log, its alarm, its calls. A thin shell around `src/decide/run`: it loads the log, hands inputs to the pure
 * decisions, commits each decision as one row together with the alarm, and performs the effects that follow from the new state.
 * Guarantees that nothing leaves the object before the decision it rests on is committed, and that an alarm is set while anything is owed.
 */
import { DurableObject } from "cloudflare:workers";
import type { Bindings } from "../src/bindings.ts";
import { counters } from "../src/counters.ts";
import type { Held, LineRef, Needs } from "../src/decide/capacity/line.ts";
import { answerToRepetition, type Cancelled } from "../src/decide/run/cancellation.ts";
import { type Decided, decide, type Input, start } from "../src/decide/run/decide.ts";
import { type EndpointReport, type Reported, receive } from "../src/decide/run/endpoint.ts";
import { replay } from "../src/decide/run/evolve.ts";
import type { CancelCause } from "../src/decide/run/flow.ts";
import type { RunIdentity } from "../src/decide/run/identity.ts";
import { countsSteps } from "../src/decide/run/lines.ts";
import { causeIn, isAwaiting } from "../src/decide/run/listener.ts";
import { isWithinMetadata } from "../src/decide/run/metadata.ts";
import { concerns, type Standing } from "../src/decide/run/pausing.ts";
import { viewOf } from "../src/decide/run/report.ts";
import { fenceOfCheckpoint, isStopped, memoOf, type ResponseHead, type RunState } from "../src/decide/run/state.ts";
import type { Cause } from "../src/decide/run/why.ts";
import { messageOf } from "../src/errors.ts";
import type { AcceptedEvent, EventPayload } from "../src/events/event.ts";
import type { RunReport } from "../src/history/message.ts";
import type { RunView } from "../src/history/view.ts";
import type { Json, JsonObject } from "../src/json.ts";
import { RUN } from "../src/limits.ts";
import type { Checkpoint } from "../src/protocol/checkpoint.ts";
import type { EndpointResult } from "../src/protocol/endpoint-output.ts";
import type { MetadataChange } from "../src/protocol/metadata.ts";
import { RunEffects } from "../src/runs/effects.ts";
import { cancelChildren } from "../src/runs/invocation.ts";
import { momentOf } from "../src/runs/moment.ts";
import { Publications } from "../src/runs/publications.ts";
import { Results } from "../src/runs/results.ts";
import { standingOf } from "../src/runs/standing.ts";
import { askWhy } from "../src/runs/why.ts";
import { settingsOf } from "../src/settings.ts";
import { Followed } from "./followed.ts";
import { appendToLog, readLog } from "./log.ts";
import { RunAlarm } from "./run-alarm.ts";

export class Run extends DurableObject<Bindings> {
  #state: RunState | null | undefined;
  readonly #alarm = new RunAlarm(this.ctx.storage);
  readonly #results = new Results(() => this.#load());
  readonly #publications = new Publications(this.env, new Followed(this.ctx.storage.sql));
  readonly #effects = new RunEffects(this.env, {
    state: () => this.#load(),
    take: (input) => this.#take(input),
    failed: (error) => this.#failed(error),
  });

  // schema: one table, made by `log.ts` with the first row.

  // load

  #load(): RunState | null {
    if (this.#state !== undefined) return this.#state;
    this.#state = replay(readLog(this.ctx.storage.sql));
    if (this.#state !== null) this.#effects.leases.inherit();
    // What an earlier instance had in flight is lost to this one (FC-10).
    if (this.#state !== null && this.#state.outcome === null && countsSteps(this.#state)) {
      this.#take({ kind: "wake", delivering: new Set(), loaded: true }).catch((error: unknown) => this.#failed(error));
    }
    return this.#state;
  }

  #request(): RunState | null {
    counters.objectRequests++;
    return this.#load();
  }

  // methods

  /** Begins the run. Idempotent: a run that exists is left alone. Resolves when it is durable (EV-8) and no event that cancels it can be missed. */
  async start(identity: RunIdentity): Promise<void> {
    if (this.#request() === null) await this.#apply(start(identity, momentOf(this.env)));
    await this.#effects.registrations.listen(this.#load());
  }

  /** Cancels the run, whatever it does (CR-1). Resolves when that is durable, and when the children that go with it are cancelled too (EX-54). */
  async cancel(cause: CancelCause): Promise<Cancelled> {
    const state = this.#request();
    if (state === null) return "unknown";
    if (state.outcome !== null) return answerToRepetition(state.outcome, cause);
    await this.#take({ kind: "cancel", cause, executing: this.#effects.calls.executing });
    await cancelChildren(this.env, this.#load(), Date.now());
    return this.#load()?.outcome === null ? "cancelling" : "cancelled";
  }

  /** Takes note of its function's pauses (CR-15, CR-16). Telling it what it knows changes nothing. */
  async heed(standing: Standing): Promise<void> {
    const state = this.#request();
    if (state !== null && concerns(state, standing)) await this.#take(this.#effects.look(state, standing));
  }

  /** The run as it is now; null when this object holds none. */
  view(): RunView | null {
    const state = this.#request();
    return state === null ? null : viewOf(state, this.#effects.leases.waiting(state));
  }

  /** Why it is not moving (BY-12); null when this object holds no run, nothing when it has ended. */
  async why(): Promise<Cause[] | null> {
    const state = this.#request();
    return state === null ? null : await askWhy(this.env, state, this.#effects);
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
    const standing = await standingOf(this.env, this.#request());
    const fence = fenceOfCheckpoint(this.#load(), call);
    if (typeof fence === "string") return fence;
    const pause = standing === undefined ? standing : { standing, executing: this.#effects.calls.executing };
    await this.#take({ kind: "checkpoint", fence, ops, pause });
    return isStopped(this.#load()) ? "stale" : "stored";
  }

  /** Takes a report of the app's own handler; its first one begins the run (EX-68). */
  async endpoint(report: EndpointReport): Promise<Reported> {
    const { reported, decided } = receive(this.#request(), report, momentOf(this.env));
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

  /** A listener of the run's channel follows these of its topics from now on (BY-9). A run that does not exist has nothing to tell. */
  follow(topics: readonly string[], listener: string): void {
    const state = this.#request();
    if (state !== null) this.#publications.follow(state, topics, listener, Date.now());
  }

  /** Offers an event to a waiting step, or to a cancel listener. False when that still waits: this was not the event (EX-43, CR-2). */
  async offerEvent(stepId: string, event: AcceptedEvent): Promise<boolean> {
    const cause = causeIn(this.#request(), stepId, event, Date.now());
    if (cause === null) await this.#take({ kind: "event", stepId, event });
    else await this.#take({ kind: "cancel", cause, executing: this.#effects.calls.executing });
    return !isAwaiting(this.#load(), stepId);
  }

  /** Ends a waiting step: a signal came, or the invoked run ended. A step that no longer waits ignores it. */
  async resolve(stepId: string, memo: Json): Promise<void> {
    this.#request();
    await this.#take({ kind: "resolved", stepId, memo });
  }

  /** One of its lines tells what the run holds there (FC-1). Answers what it needs; null when it needs nothing any more. */
  capacity(line: LineRef, held: Held): Needs {
    return this.#request() === null ? null : this.#effects.leases.told(line, held);
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
    return state === null ? null : await this.#effects.reporter.reportOf(state);
  }

  /** History has the row of this sequence. A finished run now only waits for its retention to pass. */
  async confirm(sequence: number): Promise<void> {
    const state = this.#request();
    if (state === null || state.outcome === null || state.sequence !== sequence) return;
    await this.#alarm.set(state.outcome.at + settingsOf(this.env).retention);
    this.#release();
  }

  // alarm

  /** Whatever is due. Never fails for a reason of its own: a platform alarm that fails often enough is dropped. */
  override async alarm(): Promise<void> {
    counters.alarms++;
    try {
      await this.#wake(this.#alarm.fired());
    } catch (error) {
      this.#failed(error);
      await this.#alarm.set(Date.now() + RUN.watchdog.first);
    }
  }

  async #wake(watchdog: number): Promise<void> {
    const state = this.#load();
    if (state === null) return;
    if (state.outcome !== null) {
      if (Date.now() >= state.outcome.at + settingsOf(this.env).retention) return await this.ctx.storage.deleteAll();
      await this.#alarm.set(Date.now() + watchdog);
      return await this.#effects.reporter.report(state);
    }
    const standing = await standingOf(this.env, state);
    const now = this.#load() ?? state;
    const decided = decide(now, this.#effects.look(now, standing), momentOf(this.env));
    if (decided !== null) return await this.#apply(decided);
    await this.#alarm.watch(now, this.#effects.registrations.isSettled(now), Date.now(), watchdog);
    this.#effects.advance(now);
  }

  // apply

  async #take(input: Input): Promise<void> {
    const state = this.#load();
    const decided = state === null ? null : decide(state, input, momentOf(this.env));
    if (decided !== null) await this.#apply(decided);
    else this.#effects.leases.trim();
  }

  /** Commits one decision, row and alarm together, and starts what follows from it. */
  #apply({ state, decision }: Decided): Promise<void> {
    counters.rowsWritten += appendToLog(this.ctx.storage, state.sequence, decision);
    this.#state = state;
    this.#results.changed();
    this.#publications.decided(state, decision);
    const armed = this.#alarm.decided(state, this.#effects.registrations.isSettled(state), Date.now());
    this.#effects.advance(state);
    return armed;
  }

  #failed(error: unknown): void {
    console.error(`run ${this.ctx.id.name}: ${messageOf(error)}`);
  }

  // Locally every object in memory holds open files for ten seconds after its last event; a finished run gives them back at once.
  #release(): void {
    if (settingsOf(this.env).mode !== "dev" || this.#effects.calls.delivering.size > 0) return;
    setTimeout(() => this.ctx.abort("The run has finished and leaves memory."), RUN.release);
  }
}
