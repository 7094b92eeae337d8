/**
 * One run: its log, its alarm, its calls. A thin shell around `src/decide/run`: it loads the log, hands inputs to the pure
 * decisions, commits each decision as one row together with the alarm, and performs the effects that follow from the new state.
 * Guarantees that nothing leaves the object before the decision it rests on is committed, and that an alarm is set while anything is owed.
 */
import { DurableObject } from "cloudflare:workers";
import type { Bindings } from "../src/bindings.ts";
import { callApp } from "../src/calls/call.ts";
import { counters } from "../src/counters.ts";
import { type Decided, decide, type Input, start } from "../src/decide/run/decide.ts";
import { dueJobs, nextLook } from "../src/decide/run/effects.ts";
import { replay } from "../src/decide/run/evolve.ts";
import type { RunIdentity } from "../src/decide/run/identity.ts";
import { jobsOf, reportOf, rowOf } from "../src/decide/run/report.ts";
import { fenceOf, type Job, memoOf, type RunState } from "../src/decide/run/state.ts";
import type { Moment } from "../src/decide/run/turn.ts";
import { messageOf } from "../src/errors.ts";
import { announceEnd } from "../src/events/announce-end.ts";
import type { EventPayload, RoutedEvent } from "../src/events/event.ts";
import type { RunReport, RunStatus } from "../src/history/message.ts";
import { historyMessage } from "../src/history/report.ts";
import type { RunView } from "../src/history/view.ts";
import type { JsonObject } from "../src/json.ts";
import { CALL, RUN } from "../src/limits.ts";
import { settingsOf } from "../src/settings.ts";
import { appendToLog, readLog } from "./log.ts";

const NOTHING: ReadonlySet<number> = new Set();

export class Run extends DurableObject<Bindings> {
  #state: RunState | null | undefined;
  /** The time the alarm is set to, as far as this instance knows. Not knowing costs one needless move, never a lost one. */
  #alarm: number | null = null;
  /** Jobs whose call is in flight in this instance, and those waiting for a free place. */
  readonly #delivering = new Set<number>();
  readonly #waiting: Job[] = [];
  #calls = 0;
  #watchdog: number = RUN.watchdog.first;
  #reported: RunStatus | null = null;
  #reportTimer: ReturnType<typeof setTimeout> | null = null;

  // schema: one table, made by `log.ts` with the first row.

  // load

  #load(): RunState | null {
    if (this.#state === undefined) this.#state = replay(readLog(this.ctx.storage.sql));
    return this.#state;
  }

  // methods

