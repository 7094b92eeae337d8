/**
 * The calls of one run that are in flight in this instance of its object, and the requests the engine is to make for it.
 * Owns how many run at once; knows no storage. Requests are only ever in memory, because they may hold credentials (SE-14):
 * when one is missing, the run is told so and asks its app again.
 */
import type { Bindings } from "../bindings.ts";
import { counters } from "../counters.ts";
import type { Input } from "../decide/run/decide.ts";
import type { RequestOutcome } from "../decide/run/resolution.ts";
import { fenceOf, type Job, maxAttempts, type RunState } from "../decide/run/state.ts";
import { CALL } from "../limits.ts";
import type { CallReply } from "../protocol/call-reply.ts";
import { parseGatewayRequest } from "../protocol/gateway-request.ts";
import { settingsOf } from "../settings.ts";
import { fetchTargetPolicy } from "./address.ts";
import { callApp } from "./call.ts";
import { performRequest, refusedRequest } from "./gateway.ts";

type ParsedRequest = ReturnType<typeof parseGatewayRequest>;

/** What a pool needs of the run it works for. */
export interface PoolOwner {
  /** The run as it is now; null when there is none. */
  state(): RunState | null;
  /** Takes what a call brought; resolves when it is committed. */
  take(input: Input): Promise<void>;
  /** Reports a failure that nobody waits for. */
  failed(error: unknown): void;
}

export class CallPool {
  readonly #bindings: Bindings;
  readonly #owner: PoolOwner;
  readonly #delivering = new Set<number>();
  readonly #waiting: Job[] = [];
  readonly #requests = new Map<string, ParsedRequest>();
  #running = 0;

  constructor(bindings: Bindings, owner: PoolOwner) {
    this.#bindings = bindings;
    this.#owner = owner;
  }

  /** Jobs being delivered here, including those that wait for a free place. */
  get delivering(): ReadonlySet<number> {
    return this.#delivering;
  }

  /** Delivers a job as soon as a place is free. */
  deliver(job: Job): void {
    this.#delivering.add(job.id);
    if (this.#running >= CALL.concurrent) this.#waiting.push(job);
    else this.#run(job).catch((error: unknown) => this.#owner.failed(error));
  }

  async #run(job: Job): Promise<void> {
    const state = this.#owner.state();
    if (state === null) return;
    this.#running++;
    const input = await this.#perform(state, job).finally(() => {
      this.#running--;
      this.#delivering.delete(job.id);
      const next = this.#waiting.shift();
      if (next !== undefined) this.deliver(next);
    });
    await this.#owner.take(input);
  }

  async #perform(state: RunState, job: Job): Promise<Input> {
    const fence = fenceOf(job);
    if (!job.request || job.stepId === null) {
      counters.calls++;
      const reply = await callApp(this.#bindings, state, job, this.#running > CALL.direct);
      this.#remember(reply);
      return { kind: "reply", fence, reply };
    }
    const parsed = this.#requests.get(job.stepId);
    if (parsed === undefined) return { kind: "forgotten", fence };
    const outcome = await this.#request(parsed);
    // Credentials stay no longer than there is an attempt left that could need them.
    const last = outcome.ok || !outcome.retriable || job.attempt + 1 >= maxAttempts(state);
    if (last) this.#requests.delete(job.stepId);
    return { kind: "answered", fence, outcome };
  }

  async #request(parsed: ParsedRequest): Promise<RequestOutcome> {
    if (!parsed.ok) return refusedRequest(parsed.kind, parsed.message);
    const context = { policy: fetchTargetPolicy(settingsOf(this.#bindings)), now: Date.now() };
    if (this.#running <= CALL.direct) return await performRequest(parsed.request, context);
    return await this.#bindings.CALLER.perform(parsed.request, context);
  }

  #remember(reply: CallReply): void {
    if (reply.kind !== "ops") return;
    for (const op of reply.ops) {
      if (op.op === "request") this.#requests.set(op.id, parseGatewayRequest(op.via, op.opts));
    }
  }
}
