/**
 * A run in the hands of a test: inputs go in, the state and the rows come out, and every row is folded again to prove
 * that the log alone leads to the same state.
 */
import { expect } from "vitest";
import type { Decision } from "../../../../src/decide/run/change.ts";
import { decide, type Input, start } from "../../../../src/decide/run/decide.ts";
import { dueJobs } from "../../../../src/decide/run/effects.ts";
import { replay } from "../../../../src/decide/run/evolve.ts";
import type { RunIdentity } from "../../../../src/decide/run/identity.ts";
import { type Fence, fenceOf, type Job, type RunState } from "../../../../src/decide/run/state.ts";
import type { Moment } from "../../../../src/decide/run/turn.ts";
import type { Json } from "../../../../src/json.ts";
import type { CallReply } from "../../../../src/protocol/call-reply.ts";
import type { Op, StepError } from "../../../../src/protocol/opcodes.ts";

export const T0 = 1_800_000_000_000;

export function identity(over: Partial<RunIdentity> = {}): RunIdentity {
  return {
    environmentId: "00000000-0000-4000-b000-000000000000",
    runId: "01JD00000000000000000000RN",
    app: { id: "app-uuid", name: "shop" },
    function: { id: "fn-uuid", slug: "shop-fn", name: "Fn", version: 1 },
    retries: 4,
    events: [
      {
        event: {
          internalId: "01JD00000000000000000000EV",
          receivedAt: T0,
          source: "test",
          deduplicationId: null,
          payload: { name: "a/b", data: { n: 1 }, id: "01JD00000000000000000000EV", ts: T0, user: {} },
        },
        outcomes: [],
        duplicate: false,
      },
    ],
    queuedAt: T0,
    startAt: T0,
    depth: 0,
    parent: null,
    originalRunId: null,
    ...over,
  };
}

export class TestRun {
  state: RunState;
  now = T0;
  readonly log: Decision[] = [];
  readonly settings: Partial<Moment>;

  constructor(over: Partial<RunIdentity> = {}, settings: Partial<Moment> = {}) {
    this.settings = settings;
    const first = start(identity(over), this.moment());
    this.log.push(first.decision);
    this.state = first.state;
  }

  moment(): Moment {
    return { now: this.now, random: 0, retryInterval: 1000, maxSteps: 1000, ...this.settings };
  }

  /** Calls that are due now. */
  due(): Job[] {
    return dueJobs(this.state, new Set(), this.now);
  }

  /** The only call that is due now. */
  job(): Job {
    const [job, ...more] = this.due();
    expect(more).toEqual([]);
    if (job === undefined) throw new Error("no call is due");
    return job;
  }

  jobOf(stepId: string): Job {
    const job = this.due().find((one) => one.stepId === stepId);
    if (job === undefined) throw new Error(`no call of ${stepId} is due`);
    return job;
  }

  /** Feeds a reply; answers whether it changed anything. */
  reply(reply: CallReply, fence: Fence = fenceOf(this.job())): boolean {
    return this.#take(decide(this.state, { kind: "reply", fence, reply }, this.moment()));
  }

  ops(ops: Op[], { job = this.job(), version = 2, noRetry = false }: OpsOptions = {}): boolean {
    return this.reply({ kind: "ops", ops, version, noRetry, retryAt: null }, fenceOf(job));
  }

  output(output: Json, job = this.job()): boolean {
    return this.reply({ kind: "output", output, version: 2 }, fenceOf(job));
  }

  error(error: Partial<StepError> = {}, noRetry = false, job = this.job()): boolean {
    const full = { name: "Error", message: "boom", ...error };
    return this.reply({ kind: "error", error: full, version: 2, noRetry, retryAt: null }, fenceOf(job));
  }

  /** Time passes and the alarm fires; nothing is in flight unless said otherwise. */
  wake(after: number, delivering: readonly number[] = []): boolean {
    this.now += after;
    return this.#take(decide(this.state, { kind: "wake", delivering: new Set(delivering) }, this.moment()));
  }

  /** Feeds any input; answers whether it changed anything. */
  take(input: Input): boolean {
    return this.#take(decide(this.state, input, this.moment()));
  }

  #take(decided: { state: RunState; decision: Decision } | null): boolean {
    if (decided === null) return false;
    this.state = decided.state;
    this.log.push(decided.decision);
    // The log is all that survives: through JSON and back it must lead to the very same state.
    expect(replay(JSON.parse(JSON.stringify(this.log)))).toEqual(this.state);
    return true;
  }
}

interface OpsOptions {
  job?: Job;
  version?: number;
  noRetry?: boolean;
}

const step = (id: string, race = false) => ({ id, label: { name: id, type: null }, race, metadata: [] });

export const ran = (id: string, data: Json = id): Op => ({ op: "run", data, ...step(id) });
export const planned = (id: string, race = false): Op => ({ op: "planned", ...step(id, race) });
export const slept = (id: string, until: string): Op => ({ op: "sleep", until, ...step(id) });
export const errored = (id: string, message = "boom"): Op => ({
  op: "error",
  error: { name: "Error", message },
  ...step(id),
});
export const failed = (id: string, message = "no"): Op => ({
  op: "failed",
  error: { name: "NonRetriableError", message },
  ...step(id),
});
export const completed = (data: Json): Op => ({ op: "complete", data });