  /** Begins the run. Idempotent: a run that exists is left alone. Resolves when the run is durable (EV-8). */
  async start(identity: RunIdentity): Promise<void> {
    counters.objectRequests++;
    if (this.#load() !== null) return;
    await this.#apply(start(identity, this.#moment()));
  }

  /** The run as it is now; null when this object holds none. */
  view(): RunView | null {
    counters.objectRequests++;
    const state = this.#load();
    return state === null ? null : { row: rowOf(state), jobs: jobsOf(state) };
  }

  /** The trigger events as functions see them; null when this object holds no run. */
  events(): EventPayload[] | null {
    counters.objectRequests++;
    return this.#load()?.identity.events.map(({ event }) => event.payload) ?? null;
  }

  /** The results of finished steps by id; null when this object holds no run. */
  actions(): JsonObject | null {
    counters.objectRequests++;
    const state = this.#load();
    return state === null ? null : memoOf(state);
  }

  /** The run's report, for a consumer whose message only carried a reference. */
  async report(): Promise<RunReport | null> {
    counters.objectRequests++;
    const state = this.#load();
    return state === null ? null : reportOf(state, await this.#announce(state));
  }

  /** History has the row of this sequence. A finished run now only waits for its retention to pass. */
  async confirm(sequence: number): Promise<void> {
    counters.objectRequests++;
    const state = this.#load();
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
      console.error(`run ${this.ctx.id.name}: alarm failed: ${messageOf(error)}`);
      await this.#setAlarm(Date.now() + RUN.watchdog.first);
    }
  }

  async #wake(): Promise<void> {
    const state = this.#load();
    if (state === null) return;
    if (state.outcome !== null) {
      const expires = state.outcome.at + settingsOf(this.env).retention;
      if (Date.now() >= expires) return await this.ctx.storage.deleteAll();
      await this.#setAlarm(Date.now() + this.#nextWatchdog());
      return await this.#report();
    }
    const decided = decide(state, { kind: "wake", delivering: this.#delivering }, this.#moment());
    if (decided !== null) return await this.#apply(decided);
    const next = nextLook(state, Date.now(), this.#nextWatchdog());
    if (next !== null) await this.#setAlarm(next);
  }

  // apply

  async #take(input: Input): Promise<void> {
    const state = this.#load();
    const decided = state === null ? null : decide(state, input, this.#moment());
    if (decided !== null) await this.#apply(decided);
  }

  /** Commits one decision, row and alarm together, and starts what follows from it. */
  #apply({ state, decision }: Decided): Promise<void> {
    const now = Date.now();
    counters.rowsWritten += appendToLog(this.ctx.storage, state.sequence, decision);
    this.#state = state;
    const armed = this.#arm(state, now);
    if (state.outcome !== null) this.#settle(this.#report());
    else {
      for (const job of dueJobs(state, this.#delivering, now)) this.#deliver(job);
      this.#scheduleReport(state);
    }
    return armed;
  }

  /** Each move of the alarm is a written row: it moves to be in time, or when a dormant run would wake for nothing. */
  async #arm(state: RunState, now: number): Promise<void> {
    const next = nextLook(state, now, this.#watchdog);
    if (next === null || next === this.#alarm) return;
    const dormant = state.outcome === null && dueJobs(state, NOTHING, now).length === 0;
    if (this.#alarm === null || next < this.#alarm || dormant) await this.#setAlarm(next);
  }

  async #setAlarm(at: number): Promise<void> {
    this.#alarm = at;
    counters.rowsWritten++;
    await this.ctx.storage.setAlarm(at);
  }

  #deliver(job: Job): void {
    this.#delivering.add(job.id);
    if (this.#calls >= CALL.concurrent) this.#waiting.push(job);
    else this.#settle(this.#call(job));
  }

  async #call(job: Job): Promise<void> {
    const state = this.#load();
    if (state === null) return;
    this.#calls++;
    counters.calls++;
    const reply = await callApp(this.env, state, job, this.#calls > CALL.direct);
    this.#calls--;
    this.#delivering.delete(job.id);
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) this.#settle(this.#call(waiting));
    await this.#take({ kind: "reply", fence: fenceOf(job), reply });
  }

  /** Tells history, and first whoever waits for the run's end. Repeated by the alarm until `confirm`. */
  async #report(): Promise<void> {
    const state = this.#load();
    if (state === null) return;
    const emitted = await this.#announce(state);
    this.#reported = rowOf(state).status;
    counters.queueMessages++;
    await this.env.HISTORY.send(historyMessage(reportOf(state, emitted)));
  }

  async #announce(state: RunState): Promise<readonly RoutedEvent[]> {
    return state.outcome === null ? [] : await announceEnd(this.env, state, Date.now());
  }

  /** A run that is still going after a moment shows itself in lists; a short one is written once, at its end. */
  #scheduleReport(state: RunState): void {
    if (this.#reportTimer !== null || rowOf(state).status === this.#reported) return;
    this.#reportTimer = setTimeout(() => {
      this.#reportTimer = null;
      const now = this.#load();
      if (now !== null && now.outcome === null) this.#settle(this.#report());
    }, RUN.progress);
  }

  /** Work nobody waits for. Its failure is logged; the alarm is set, so that it will be tried again. */
  #settle(work: Promise<void>): void {
    work.catch((error: unknown) => console.error(`run ${this.ctx.id.name}: ${messageOf(error)}`));
  }

  // Locally every object in memory holds open files for ten seconds after its last event; a finished run gives them back at once.
  #release(): void {
    if (settingsOf(this.env).mode !== "dev") return;
    setTimeout(() => this.ctx.abort("The run has finished and leaves memory."), RUN.release);
  }

  #moment(): Moment {
    const settings = settingsOf(this.env);
    return {
      now: Date.now(),
      random: Math.random(),
      retryInterval: settings.retryInterval,
      maxSteps: settings.maxSteps,
    };
  }

  #nextWatchdog(): number {
    const wait = this.#watchdog;
    this.#watchdog = Math.min(wait * 2, RUN.watchdog.max);
    return wait;
  }
}
