/**
 * Callers who wait for a run's end, or for the result of an endpoint's run (EX-69, EX-70, API-14). Owns the waiting, in memory only: whoever is cut off asks again.
 */
import type { RunState } from "../decide/run/state.ts";
import { ENDPOINT } from "../limits.ts";
import type { EndpointResult } from "../protocol/endpoint-output.ts";

export class Results {
  readonly #read: () => RunState | null;
  readonly #waiting = new Set<() => void>();

  constructor(read: () => RunState | null) {
    this.#read = read;
  }

  /** The result, waited for at most `patience` ms. */
  async wait(patience: number): Promise<EndpointResult> {
    const until = Date.now() + patience;
    for (;;) {
      const now = Date.now();
      const { result, due } = resultOf(this.#read(), now);
      if (result.state !== "running" || now >= until) return result;
      await this.#change(Math.min(due ?? until, until) - now);
    }
  }

  /** Resolves when the run has ended, when there is none, or after `patience` ms. */
  async end(patience: number): Promise<void> {
    const until = Date.now() + patience;
    while (this.#read()?.outcome === null && Date.now() < until) await this.#change(until - Date.now());
  }

  /** The run has changed: everybody looks again. */
  changed(): void {
    for (const look of this.#waiting) look();
  }

  async #change(atMost: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(look, atMost);
      const waiting = this.#waiting;
      function look(): void {
        clearTimeout(timer);
        waiting.delete(look);
        resolve();
      }
      waiting.add(look);
    });
  }
}

/** How the run stands; `due` is when a result that still lacks its head is given without it. */
function resultOf(
  state: RunState | null,
  now: number,
): { readonly result: EndpointResult; readonly due: number | null } {
  if (state?.identity.endpoint === undefined) return { result: { state: "unknown" }, due: null };
  const { outcome, response: head, identity } = state;
  if (outcome === null) return { result: { state: "running" }, due: null };
  const completed = outcome.status === "completed";
  const due = outcome.at + ENDPOINT.grace;
  // The SDK tells status and headers at the same time as the result, but over another connection.
  if (completed && head === null && now < due) return { result: { state: "running" }, due };
  const { output } = outcome;
  return { result: { state: "ended", completed, output, head, sdk: identity.endpoint?.sdk ?? "" }, due };
}
