/**
 * What a line decided last, for whoever looks at it (BY-11). Pure, changed in place, and bounded; not stored, because nothing rests on it.
 */
import { CAPACITY } from "../../limits.ts";
import type { Entry } from "./member.ts";

/** One decision about a run. */
export interface LineDecision {
  /** ms since 1970. */
  readonly at: number;
  readonly is: "waits" | "granted" | "released";
  readonly runId: string;
  readonly functionId: string;
  readonly units: number;
}

export class Journal {
  readonly #decisions: (LineDecision & { readonly environmentId: string })[] = [];

  note(at: number, is: LineDecision["is"], units: number, { environmentId, runId, functionId }: Entry): void {
    this.#decisions.push({ at, is, environmentId, runId, functionId, units });
    const { decisions } = CAPACITY.shown;
    if (this.#decisions.length > 2 * decisions) this.#decisions.splice(0, this.#decisions.length - decisions);
  }

  /** Those about runs of the environment, newest first. */
  last(environmentId: string): LineDecision[] {
    const own = this.#decisions.filter((decision) => decision.environmentId === environmentId);
    return own
      .slice(-CAPACITY.shown.decisions)
      .reverse()
      .map(({ environmentId: _, ...decision }) => decision);
  }
}
