/**
 * One run in the memory of its object: the log and what it folds to, the alarm, and what follows from each decision. `run.ts` is its door.
 * Guarantees that nothing leaves the object before the decision it rests on is committed, and that an alarm is set while anything is owed.
 */
import type { Bindings } from "../src/bindings.ts";
import { counters } from "../src/counters.ts";
import type { Held, LineRef, Needs } from "../src/decide/capacity/line.ts";
import { type Decided, decide, type Input } from "../src/decide/run/decide.ts";
import { replay } from "../src/decide/run/evolve.ts";
import { countsSteps } from "../src/decide/run/lines.ts";
import type { RunState } from "../src/decide/run/state.ts";
import { messageOf } from "../src/errors.ts";
import { RETENTION, RUN } from "../src/limits.ts";
import { RunEffects } from "../src/runs/effects.ts";
import { momentOf } from "../src/runs/moment.ts";
import { Publications } from "../src/runs/publications.ts";
import { Results } from "../src/runs/results.ts";
import { standingOf } from "../src/runs/standing.ts";
import { settingsOf } from "../src/settings.ts";
import { ErasedMark } from "./erased-mark.ts";
import { Followed } from "./followed.ts";
import { appendToLog, readLog } from "./log.ts";
import { isLost } from "./lost-alarm.ts";
import { RunAlarm } from "./run-alarm.ts";

export class RunCore {
  readonly results: Results;
  readonly publications: Publications;
  readonly effects: RunEffects;
  readonly #context: DurableObjectState;
  readonly #bindings: Bindings;
  readonly #alarm: RunAlarm;
  readonly #erased: ErasedMark;
  #state: RunState | null | undefined;

  constructor(context: DurableObjectState, bindings: Bindings) {
    this.#context = context;
    this.#bindings = bindings;
    this.#alarm = new RunAlarm(context.storage);
    this.#erased = new ErasedMark(context.storage);
    this.results = new Results(() => this.load());
    this.publications = new Publications(bindings, new Followed(context.storage.sql));
    this.effects = new RunEffects(bindings, {
      state: () => this.load(),
      take: (input) => this.take(input),
      failed: (error) => this.#failed(error),
    });
  }

  // load

