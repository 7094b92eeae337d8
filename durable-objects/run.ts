/**
 * One run: everything that can be asked of it or told to it from outside. Each method hands an input to the run's core (`run-core.ts`), which
 * decides and commits, or reads its state; none does more. Guarantees that all of them can be repeated.
 */
import { DurableObject } from "cloudflare:workers";
import type { Bindings } from "../src/bindings.ts";
import type { Held, LineRef, Needs } from "../src/decide/capacity/line.ts";
import type { Cancelled } from "../src/decide/run/cancellation.ts";
import type { FinishDetails } from "../src/decide/run/change.ts";
import { start } from "../src/decide/run/decide.ts";
import { type EndpointReport, type Reported, receive } from "../src/decide/run/endpoint.ts";
import type { CancelCause } from "../src/decide/run/flow.ts";
import { type CopiedStep, copiesOf, type Origin, originOf } from "../src/decide/run/fork.ts";
import type { RunIdentity } from "../src/decide/run/identity.ts";
import { concerns, type Standing } from "../src/decide/run/pausing.ts";
import { viewOf } from "../src/decide/run/report.ts";
import { memoOf, type ResponseHead } from "../src/decide/run/state.ts";
import type { Cause } from "../src/decide/run/why.ts";
import type { AcceptedEvent, EventPayload } from "../src/events/event.ts";
import type { RunReport } from "../src/history/message.ts";
import type { RunView } from "../src/history/view.ts";
import type { Json, JsonObject } from "../src/json.ts";
import type { Checkpoint } from "../src/protocol/checkpoint.ts";
import type { EndpointResult } from "../src/protocol/endpoint-output.ts";
import type { MetadataChange } from "../src/protocol/metadata.ts";
import { type Kin, kinOf } from "../src/runs/kin.ts";
import { momentOf } from "../src/runs/moment.ts";
import { type Birth, takeResults } from "../src/runs/take-over.ts";
import { askWhy } from "../src/runs/why.ts";
import { foldLog } from "../src/traces/fold.ts";
import { keepsFor, type LoadedOutput, outputNamed } from "../src/traces/output.ts";
import type { Keeps, RunRecord } from "../src/traces/records.ts";
import type { Trace } from "../src/traces/span.ts";
import { drawTrace, keepsForTrace } from "../src/traces/trace.ts";
import type { UserlandSpan } from "../src/traces/userland.ts";
import { readLog } from "./log.ts";
import { RunCore } from "./run-core.ts";
import { UserlandSpans } from "./userland-spans.ts";

export class Run extends DurableObject<Bindings> {
  // schema: `log.ts`; load and apply: `run-core.ts`.

  readonly #run = new RunCore(this.ctx, this.env);
  readonly #spans = new UserlandSpans(this.ctx.storage);

  // methods

