/**
 * What a run tells others about itself: lists while it goes on, everybody who waits for it when it has ended.
 * Owns the order at the end (parent, children, system events, history), so that history's confirmation means that all of it is done.
 */
import type { Bindings } from "../bindings.ts";
import { counters } from "../counters.ts";
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
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(bindings: Bindings, registrations: Registrations, leases: Leases, owner: ReporterOwner) {
    this.#bindings = bindings;
    this.#registrations = registrations;
    this.#leases = leases;
    this.#owner = owner;
  }

  /** Reports the run as it is. At its end first does everything that its end owes; safe to repeat. */
  async report(state: RunState): Promise<void> {
    const message = historyMessage(await this.reportOf(state));
    this.#reported = rowOf(state).status;
    counters.queueMessages++;
    await this.#bindings.HISTORY.send(message);
  }

  /** The report itself, with what became of the events of the run's end. */
  async reportOf(state: RunState): Promise<RunReport> {
    return reportOf(state, state.outcome === null ? [] : await this.#end(state));
  }

  /**
   * Reports in a moment, unless the run has ended by then: a short run is written once, at its end. A held one is reported at once: whoever
   * resumes its function finds it in history.
   */
  later(state: RunState): void {
    const held = state.suspended !== null;
    if (rowOf(state).status === this.#reported || (this.#timer !== null && !held)) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        const now = this.#owner.state();
        if (now?.outcome === null) this.report(now).catch((error: unknown) => this.#owner.failed(error));
      },
      held ? 0 : RUN.progress,
    );
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
