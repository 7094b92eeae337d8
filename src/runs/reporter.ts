/**
 * What a run tells others about itself: lists while it goes on, everybody who waits for it when it has ended.
 * Owns the order at the end (parent, children, system events, history), so that history's confirmation means that all of it is done.
 */
import type { Bindings } from "../bindings.ts";
import { counters } from "../counters.ts";
import { expectedLook, isExpectedEarlier } from "../decide/run/due.ts";
import { restsBeyond } from "../decide/run/effects.ts";
import { reportOf, rowOf } from "../decide/run/report.ts";
import type { RunState } from "../decide/run/state.ts";
import type { RoutedEvent } from "../events/event.ts";
import type { RunReport, RunStatus } from "../history/message.ts";
import { historyMessage } from "../history/report.ts";
import { RUN } from "../limits.ts";
import { announceEnd } from "./announce-end.ts";
import { answerParent, cancelChildren } from "./invocation.ts";
import type { Leases } from "./leases.ts";
import type { Registrations } from "./registrations.ts";
import { releaseSingleton } from "./singleton.ts";

/** What a reporter needs of the run it speaks for. */
export interface ReporterOwner {
  /** The run as it is now; null when there is none. */
  state(): RunState | null;
  /** Reports a failure that nobody waits for. */
  failed(error: unknown): void;
}

export class Reporter {
  readonly #bindings: Bindings;
  readonly #registrations: Registrations;
  readonly #leases: Leases;
  readonly #owner: ReporterOwner;
  #reported: RunStatus | null = null;
  /** When the run was to be looked at, as it told history last; ms since 1970. */
  #due: number | null = null;
  /** The newest state that was told, and how often. */
  #told: { readonly sequence: number; readonly times: number } | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(bindings: Bindings, registrations: Registrations, leases: Leases, owner: ReporterOwner) {
    this.#bindings = bindings;
    this.#registrations = registrations;
    this.#leases = leases;
    this.#owner = owner;
  }

  /** Reports the run as it is. At its end first does everything that its end owes; safe to repeat. */
  async report(state: RunState): Promise<void> {
    const report = await this.reportOf(state);
    const message = historyMessage(this.#counted(report));
    this.#reported = report.run.status;
    this.#due = report.run.dueAt ?? null;
    counters.queueMessages++;
    await this.#bindings.HISTORY.send(message);
  }

  /** The run was found in its log: its end was told by an earlier instance, as a rule. */
  inherit({ outcome, sequence }: RunState): void {
    if (outcome !== null) this.#told = { sequence, times: 1 };
  }

  /** The report with how often it was sent before (OB-19); counted if none of these has arrived. */
  #counted(report: RunReport): RunReport {
    const { sequence } = report.run;
    const times = this.#told?.sequence === sequence ? this.#told.times : 0;
    this.#told = { sequence, times: times + 1 };
    return times === 0 ? report : { ...report, run: { ...report.run, repeats: times } };
  }

  /** The report itself, with what became of the events of the run's end. */
  async reportOf(state: RunState): Promise<RunReport> {
    const dueAt = expectedLook(state, this.#registrations.isSettled(state), Date.now());
    return reportOf(state, state.outcome === null ? [] : await this.#end(state), dueAt);
  }

  /**
   * Reports in a moment, unless the run has ended by then: a short run is written once, at its end. One that is held or rests for longer is
   * reported at once: whoever resumes its function, or cancels many runs, finds it in history. One that goes on long before history expects
   * it to is reported again, because it may be forgotten from then on.
   */
  later(state: RunState): void {
    if (!this.#isNews(state)) return;
    const lasting = state.suspended !== null || restsBeyond(state, Date.now() + RUN.progress);
    if (this.#timer !== null && !lasting) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        const now = this.#owner.state();
        if (now?.outcome === null && this.#isNews(now))
          this.report(now).catch((error: unknown) => this.#owner.failed(error));
      },
      lasting ? 0 : RUN.progress,
    );
  }

  #isNews(state: RunState): boolean {
    if (rowOf(state).status !== this.#reported) return true;
    return this.#due !== null && isExpectedEarlier(state, this.#due, Date.now());
  }

  async #end(state: RunState): Promise<readonly RoutedEvent[]> {
    // A pending timer would keep the object of a finished run in memory, and on the bill.
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    // Others wait for what it held: that goes first, and beside it everything else.
    await Promise.all([
      this.#leases.release(state),
      releaseSingleton(this.#bindings, state),
      this.#registrations.forget(state),
    ]);
    await answerParent(this.#bindings, state);
    await cancelChildren(this.#bindings, state, Date.now());
    return await announceEnd(this.#bindings, state, Date.now());
  }
}