  /** The run as it is now; null when the object holds none. */
  load(): RunState | null {
    if (this.#state !== undefined) return this.#state;
    this.#state = replay(readLog(this.#context.storage.sql));
    if (this.#state !== null) this.effects.inherit(this.#state, Date.now());
    // What an earlier instance had in flight is lost to this one (FC-10).
    if (this.#state !== null && this.#state.outcome === null && countsSteps(this.#state)) {
      this.take({ kind: "wake", delivering: new Set(), loaded: true }).catch((error: unknown) => this.#failed(error));
    }
    return this.#state;
  }

  /** {@link load}, for a request from outside. */
  request(): RunState | null {
    counters.objectRequests++;
    return this.load();
  }

  // alarm

  /** The alarm has fired: does whatever is due, and sets it again. Never fails for a reason of its own. */
  async fired(): Promise<void> {
    counters.alarms++;
    try {
      await this.#wake(this.#alarm.fired());
    } catch (error) {
      this.#failed(error);
      await this.#alarm.set(Date.now() + RUN.watchdog.first);
    }
  }

  /** Does what is due if the platform gave up the alarm (I4). The time of the next look, ms since 1970; null without a run. */
  async rouse(): Promise<number | null> {
    const { storage } = this.#context;
    const state = this.load();
    if (state === null) return null;
    if (isLost(await storage.getAlarm(), Date.now())) await this.fired();
    // Who asks takes it for unfinished: history was restored to a time before its end.
    else if (state.outcome !== null) await this.effects.reporter.report(state);
    return this.load() === null ? null : ((await storage.getAlarm()) ?? Date.now());
  }

  async #wake(watchdog: number): Promise<void> {
    const state = this.load();
    if (state === null) return await this.#forget();
    if (state.outcome !== null) {
      if (this.isOver(state)) return await this.remove();
      await this.#alarm.set(Date.now() + watchdog);
      return await this.effects.reporter.report(state);
    }
    const standing = await standingOf(this.#bindings, state);
    const now = this.load() ?? state;
    const decided = decide(now, this.effects.look(now, standing), momentOf(this.#bindings, now.identity));
    if (decided !== null) return await this.apply(decided);
    await this.#alarm.watch(now, this.effects.registrations.isSettled(now), Date.now(), watchdog);
    this.effects.advance(now);
  }

  // apply

  /** Decides what an input makes of the run, and applies it. Resolves when that is committed and the alarm is set. */
  async take(input: Input): Promise<void> {
    const state = this.load();
    const decided = state === null ? null : decide(state, input, momentOf(this.#bindings, state.identity));
    if (decided !== null) await this.apply(decided);
    else this.effects.leases.trim();
  }

  /** One of its lines tells what the run holds; answers what it needs. What a run that has ended needs is given back when its time is over. */
  told(line: LineRef, held: Held): Needs {
    const needs = this.effects.leases.told(line, held);
    const state = this.load();
    if (needs === null || state === null || state.outcome === null) return needs;
    const owedAt = this.effects.leases.owedAt(state);
    if (owedAt !== null) this.#alarm.hasten(owedAt).catch((error: unknown) => this.#failed(error));
    return needs;
  }

  /** Commits one decision, row and alarm together, and starts what follows from it. */
  apply({ state, decision }: Decided): Promise<void> {
    counters.rowsWritten += appendToLog(this.#context.storage, state.sequence, decision);
    this.#state = state;
    this.results.changed();
    this.publications.decided(state, decision);
    const armed = this.#alarm.decided(state, this.effects.registrations.isSettled(state), Date.now());
    this.effects.advance(state);
    return armed;
  }

  /** History has the end of the run, which now only waits for its retention to pass, or first for calls that outlast it. `at`: when it ended, ms. */
  async settle(state: RunState, at: number): Promise<void> {
    const owedAt = this.effects.leases.owedAt(state);
    // Its alarm, which is always set by now, makes it report again, and gives back what they hold.
    if (owedAt !== null) return await this.#alarm.hasten(owedAt);
    await this.#alarm.set(at + settingsOf(this.#bindings).retention + RETENTION.own);
    this.#release();
  }

  /** Whether its retention has passed (OB-24). */
  isOver({ outcome }: RunState): boolean {
    return outcome !== null && Date.now() >= outcome.at + settingsOf(this.#bindings).retention;
  }

  /** Leaves nothing behind. */
  async remove(): Promise<void> {
    this.#state = null;
    await this.#context.storage.deleteAll();
    this.#release();
  }

  /** Whether a run was here and was deleted on request: it is not to begin again. */
  isErased(): boolean {
    return this.load() === null && this.#erased.until() !== null;
  }

  /** Leaves nothing of the run but that it was deleted (OB-25), also where there was none. False while it has not ended. */
  async erase(): Promise<boolean> {
    const state = this.load();
    if (state !== null && state.outcome === null) return false;
    // Nothing may begin between the two: a start that is repeated finds either the run or the mark.
    await this.#context.blockConcurrencyWhile(async () => {
      this.#state = null;
      await this.#context.storage.deleteAll();
      await this.#alarm.set(this.#erased.set(Date.now()));
    });
    this.#release();
    return true;
  }

  /** The mark of a deleted run goes when its time is over. */
  async #forget(): Promise<void> {
    const until = this.#erased.until();
    if (until === null) return;
    if (Date.now() >= until) await this.#context.storage.deleteAll();
    else await this.#alarm.set(until);
  }

  #failed(error: unknown): void {
    console.error(`run ${this.#context.id.name}: ${messageOf(error)}`);
  }

  // Locally every object in memory holds open files for ten seconds after its last event; a finished run gives them back at once.
  #release(): void {
    if (settingsOf(this.#bindings).mode !== "dev" || this.effects.calls.delivering.size > 0) return;
    setTimeout(() => this.#context.abort("The run has finished and leaves memory."), RUN.release);
  }
}
