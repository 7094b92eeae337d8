/**
 * The app of a simulated world, and the ledger of what really executed. It lives outside the engine: a body that has begun goes on when the
 * engine dies, and what it reports then meets whoever lives by that time. Owns the ledger, which knows nothing of what the engine believes.
 */
import type { Job, RunState } from "../../src/decide/run/state.ts";
import type { JsonObject } from "../../src/json.ts";
import type { CallReply } from "../../src/protocol/call-reply.ts";
import type { Checkpoint } from "../../src/protocol/checkpoint.ts";
import { AppCall } from "./app-call.ts";
import type { Agenda, Owner } from "./platform/agenda.ts";
import type { Mishaps } from "./platform/mishaps.ts";
import type { Part } from "./program.ts";

/** What goes wrong between engine and app. Probabilities per call. */
export interface AppFaults {
  /** The connection breaks while the app is at work; it does not notice. */
  readonly broken: number;
  /** The app's answer never arrives, and the engine waits until its deadline. */
  readonly silent: number;
  /** Something on the way makes the call twice; the engine hears the answer to the first. */
  readonly doubled: number;
}

export const NO_APP_FAULTS: AppFaults = { broken: 0, silent: 0, doubled: 0 };

/** A function as the app runs it. `checkpoints`: it goes on after a step and reports it meanwhile (EX-66). */
export interface AppFunction {
  readonly parts: readonly Part[];
  readonly checkpoints: boolean;
}

/** One stretch of work of the app: a body, or code between steps. Times are ms. */
export interface Execution {
  /** Which call of the app it was part of, from 1. */
  readonly call: number;
  readonly environmentId: string;
  readonly functionId: string;
  readonly runId: string;
  /** The step whose body ran; null for code between steps. */
  readonly step: string | null;
  readonly attempt: number;
  /** `data` and name of the first event. */
  readonly data: JsonObject;
  readonly name: string;
  /** Events the call carried. */
  readonly events: readonly string[];
  readonly from: number;
  readonly until: number;
  /** What the call knew of finished steps when this began, each as JSON; empty where it may only think so, because it was made twice. */
  readonly memo: ReadonlyMap<string, string>;
  /** What the body or the function returned, as JSON; null when it failed, or was neither. */
  readonly value: string | null;
  /** Steps that were reported at its end and that something other than the app finishes. */
  readonly announced: readonly string[];
  /** Somebody on the way made the call, not the engine. */
  readonly isShadow: boolean;
  /** When the connection broke, and when the engine's instance that made the call was lost, ms; null when neither. */
  readonly brokenAt: () => number | null;
  readonly orphanedAt: () => number | null;
}

/** What an app needs of the world it lives in. */
export interface Surroundings {
  readonly agenda: Agenda;
  readonly mishaps: Mishaps;
  readonly faults: () => AppFaults;
  /** ms a message takes. */
  readonly latency: () => number;
  /** Sends an event, again and again until it is accepted. */
  readonly send: (environmentId: string, name: string, data: JsonObject, accepted: () => void) => void;
  /** Reports finished steps of a call under way, again and again until there is an answer. */
  readonly checkpoint: (
    environmentId: string,
    runId: string,
    checkpoint: Checkpoint,
    answered: (outcome: Stored) => void,
  ) => void;
}

/** The engine's answer to a checkpoint. */
export type Stored = "stored" | "stale" | "unknown";

/** ms by which a call's duplicate comes later, at most. */
const DUPLICATE = 1000;

/** ms after which the engine gives up a call (EX-17). */
export const DEADLINE = 60_000;

export class App {
  /** The app of the world that is being simulated: where calls of the engine go. */
  static current: App | null = null;
  readonly ledger: Execution[] = [];
  /** Runs whose function has returned at least once, in a call that was answered. */
  readonly ended = new Set<string>();
  /** By slug. */
  readonly #functions: ReadonlyMap<string, AppFunction>;
  readonly surroundings: Surroundings;
  readonly #failures = new Map<string, number>();
  #calls = 0;

  constructor(functions: ReadonlyMap<string, AppFunction>, surroundings: Surroundings) {
    this.#functions = functions;
    this.surroundings = surroundings;
  }

  /** A call from the engine. It reaches the app even if its sender dies meanwhile; the answer then reaches nobody. */
  call(state: RunState, job: Job): Promise<CallReply> {
    const { agenda, latency, mishaps, faults } = this.surroundings;
    const caller = agenda.owner;
    return new Promise((resolve) => {
      const answer = (reply: CallReply) => {
        agenda.after(latency(), () => resolve(reply), caller, caller === null ? "outside" : "process");
      };
      const number = ++this.#calls;
      const fn = this.functionOf(state);
      const isDoubled = mishaps.happens(faults().doubled, "app call doubled", () => `of run ${state.identity.runId}`);
      const incoming = { number, state, job, caller, answer, isDoubled, isShadow: false };
      const call = new AppCall(this, fn, incoming);
      agenda.after(latency(), () => call.arrive(), null, "outside");
      if (!isDoubled) return;
      const shadow = new AppCall(this, fn, { ...incoming, answer: () => undefined, isShadow: true });
      agenda.after(latency() + mishaps.between(0, DUPLICATE), () => shadow.arrive(), null, "outside");
    });
  }

  functionOf({ identity }: RunState): AppFunction {
    return this.#functions.get(identity.function.slug) ?? { parts: [], checkpoints: false };
  }

  /** How often code of a run has failed; `more` counts one more. */
  failures(runId: string, id: string, more = 0): number {
    const key = `${runId} ${id}`;
    const count = (this.#failures.get(key) ?? 0) + more;
    this.#failures.set(key, count);
    return count;
  }

  /** A value that no other execution has. */
  value(what: string): string {
    return `${what}#${this.ledger.length}`;
  }
}

/** A call as it reaches the app. `caller`: on whose behalf the engine made it. */
export interface Incoming {
  readonly number: number;
  readonly state: RunState;
  readonly job: Job;
  readonly caller: Owner | null;
  readonly answer: (reply: CallReply) => void;
  /** It was made twice on its way. */
  readonly isDoubled: boolean;
  readonly isShadow: boolean;
}
