/**
 * What a handler of the app does, noted as it happens. Every execution of a step's body answers a value of its own, so that a result that
 * was recorded twice, lost after it was recorded, or made up shows itself.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { HandlerContext } from "../../conformance/harness/sdk.ts";
import type { openNotes } from "./notes.ts";

/** What every event of the workload carries. */
export interface Load {
  readonly key: string;
  /** Shared by several events: key of a limit, a window or a gate. */
  readonly k?: string;
  readonly run_id?: string;
}

export type Context = HandlerContext<Load>;

let calls = 0;
let executions = 0;

/** One entry of a handler. */
export class Trace {
  readonly #note: ReturnType<typeof openNotes>;
  readonly #step: Context["step"];
  readonly #who: { readonly call: number; readonly fn: string; readonly run: string };
  readonly #values: Record<string, string> = {};

  constructor(note: ReturnType<typeof openNotes>, fn: string, { step, runId, events, event, attempt }: Context) {
    this.#note = note;
    this.#step = step;
    this.#who = { call: ++calls, fn, run: runId };
    const keys = (events ?? [event]).map(({ data }) => data.key ?? "");
    note({ is: "called", ...this.#who, attempt, keys, about: event.data.run_id ?? null });
  }

  /** A step of so many ms. `holds`: what it uses a unit of meanwhile. `broken` throws in its first attempt. */
  async run(
    step: string,
    ms: number,
    { holds = [], broken }: { holds?: readonly string[]; broken?: boolean } = {},
  ): Promise<string> {
    const value = await this.#step.run(step, async () => {
      const value = `${step}#${++executions}`;
      this.#note({ is: "began", ...this.#who, step, value, holds: [...holds] });
      await sleep(ms);
      this.#note({ is: "ended", ...this.#who, step, value });
      if (broken === true) throw new Error("once more");
      return value;
    });
    return this.saw(step, value);
  }

  /** A result that is none of a body of this function. */
  saw(step: string, value: string): string {
    this.#values[step] = value;
    this.#note({ is: "saw", ...this.#who, step, value });
    return value;
  }

  /** The function's output: every result it was given. */
  output(): string {
    const output = JSON.stringify(this.#values);
    this.#note({ is: "returned", ...this.#who, output });
    return output;
  }
}
