/**
 * What a run tells others about itself: lists while it goes on, everybody who waits for it when it has ended.
 * Owns the order at the end (parent, system events, history), so that history's confirmation means that all of it is done.
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
import { answerParent } from "./invocation.ts";
import type { Registrations } from "./registrations.ts";

export class Reporter {
  readonly #bindings: Bindings;
  readonly #registrations: Registrations;
  #reported: RunStatus | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(bindings: Bindings, registrations: Registrations) {
    this.#bindings = bindings;
    this.#registrations = registrations;
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

  /** Reports in a moment, unless the run has ended by then: a short run is written once, at its end. */
  later(state: RunState, report: () => void): void {
    if (this.#timer !== null || rowOf(state).status === this.#reported) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      report();
    }, RUN.progress);
  }

  async #end(state: RunState): Promise<readonly RoutedEvent[]> {
    // A pending timer would keep the object of a finished run in memory, and on the bill.
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#registrations.forget(state);
    await answerParent(this.#bindings, state);
    return await announceEnd(this.#bindings, state, Date.now());
  }
}
