/**
 * The calls of runs that a line makes: what they hold, that somebody goes first, whether they are still there. Owns how many are made at
 * once, and that one that is never answered keeps no others waiting; whom to call, and when again, the line decides.
 */
import type { Bindings } from "../../src/bindings.ts";
import type { LineRef, Needs } from "../../src/decide/capacity/line.ts";
import type { Call } from "../../src/decide/capacity/waiting-line.ts";
import { CAPACITY } from "../../src/limits.ts";
import { runStub } from "../../src/objects.ts";

/** What the calls need of the line they belong to. */
export interface Caller {
  /** The next one; null when nobody is to be called now. */
  next(): { readonly call: Call; readonly line: LineRef } | null;
  /** Takes what a call brought. */
  answered(call: Call, needs: Needs): void;
  /** Takes that a call has failed. */
  failed(call: Call, error: unknown): void;
}

export class RunCalls {
  readonly #bindings: Bindings;
  readonly #caller: Caller;
  #open = 0;

  constructor(bindings: Bindings, caller: Caller) {
    this.#bindings = bindings;
    this.#caller = caller;
  }

  /** Calls whoever is to be called, as far as there is room. */
  advance(): void {
    while (this.#open < CAPACITY.parallel) {
      const next = this.#caller.next();
      if (next === null) return;
      this.#open++;
      void this.#make(next.call, next.line);
    }
  }

  async #make(call: Call, line: LineRef): Promise<void> {
    let counted = true;
    const leave = () => {
      if (!counted) return;
      counted = false;
      this.#open--;
      this.advance();
    };
    // The call goes on, and what it brings counts: until it has come the run may still be told by it.
    const patience = setTimeout(leave, CAPACITY.patience);
    try {
      const { environmentId, runId } = call.member;
      const needs = await runStub(this.#bindings, environmentId, runId).capacity(line, call.held);
      this.#caller.answered(call, needs);
    } catch (error) {
      this.#caller.failed(call, error);
    } finally {
      clearTimeout(patience);
      leave();
    }
  }
}