  /**
   * Begins the run, with the results it takes over from its original (CR-26). Idempotent: a run that exists is left alone. Resolves when it is
   * durable (EV-8) and no event that cancels it can be missed.
   */
  async start(identity: RunIdentity): Promise<Birth> {
    // Whoever repeats the start of a deleted run is to be done with it.
    if (this.#run.request() === null && this.#run.isErased()) return "started";
    const copies = this.#run.load() === null ? await takeResults(this.env, identity) : [];
    if (typeof copies === "string") return copies;
    // Somebody else may have started it meanwhile.
    if (this.#run.load() === null) await this.#run.apply(start(identity, momentOf(this.env, identity), copies));
    await this.#run.effects.registrations.listen(this.#run.load());
    return "started";
  }

  /** Cancels the run, whatever it does (CR-1). Resolves when that is durable, and when the children that go with it are cancelled too (EX-54). */
  async cancel(cause: CancelCause): Promise<Cancelled> {
    this.#run.request();
    return await this.#run.effects.cancel(cause);
  }

  /** Takes note of its function's pauses (CR-15, CR-16). Telling it what it knows changes nothing. */
  async heed(standing: Standing): Promise<void> {
    const state = this.#run.request();
    if (state !== null && concerns(state, standing)) await this.#run.take(this.#run.effects.look(state, standing));
  }

  /** The run as it is now; null when this object holds none. */
  view(): RunView | null {
    const state = this.#run.request();
    return state === null ? null : viewOf(state, this.#run.effects.leases.waiting(state));
  }

  /** Why it is not moving (BY-12); null when this object holds no run, nothing when it has ended. */
  async why(): Promise<Cause[] | null> {
    const state = this.#run.request();
    return state === null ? null : await askWhy(this.env, state, this.#run.effects);
  }

  /** Its trace; `outputs`: with those that are small (OB-11). Null when this object holds no run. */
  traced(outputs: boolean): Trace | null {
    const record = this.#record(keepsForTrace());
    if (record === null) return null;
    const inFlight = this.#run.effects.calls.since;
    return drawTrace(record, { inFlight, userland: this.#spans.stored(), outputs });
  }

  /** The output behind a span (OB-11); null when there is none with this id. */
  output(id: string): LoadedOutput | null {
    const record = this.#record(keepsFor(id));
    return record === null ? null : outputNamed(record, id);
  }

  /** Keeps spans that the app sent (API-34); those beyond the limits are counted. False when this object holds no run. */
  keepSpans(spans: readonly UserlandSpan[]): boolean {
    if (this.#run.request() === null) return false;
    this.#spans.keep(spans);
    return true;
  }

  #record(keeps: Keeps): RunRecord | null {
    return this.#run.request() === null ? null : foldLog(readLog(this.ctx.storage.sql), keeps);
  }

  /** The trigger events as functions see them; null when this object holds no run. */
  events(): EventPayload[] | null {
    return this.#run.request()?.identity.events.map(({ event }) => event.payload) ?? null;
  }

  /** {@link view} when the run has ended, or after `patience` ms (API-14). */
  async end(patience: number): Promise<RunView | null> {
    await this.#run.results.end(patience);
    return this.view();
  }

  /** The run as the origin of another one (CR-21); `names` are ids that the wanted step may have. Null when this object holds no run. */
  origin(names: readonly string[]): Origin | null {
    const state = this.#run.request();
    return state === null ? null : originOf(state, names);
  }

  /** Results from place `from` of its stack up to `to`, as many as fit one answer; null when this object holds no run. */
  copies(from: number, to: number): CopiedStep[] | null {
    const state = this.#run.request();
    return state === null ? null : copiesOf(state, from, to);
  }

  /** The results of finished steps by id; null when this object holds no run. */
  actions(): JsonObject | null {
    const state = this.#run.request();
    return state === null ? null : memoOf(state);
  }

  /** Stores what a call under way has finished (EX-66). `stale`: that call is no longer the one that counts. */
  async checkpoint(checkpoint: Checkpoint): Promise<"stored" | "stale" | "unknown"> {
    this.#run.request();
    return await this.#run.effects.checkpoint(checkpoint);
  }

  /** Takes a report of the app's own handler; its first one begins the run (EX-68). */
  async endpoint(report: EndpointReport): Promise<Reported> {
    const state = this.#run.request();
    if (state === null && this.#run.isErased()) return "ended";
    const moment = momentOf(this.env, state?.identity ?? report.identity);
    const { reported, decided } = receive(state, report, moment);
    if (decided !== null) await this.#run.apply(decided);
    return reported;
  }

  /** Status and headers of an endpoint's response, told apart from its body. */
  async respond(head: ResponseHead): Promise<void> {
    this.#run.request();
    await this.#run.take({ kind: "responded", head });
  }

  /** The result of an endpoint's run, waited for at most `patience` ms (EX-69). */
  async result(patience: number): Promise<EndpointResult> {
    this.#run.request();
    return await this.#run.results.wait(patience);
  }

  /** A listener of the run's channel follows these of its topics from now on (BY-9). A run that does not exist has nothing to tell. */
  follow(topics: readonly string[], listener: string): void {
    const state = this.#run.request();
    if (state !== null) this.#run.publications.follow(state, topics, listener, Date.now());
  }

  /** Offers an event to a waiting step, or to a cancel listener. False when that still waits: this was not the event (EX-43, CR-2). */
  async offerEvent(stepId: string, event: AcceptedEvent): Promise<boolean> {
    this.#run.request();
    return await this.#run.effects.offer(stepId, event);
  }

  /** Ends a waiting step: a signal came, or the invoked run ended. A step that no longer waits ignores it. */
  async resolve(stepId: string, memo: Json, by?: FinishDetails["by"]): Promise<void> {
    this.#run.request();
    await this.#run.take({ kind: "resolved", stepId, memo, ...(by === undefined ? {} : { by }) });
  }

  /** One of its lines tells what the run holds there (FC-1). Answers what it needs; null when it needs nothing any more. */
  capacity(line: LineRef, held: Held): Needs {
    return this.#run.request() === null ? null : this.#run.told(line, held);
  }

  /** Writes metadata from outside a step, also after the run's end (EX-72). */
  async annotate(changes: readonly MetadataChange[]): Promise<"stored" | "too_large" | "unknown"> {
    this.#run.request();
    return await this.#run.effects.annotate(changes);
  }

  /** The run's report, for a consumer whose message only carried a reference. */
  async report(): Promise<RunReport | null> {
    const state = this.#run.request();
    return state === null ? null : await this.#run.effects.reporter.reportOf(state);
  }

  /** History has the row of this sequence. */
  async confirm(sequence: number): Promise<void> {
    const state = this.#run.request();
    if (state === null || state.outcome === null || state.sequence !== sequence) return;
    await this.#run.settle(state, state.outcome.at);
  }

  /**
   * Does what is due, should the platform have given up the alarm for it (I4). When it is to be looked at next, ms since 1970; null when this
   * object holds no run.
   */
  async rouse(): Promise<number | null> {
    this.#run.request();
    return await this.#run.rouse();
  }

  /** Leaves nothing behind when its retention is over (OB-24). False when it has to stay. */
  async expire(): Promise<boolean> {
    const state = this.#run.request();
    if (state === null) return true;
    if (!this.#run.isOver(state)) return false;
    await this.#run.remove();
    return true;
  }

  /** What it led to (OB-25); null when this object holds no run. */
  async kin(): Promise<Kin | null> {
    const state = this.#run.request();
    return state === null ? null : await kinOf(state, readLog(this.ctx.storage.sql));
  }

  /** Leaves nothing of the run but that it was deleted on request (OB-25). False while it has not ended. */
  async erase(): Promise<boolean> {
    this.#run.request();
    return await this.#run.erase();
  }

  // alarm

  /** Whatever is due. Never fails for a reason of its own: a platform alarm that fails often enough is dropped. */
  override async alarm(): Promise<void> {
    await this.#run.fired();
  }
}
