/**
 * The calls of one run that are in flight in this instance of its object, and the requests the engine is to make for it.
 * Owns how many run at once; knows no storage. Requests are only ever in memory, because they may hold credentials (SE-14):
 * when one is missing, the run is told so and asks its app again.
 */
import type { Bindings } from "../bindings.ts";
import { counters } from "../counters.ts";
import type { Input } from "../decide/run/decide.ts";
import { requestInput } from "../decide/run/edited-input.ts";
import { concerns } from "../decide/run/pausing.ts";
import type { RequestOutcome } from "../decide/run/resolution.ts";
import { fenceOf, isCurrent, type Job, maxAttempts, type RunState } from "../decide/run/state.ts";
import { messageOf } from "../errors.ts";
import { CALL } from "../limits.ts";
import { type CallReply, failedAttempt } from "../protocol/call-reply.ts";
import { editedOptions } from "../protocol/edited-request.ts";
import { parseGatewayRequest } from "../protocol/gateway-request.ts";
import { standingOf } from "../runs/standing.ts";
import { settingsOf } from "../settings.ts";
import { fetchTargetPolicy } from "./address.ts";
import { callApp } from "./call.ts";
import { performRequest, refusedRequest } from "./gateway.ts";
import { requestFacts } from "./request-record.ts";

type ParsedRequest = ReturnType<typeof parseGatewayRequest>;

/** What a pool needs of the run it works for. */
export interface PoolOwner {
  /** The run as it is now; null when there is none. */
  state(): RunState | null;
  /** Takes what a call brought; resolves when it is committed. */
  take(input: Input): Promise<void>;
  /** Does what the run calls for now; it has not ended. */
  advance(state: RunState): void;
  /** Reports a failure that nobody waits for. */
  failed(error: unknown): void;
}

export class CallPool {
  readonly #bindings: Bindings;
  readonly #owner: PoolOwner;
  readonly #delivering = new Set<number>();
  /** Jobs whose call is in flight, and since when, ms. */
  readonly #since = new Map<number, number>();
  readonly #executing = new Set<number>();
  readonly #waiting: Job[] = [];
  readonly #requests = new Map<string, ParsedRequest>();

  constructor(bindings: Bindings, owner: PoolOwner) {
    this.#bindings = bindings;
    this.#owner = owner;
  }

  /** Jobs being delivered here, including those that wait for a free place. */
  get delivering(): ReadonlySet<number> {
    return this.#delivering;
  }

  /** Since when the call of each job in flight is under way, ms since 1970. */
  get since(): ReadonlyMap<number, number> {
    return this.#since;
  }

  /** Jobs whose call is in flight here. */
  get executing(): ReadonlySet<number> {
    return this.#executing;
  }

  /** Delivers a job as soon as a place is free, unless the delivery does not count any more by then. */
  deliver(job: Job): void {
    this.#delivering.add(job.id);
    if (this.#executing.size >= CALL.concurrent) this.#waiting.push(job);
    else this.#run(job).catch((error: unknown) => this.#owner.failed(error));
  }

  async #run(job: Job): Promise<void> {
    const state = this.#owner.state();
    if (state === null) return;
    this.#executing.add(job.id);
    this.#since.set(job.id, Date.now());
    let input: Input;
    // The reply is taken in the same instant in which the job leaves the hand: in between it would look like one to be delivered.
    try {
      input = await this.#perform(state, job);
    } finally {
      this.#executing.delete(job.id);
      this.#since.delete(job.id);
      this.#delivering.delete(job.id);
      this.#next();
    }
    const counts = this.#counts(job);
    if (!counts || this.#owner.state()?.cancelling !== null) this.#discard(state, input);
    await this.#take(input);
    // A job that was halted and may go on again was not delivered while this delivery of it had not ended.
    const now = this.#owner.state();
    if (!counts && now?.outcome === null) this.#owner.advance(now);
  }

  /** What was called for came too late to count (EX-11): history counts it, because the run keeps nothing of it. */
  #discard({ identity }: RunState, { kind }: Input): void {
    counters.discardedReplies++;
    // What was halted before it was called brought no reply.
    if (kind !== "reply" && kind !== "answered") return;
    const { environmentId, app, function: fn } = identity;
    const reply = { environmentId, appId: app.id, functionId: fn.id, functionSlug: fn.slug, at: Date.now() };
    counters.queueMessages++;
    this.#bindings.HISTORY.send({ kind: "discarded", reply }).catch((error: unknown) => this.#owner.failed(error));
  }

