/**
 * The apps of a simulated world: functions as lists of steps, and the ledger of what really executed. They live outside the engine: a
 * body that has begun goes on when the engine dies. Owns the ledger, which knows nothing of what the engine believes.
 */
import type { Job, RunState } from "../../src/decide/run/state.ts";
import type { JsonObject } from "../../src/json.ts";
import type { CallReply } from "../../src/protocol/call-reply.ts";
import type { Op } from "../../src/protocol/opcodes.ts";
import type { Agenda } from "./platform/agenda.ts";

/** A part of a function. Steps of one `parallel` are announced together; `fails`: so many attempts fail first. */
export type Part =
  | { readonly kind: "run"; readonly id: string; readonly ms: number; readonly fails?: number }
  | { readonly kind: "sleep"; readonly id: string; readonly ms: number }
  | { readonly kind: "wait"; readonly id: string; readonly event: string; readonly ms: number }
  | { readonly kind: "parallel"; readonly steps: readonly { readonly id: string; readonly ms: number }[] };

/** One call of the app: the interval in which the app was busy with it. Times are ms. */
export interface Execution {
  readonly functionId: string;
  readonly runId: string;
  /** The step whose body ran; null for code between steps. */
  readonly step: string | null;
  readonly attempt: number;
  readonly data: JsonObject;
  /** Events the call carried. */
  readonly events: readonly string[];
  readonly from: number;
  readonly until: number;
}

/** ms a call takes that executes no body. */
const BETWEEN = 1;

export class App {
  /** The app of the world that is being simulated: where calls of the engine go. */
  static current: App | null = null;
  readonly ledger: Execution[] = [];
  /** Runs whose function has returned at least once. */
  readonly ended = new Set<string>();
  /** By slug. */
  readonly #functions: ReadonlyMap<string, readonly Part[]>;
  readonly #agenda: Agenda;
  readonly #latency: () => number;
  readonly #failed = new Map<string, number>();

  constructor(agenda: Agenda, functions: ReadonlyMap<string, readonly Part[]>, latency: () => number) {
    this.#agenda = agenda;
    this.#functions = functions;
    this.#latency = latency;
  }

  /** A call from the engine. It reaches the app even if its sender dies meanwhile; the answer then reaches nobody. */
  call(state: RunState, job: Job): Promise<CallReply> {
    const caller = this.#agenda.owner;
    return new Promise((resolve) => {
      const arrive = () => {
        const { reply, ms, step } = this.#execute(state, job);
        const { identity } = state;
        const from = this.#agenda.now;
        this.ledger.push({
          functionId: identity.function.slug,
          runId: identity.runId,
          step,
          attempt: job.attempt,
          data: identity.events[0]?.event.payload.data ?? {},
          events: identity.events.map(({ event }) => event.internalId),
          from,
          until: from + ms,
        });
        this.#agenda.after(ms + this.#latency(), () => resolve(reply), caller, caller === null ? "outside" : "process");
      };
      this.#agenda.after(this.#latency(), arrive, null, "outside");
    });
  }

  /** What the function does when it is entered with this memo, as an SDK of protocol 2 reports it. */
  #execute(state: RunState, job: Job): { reply: CallReply; ms: number; step: string | null } {
    const parts = this.#functions.get(state.identity.function.slug) ?? [];
    const ops = (list: Op[]): CallReply => ({ kind: "ops", ops: list, version: 2, noRetry: false, retryAt: null });
    const done = (id: string) => state.steps.get(id)?.status === "finished";
    for (const part of parts) {
      if (part.kind === "parallel") {
        const open = part.steps.filter(({ id }) => !done(id));
        const target = open.find(({ id }) => id === job.stepId);
        if (target !== undefined) return { reply: ops([ran(target.id)]), ms: target.ms, step: target.id };
        if (open.length > 0)
          return { reply: ops(open.map(({ id }) => ({ op: "planned", ...step(id) }))), ms: BETWEEN, step: null };
        continue;
      }
      if (done(part.id)) continue;
      switch (part.kind) {
        case "run":
          return this.#body(state, part, ops);
        case "sleep":
          return { reply: ops([{ op: "sleep", until: `${part.ms}ms`, ...step(part.id) }]), ms: BETWEEN, step: null };
        case "wait": {
          const wait: Op = { op: "wait", event: part.event, condition: null, until: `${part.ms}ms`, ...step(part.id) };
          return { reply: ops([wait]), ms: BETWEEN, step: null };
        }
      }
    }
    this.ended.add(state.identity.runId);
    return { reply: { kind: "output", output: null, version: 2 }, ms: BETWEEN, step: null };
  }

  #body(state: RunState, part: Extract<Part, { kind: "run" }>, ops: (list: Op[]) => CallReply) {
    const key = `${state.identity.runId} ${part.id}`;
    const failed = this.#failed.get(key) ?? 0;
    if (failed >= (part.fails ?? 0)) return { reply: ops([ran(part.id)]), ms: part.ms, step: part.id };
    this.#failed.set(key, failed + 1);
    const error = { name: "Error", message: "as told" };
    return { reply: ops([{ op: "error", error, ...step(part.id) }]), ms: part.ms, step: part.id };
  }
}

function step(id: string) {
  return { id, label: { name: id, type: null }, race: false, metadata: [] };
}

function ran(id: string): Op {
  return { op: "run", data: id, ...step(id) };
}
