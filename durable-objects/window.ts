/**
 * Window: what must be remembered for a limited time about one key: a sender's event id, or what a function's option keeps for one value.
 * Owns the alarm and which kind the object is; each kind is a file in `window/`.
 * Guarantees that an answer is given only when its decision is stored, and that nothing of the object is left when its time is over.
 */
import { DurableObject } from "cloudflare:workers";
import type { Bindings } from "../src/bindings.ts";
import { counters } from "../src/counters.ts";
import type { BatchOptions } from "../src/decide/window/batch.ts";
import type { ClaimAnswer, Standing } from "../src/decide/window/claim.ts";
import type { DebounceOptions } from "../src/decide/window/debounce.ts";
import type { RateLimit } from "../src/decide/window/rate-limit.ts";
import type { Heard, SingletonAnswer, SingletonMode } from "../src/decide/window/singleton.ts";
import { messageOf } from "../src/errors.ts";
import type { Join, OpenWindow } from "../src/events/gathering.ts";
import { FANOUT } from "../src/limits.ts";
import { windowNamed } from "../src/objects.ts";
import { CountedSql } from "./counted-sql.ts";
import { isLost } from "./lost-alarm.ts";
import { BatchTable } from "./window/batch-table.ts";
import { DebounceTable } from "./window/debounce-table.ts";
import { EventIdWindow } from "./window/event-id.ts";
import { GatherWindow } from "./window/gather-window.ts";
import type { Part, PartContext } from "./window/part.ts";
import { RateLimitWindow } from "./window/rate-limit.ts";
import { SingletonWindow } from "./window/singleton.ts";

// The platform keeps long names to itself, and only a sender's id may be that long.
const UNNAMED = { environmentId: "", kind: "event-id", functionId: "" } as const;

export class Window extends DurableObject<Bindings> {
  readonly #eventId: EventIdWindow;
  readonly #rateLimit: RateLimitWindow;
  readonly #singleton: SingletonWindow;
  readonly #batch: GatherWindow<BatchOptions>;
  readonly #debounce: GatherWindow<DebounceOptions>;
  readonly #part: Part;

  constructor(ctx: DurableObjectState, env: Bindings) {
    super(ctx, env);
    const named = ctx.id.name === undefined ? UNNAMED : windowNamed(ctx.id.name);
    if (named === null) throw new Error(`No window has the name ${ctx.id.name}.`);
    const context: PartContext = {
      storage: ctx.storage,
      bindings: env,
      name: ctx.id.name ?? "",
      environmentId: named.environmentId,
      functionId: named.functionId,
      setAlarm: (at) => this.#setAlarm(at),
    };
    this.#eventId = new EventIdWindow(context);
    this.#rateLimit = new RateLimitWindow(context);
    this.#singleton = new SingletonWindow(context);
    this.#batch = new GatherWindow(context, "batch", (sql) => new BatchTable(sql));
    this.#debounce = new GatherWindow(context, "debounce", (sql) => new DebounceTable(sql));
    const parts: Record<typeof named.kind, Part> = {
      "event-id": this.#eventId,
      "rate-limit": this.#rateLimit,
      idempotency: this.#rateLimit,
      singleton: this.#singleton,
      batch: this.#batch,
      debounce: this.#debounce,
      request: this.#eventId,
    };
    this.#part = parts[named.kind];
  }

  // schema and load: the tables' own files.

  // methods

  /**
   * Claims the id for an event (internal id) and says where it stands. Answers late, by at most `EVENT.claimGrace`, while the first
   * event with the id is still being started: only then is it known whether there is anything left to do.
   */
  async claim(internalId: string): Promise<Standing> {
    counters.objectRequests++;
    return await this.#eventId.claim(internalId);
  }

  /** {@link claim} for somebody who has others to see to: answered at once, with `wait` while it cannot be known. */
  ask(internalId: string): ClaimAnswer {
    counters.objectRequests++;
    return this.#eventId.ask(internalId, Date.now());
  }

  /** The runs of the event that claimed the id are durable: from now on every other event with it is a duplicate. */
  settle(internalId: string): void {
    counters.objectRequests++;
    this.#eventId.settle(internalId);
  }

  /** The id under which everything acts that a request asked for, however often it is sent within 24 h (CR-28): that of the first. */
  first(id: string): string {
    counters.objectRequests++;
    return this.#eventId.first(id, Date.now());
  }

  /** Whether the start `id` of an event that came at `at` (ms since 1970) passes the limit (FC-19, FC-21). The same id gets the same answer. */
  pass(id: string, at: number, limit: RateLimit): boolean {
    counters.objectRequests++;
    return this.#rateLimit.pass(id, at, limit);
  }

  /** Claims the singleton for a run that is about to start (FC-37). The same run gets the same answer. */
  async claimSingleton(runId: string, mode: SingletonMode): Promise<SingletonAnswer> {
    counters.objectRequests++;
    return await this.#singleton.claim(runId, mode);
  }

  /** A run that claimed the singleton has ended, or does not exist although it was let in. Repeatable. */
  async leaveSingleton(runId: string, why: Exclude<Heard, "alive">): Promise<void> {
    counters.objectRequests++;
    await this.#singleton.leave(runId, why);
  }

  /** Lets events join a batch or a debounce window, and answers the id of each one's run. An event that joined before stays where it is. */
  async join(join: Join): Promise<string[]> {
    counters.objectRequests++;
    return await (join.kind === "batch" ? this.#batch.join(join) : this.#debounce.join(join));
  }

  /** The window in which events gather at the moment; null when none is open (FC-28). */
  async openWindow(): Promise<OpenWindow | null> {
    counters.objectRequests++;
    return await this.#gathering().open();
  }

  /** Closes that window now and begins its run. The run's id; null when none is open. */
  async closeWindow(): Promise<string | null> {
    counters.objectRequests++;
    return await this.#gathering().closeNow();
  }

  /** Sets the alarm again, should the platform have given it up; called by the sweep. False when nothing is held here. */
  async rouse(): Promise<boolean> {
    counters.objectRequests++;
    const now = Date.now();
    const alarm = await this.ctx.storage.getAlarm();
    const holds = new CountedSql(this.ctx.storage).hasAny();
    if (holds && isLost(alarm, now)) this.#setAlarm(now);
    return holds;
  }

  #gathering(): GatherWindow<BatchOptions> | GatherWindow<DebounceOptions> {
    return this.#part === this.#batch ? this.#batch : this.#debounce;
  }

  // alarm

  /** Does what is due. Never throws: the platform drops an alarm that keeps failing. */
  override async alarm(): Promise<void> {
    counters.alarms++;
    try {
      await this.#part.wake(Date.now());
    } catch (error) {
      console.error(`window ${this.ctx.id.name}: alarm failed and is set again: ${messageOf(error)}`);
      this.#setAlarm(Date.now() + FANOUT.retry);
    }
  }

  // apply

  // Not awaited, so that it belongs to the same commit as what was written before it.
  #setAlarm(at: number): void {
    counters.rowsWritten++;
    void this.ctx.storage.setAlarm(at);
  }
}