  /** A reply that no decision can be made of fails its attempt, as every bad one does: it would be asked for again without end. */
  async #take(input: Input): Promise<void> {
    try {
      await this.#owner.take(input);
    } catch (error) {
      if (input.kind !== "reply") throw error;
      this.#owner.failed(error);
      const reply = failedAttempt("internal_error", `The reply could not be dealt with: ${messageOf(error)}`);
      // Had it been dealt with after all, this one comes too late.
      await this.#owner.take({ ...input, reply });
    }
  }

  /** Fills the free place. Jobs that were dropped while they waited for it are not called any more (CR-1). */
  #next(): void {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (this.#counts(next)) return this.deliver(next);
      this.#delivering.delete(next.id);
    }
  }

  #counts(job: Job): boolean {
    const state = this.#owner.state();
    return state !== null && isCurrent(state, fenceOf(job));
  }

  async #perform(state: RunState, job: Job): Promise<Input> {
    return (await this.#hindrance(state, job)) ?? (await this.#call(state, job));
  }

  /** What the run has to learn before it calls, when it is not to call now: its function is paused (CR-15). */
  async #hindrance(state: RunState, job: Job): Promise<Input | null> {
    const standing = await standingOf(this.#bindings, state);
    const now = this.#owner.state() ?? state;
    const news = standing !== undefined && concerns(now, standing);
    if (this.#counts(job) && now.cancelling === null && now.suspended === null && !news) return null;
    return { kind: "wake", delivering: this.#delivering, executing: this.#executing, standing };
  }

  async #call(state: RunState, job: Job): Promise<Input> {
    const fence = fenceOf(job);
    const began = Date.now();
    if (!job.request || job.stepId === null) {
      counters.calls++;
      const reply = await callApp(this.#bindings, state, job, this.#executing.size > CALL.direct);
      this.#remember(reply);
      return { kind: "reply", fence, reply, call: { began, ...reply.exchange } };
    }
    const parsed = this.#requests.get(job.stepId);
    if (parsed === undefined) return { kind: "forgotten", fence };
    const outcome = await this.#request(parsed);
    // Credentials stay no longer than there is an attempt left that could need them.
    const last = outcome.ok || !outcome.retriable || job.attempt + 1 >= maxAttempts(state);
    if (last) this.#requests.delete(job.stepId);
    return {
      kind: "answered",
      fence,
      outcome,
      call: parsed.ok ? requestFacts(parsed.request, outcome, began) : { began },
    };
  }

  async #request(parsed: ParsedRequest): Promise<RequestOutcome> {
    if (!parsed.ok) return refusedRequest(parsed.kind, parsed.message);
    const context = { policy: fetchTargetPolicy(settingsOf(this.#bindings)), now: Date.now() };
    if (this.#executing.size <= CALL.direct) return await performRequest(parsed.request, context);
    return await this.#bindings.CALLER.perform(parsed.request, context);
  }

  #remember(reply: CallReply): void {
    if (reply.kind !== "ops") return;
    const state = this.#owner.state();
    for (const op of reply.ops) {
      if (op.op !== "request") continue;
      const input = state === null ? null : requestInput(state, op.id);
      const options = input === null ? op.opts : editedOptions(op.via, op.opts, input);
      this.#requests.set(op.id, parseGatewayRequest(op.via, options));
    }
  }
}
