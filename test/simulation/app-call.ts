/**
 * One call of the app: bodies that take their time, checkpoints in between, and the reply. Owns what an SDK does in which order
 * (protocol/03, protocol/09 §9.2), and what becomes of the connection meanwhile.
 */
import { isPlanningForced, memoOf } from "../../src/decide/run/state.ts";
import type { Json } from "../../src/json.ts";
import { type CallReply, failedAttempt } from "../../src/protocol/call-reply.ts";
import type { Op } from "../../src/protocol/opcodes.ts";
import { type App, type AppFunction, DEADLINE, type Incoming } from "./app.ts";
import { enter, type RunPart, stepOf } from "./program.ts";

/** ms a call takes that executes no body. */
const BETWEEN = 1;

/** ms after which a call that checkpoints begins no further step (protocol/09 §9.2). */
const LONGEST = 10_000;

/** More steps than any function has. */
const MAX_STEPS = 1000;

export class AppCall {
  readonly #app: App;
  readonly #function: AppFunction;
  readonly #incoming: Incoming;
  readonly #memo: Map<string, Json>;
  #begunAt = 0;
  /** When the connection broke, ms. */
  #brokenAt: number | null = null;
  #silent = false;
  /** It has gone on with results of its own. */
  #isAhead = false;

  constructor(app: App, fn: AppFunction, incoming: Incoming) {
    this.#app = app;
    this.#function = fn;
    this.#incoming = incoming;
    this.#memo = new Map(Object.entries(memoOf(incoming.state)));
  }

  get #now(): number {
    return this.#app.surroundings.agenda.now;
  }

  /** It has arrived, and the app goes to work. */
  arrive(): void {
    const { mishaps, faults } = this.#app.surroundings;
    this.#begunAt = this.#now;
    const { broken, silent } = faults();
    const where = () => `a call of run ${this.#incoming.state.identity.runId}`;
    if (this.#incoming.isShadow) return this.#goOn();
    if (mishaps.happens(broken, "app connection broken", where)) {
      this.#break(mishaps.between(1, 3000), "The connection was reset.");
    } else if (mishaps.happens(silent, "app silent", where)) {
      this.#silent = true;
      this.#break(DEADLINE, "No answer in time.");
    }
    this.#goOn();
  }

  #goOn(): void {
    const { state, job } = this.#incoming;
    const { runId } = state.identity;
    const reached = enter(this.#function.parts, this.#memo, {
      stepId: job.stepId,
      planning: isPlanningForced(state, job, MAX_STEPS),
      failures: (id) => this.#app.failures(runId, id),
    });
    switch (reached.at) {
      case "body":
        if (this.#now - this.#begunAt > LONGEST) return this.#reply([{ op: "planned", ...stepOf(reached.part.id) }]);
        return this.#body(reached.part);
      case "ops":
        return this.#reply(reached.ops);
      case "end": {
        const output = this.#app.value(`out ${runId}`);
        this.#record({ step: null, ms: BETWEEN, value: output, announced: [] });
        return this.#after(BETWEEN, () => this.#answer({ kind: "output", output, version: 2 }));
      }
      case "throw":
        this.#app.failures(runId, reached.id, 1);
        return this.#fail(`thrown at ${reached.id}`, false);
      case "failed":
        return this.#fail(`step ${reached.id} failed`, true);
    }
  }

  #body(part: RunPart): void {
    const { state } = this.#incoming;
    const { environmentId, runId, events } = state.identity;
    const fails = this.#app.failures(runId, part.id) < (part.fails ?? 0);
    const value = fails ? null : this.#app.value(part.id);
    this.#record({ step: part.id, ms: part.ms, value, announced: [] });
    this.#after(part.ms, () => {
      if (fails) {
        this.#app.failures(runId, part.id, 1);
        const error = { name: "Error", message: `body of ${part.id} failed` };
        return this.#reply([{ op: "error", error, ...stepOf(part.id) }]);
      }
      const finished = () => this.#finished(part.id, value);
      if (part.sends === undefined) return finished();
      const { key = null, canary = null } = events[0]?.event.payload.data ?? {};
      this.#app.surroundings.send(environmentId, part.sends, { key, canary, value }, finished);
    });
  }

  #finished(id: string, data: Json): void {
    const op: Op = { op: "run", data, ...stepOf(id) };
    const { state, job } = this.#incoming;
    // A planning or repeated call, and one for a single step, bring their result in the reply (protocol/09 §9.2).
    const goesOn = this.#function.checkpoints && job.stepId === null && job.attempt === 0;
    if (!goesOn) return this.#reply([op]);
    const { environmentId, runId, function: fn } = state.identity;
    const checkpoint = { functionId: fn.id, job: job.id, generation: job.generation, ops: [op] };
    this.#app.surroundings.checkpoint(environmentId, runId, checkpoint, (outcome) => {
      if (outcome !== "stored") return this.#answer(replyOf([{ op: "none" }]));
      this.#memo.set(id, { data });
      this.#isAhead = true;
      this.#goOn();
    });
  }

  #fail(message: string, noRetry: boolean): void {
    this.#record({ step: null, ms: BETWEEN, value: null, announced: [] });
    const error = { name: "Error", message };
    this.#after(BETWEEN, () => this.#answer({ kind: "error", error, version: 2, noRetry, retryAt: null }));
  }

  #reply(ops: readonly Op[]): void {
    const [only] = ops;
    // What a body reports was in the ledger when it began.
    if (only !== undefined && (only.op === "run" || only.op === "error")) return this.#answer(replyOf(ops));
    const announced = ops.flatMap((op) => ("id" in op && op.op !== "planned" ? [op.id] : []));
    this.#record({ step: null, ms: BETWEEN, value: null, announced });
    this.#after(BETWEEN, () => this.#answer(replyOf(ops)));
  }

  #answer(reply: CallReply): void {
    if (this.#silent || this.#brokenAt !== null) return;
    if (reply.kind === "output" && !this.#incoming.isShadow) this.#app.ended.add(this.#incoming.state.identity.runId);
    this.#incoming.answer(reply);
  }

  #break(ms: number, message: string): void {
    this.#after(ms, () => {
      this.#brokenAt = this.#now;
      this.#incoming.answer(failedAttempt("app_unreachable", message));
    });
  }

  #after(ms: number, work: () => void): void {
    this.#app.surroundings.agenda.after(ms, work, null, "outside");
  }

  #record(done: { step: string | null; ms: number; value: Json; announced: readonly string[] }): void {
    const { number, state, job, caller, isDoubled, isShadow } = this.#incoming;
    const { identity } = state;
    const [first] = identity.events;
    const { step, ms, value, announced } = done;
    this.#app.ledger.push({
      call: number,
      environmentId: identity.environmentId,
      functionId: identity.function.slug,
      runId: identity.runId,
      step,
      attempt: job.attempt,
      data: first?.event.payload.data ?? {},
      name: first?.event.payload.name ?? "",
      events: identity.events.map(({ event }) => event.internalId),
      from: this.#now,
      until: this.#now + ms,
      isShadow,
      memo:
        isDoubled && this.#isAhead
          ? new Map()
          : new Map([...this.#memo].map(([id, memo]) => [id, JSON.stringify(memo)])),
      value: value === null ? null : JSON.stringify(value),
      announced,
      brokenAt: () => this.#brokenAt,
      orphanedAt: () => caller?.diedAt ?? null,
    });
  }
}

function replyOf(ops: readonly Op[]): Extract<CallReply, { kind: "ops" }> {
  return { kind: "ops", ops, version: 2, noRetry: false, retryAt: null };
}
