/**
 * Capacity: one line (FC-4, FC-15): who holds units of one limit, who waits for them and in which order, or when the next start is due.
 * A thin shell around `src/decide/capacity`: it stores what the line decides, tells the runs concerned, and wakes the line when it is due.
 * Guarantees that nobody is told anything that is not durable, that an alarm is set while anybody waits or has to be told, and that a line
 * nobody waits in has no alarm and costs one row for each run that comes and one for each that goes.
 */
import { DurableObject } from "cloudflare:workers";
import type { Bindings } from "../src/bindings.ts";
import { counters } from "../src/counters.ts";
import type { Claim, Held, LineLimit, LineRef } from "../src/decide/capacity/line.ts";
import {
  type LineLoad,
  type LineView,
  loadOf,
  type PlaceInLine,
  placeInLine,
  viewOf,
} from "../src/decide/capacity/view.ts";
import { WaitingLine } from "../src/decide/capacity/waiting-line.ts";
import { messageOf } from "../src/errors.ts";
import { CAPACITY } from "../src/limits.ts";
import { lineNamed } from "../src/objects.ts";
import { LineStore } from "./capacity/line-store.ts";
import { Listing } from "./capacity/listing.ts";
import { RunCalls } from "./capacity/run-calls.ts";
import { CountedSql } from "./counted-sql.ts";
import { isLost } from "./lost-alarm.ts";

/** The line as this instance has it. */
interface Loaded {
  readonly line: WaitingLine;
  readonly store: LineStore;
}

export class Capacity extends DurableObject<Bindings> {
  readonly #sql = new CountedSql(this.ctx.storage);
  readonly #named;
  readonly #listing: Listing;
  readonly #calls = new RunCalls(this.env, {
    next: () => this.#nextCall(),
    answered: (call, needs) => this.#turn(({ line }) => line.answered(call, needs, this.#moment())),
    failed: (call, error) => {
      console.error(`${this.#title}: run ${call.member.runId} was not told: ${messageOf(error)}`);
      this.#turn(({ line }) => line.unanswered(call, Date.now()));
    },
  });
  #loaded: Loaded | null = null;
  /** What the line is, as claims say; null until one came or it was found in its row. */
  #ref: LineRef | null = null;
  /** The time the alarm is set to; null without any. */
  #alarm: number | null = null;
  readonly #ready: Promise<void>;
  /** Since when nobody waits or has to be told; null while somebody does, and when it was so before this instance. */
  #quietSince: number | null = null;

  constructor(ctx: DurableObjectState, env: Bindings) {
    super(ctx, env);
    const name = ctx.id.name ?? "";
    const named = lineNamed(name);
    if (named === null) throw new Error(`No line is kept under the name ${name}.`);
    this.#named = named;
    this.#listing = new Listing(env, {
      name,
      ref: () => this.#ref,
      relimit: (functionId, limit) => this.#turn(({ line }) => line.relimit(functionId, limit, this.#moment())),
      waiting: () => waitingIn(this.#load()),
      listed: () => this.#load().store.mark.listed,
      save: (listed) => this.#load().store.saveMark({ ref: this.#ref, listed }),
    });
    // An alarm that is set too late would never fire if it were moved by every instance anew.
    this.#ready = ctx.storage.getAlarm().then((at) => {
      this.#alarm = at;
    });
  }

  // schema: `capacity/line-store.ts`.

  // load

  #load(): Loaded {
    if (this.#loaded !== null) return this.#loaded;
    const store = new LineStore(this.#sql);
    this.#ref ??= store.mark.ref;
    this.#loaded = { store, line: new WaitingLine(this.#named.counts, store.load(), Date.now()) };
    return this.#loaded;
  }

  // methods

  /** Takes what a run says it uses and wants, and answers what it holds from now on. What is granted later is told to `Run.capacity`. */
  async claim(ref: LineRef, claim: Claim): Promise<Held> {
    await this.#request();
    this.#ref ??= ref;
    return this.#turn(({ line }) => line.claim(claim, this.#moment()));
  }

  /** A function's limit is another one (FC-11): whoever may go now goes. One that is older than the known one changes nothing. */
  async relimit(functionId: string, limit: LineLimit): Promise<void> {
    await this.#request();
    this.#turn(({ line }) => line.relimit(functionId, limit, this.#moment()));
  }

  /**
   * What the line is and how much goes on in it; null when nobody has waited in it lately. `listed`: it is to be found in the function's
   * directory.
   */
  async summary(functionId: string): Promise<(LineLoad & { readonly line: LineRef; readonly listed: boolean }) | null> {
    await this.#request();
    const { line, store } = this.#load();
    const { ref, listed } = store.mark;
    return ref === null ? null : { ...loadOf(line, Date.now()), line: ref, listed: listed.has(functionId) };
  }

  /** Who is in the line (BY-11), as the environment may see it. */
  async view(environmentId: string): Promise<LineView> {
    await this.#request();
    return viewOf(this.#load().line, environmentId, Date.now());
  }

  /** Where a run stands (BY-10, BY-12); null when it is not in the line. */
  async standing(environmentId: string, runId: string): Promise<PlaceInLine | null> {
    await this.#request();
    return placeInLine(this.#load().line, { environmentId, runId }, Date.now());
  }

  /** Sets the alarm again, should the platform have given it up; called by the sweep. False when nothing is held here. */
  async rouse(): Promise<boolean> {
    await this.#request();
    const lost = isLost(await this.ctx.storage.getAlarm(), Date.now());
    const loaded = this.#load();
    if (lost) this.#alarm = null;
    if (lost) this.#arm(loaded);
    return loaded.store.mark.ref !== null || loaded.line.roster.size > 0;
  }

  async #request(): Promise<void> {
    counters.objectRequests++;
    await this.#ready;
  }

  // alarm

  /** Does what is due. Never throws: the platform drops an alarm that keeps failing. */
  override async alarm(): Promise<void> {
    counters.alarms++;
    try {
      await this.#ready;
      this.#alarm = null;
      // Of a line that was quiet before this instance nobody knows since when: it was woken to be cleared away.
      const isNews = this.#loaded === null;
      this.#turn(({ line }) => line.wake(this.#moment()));
      if (isNews || this.#isOver(Date.now())) await this.#tidy();
    } catch (error) {
      console.error(`${this.#title}: alarm failed: ${messageOf(error)}`);
      this.#set(Date.now() + CAPACITY.retry.first);
    }
  }

  /** Clears away what a line leaves behind that nobody waits in any more. */
  async #tidy(): Promise<void> {
    if (!isQuiet(this.#load())) return;
    await this.#listing.leave();
    const loaded = this.#load();
    const isNeeded = loaded.line.roster.size > 0 || (loaded.line.starts?.idleAt() ?? 0) > Date.now();
    if (isNeeded || !isQuiet(loaded)) return this.#arm(loaded);
    const deleted = this.ctx.storage.deleteAll();
    this.#loaded = null;
    this.#ref = null;
    this.#alarm = null;
    await deleted;
  }

  // apply

  /** One commit, and what follows from it. After a failure everything is read anew: what is in memory may not be what is stored. */
  #turn<T>(work: (loaded: Loaded) => T): T {
    const result = this.#commit(work);
    this.#listing.review();
    this.#calls.advance();
    return result;
  }

  #commit<T>(work: (loaded: Loaded) => T): T {
    const loaded = this.#load();
    try {
      const result = work(loaded);
      this.#save(loaded);
      return result;
    } catch (error) {
      this.#loaded = null;
      throw error;
    }
  }

  #save({ line, store }: Loaded): void {
    this.#sql.transaction(() => {
      store.save(line.takeChanges());
      if (store.mark.ref === null && !isQuiet({ line })) store.saveMark({ ...store.mark, ref: this.#ref });
    });
    this.#arm({ line, store });
  }

  /** An alarm that is set too early only wakes for nothing; each move is a written row. */
  #arm({ line, store }: Loaded): void {
    const now = Date.now();
    this.#quietSince = isQuiet({ line }) ? (this.#quietSince ?? now) : null;
    const times = [line.dueAt(now), this.#tidyAt({ line, store })].filter((time) => time !== null);
    const due = Math.min(...times);
    if (times.length > 0 && (this.#alarm === null || due < this.#alarm)) this.#set(due);
  }

  /** When the line can be cleared away, ms; null while it is in use, or was never more than that. */
  #tidyAt({ line, store }: Loaded): number | null {
    const { ref, listed } = store.mark;
    if (ref === null || this.#quietSince === null || (line.roster.size > 0 && listed.size === 0)) return null;
    return Math.max(this.#quietSince + CAPACITY.linger, line.roster.size > 0 ? 0 : (line.starts?.idleAt() ?? 0));
  }

  #isOver(now: number): boolean {
    const at = this.#tidyAt(this.#load());
    return at !== null && at <= now;
  }

  // Not awaited, so that it belongs to the same commit as what was written before it.
  #set(at: number): void {
    this.#alarm = at;
    counters.rowsWritten++;
    void this.ctx.storage.setAlarm(at);
  }

  #nextCall() {
    const call = this.#load().line.nextCall(Date.now());
    if (call === null) return null;
    if (this.#ref === null) throw new Error("A line calls nobody before it knows what it is.");
    return { call, line: this.#ref };
  }

  #moment() {
    return { now: Date.now(), random: Math.random };
  }

  /** For logs: keys are the users' and stay out of them. */
  get #title(): string {
    const { counts, scope, functionId } = this.#named;
    return `capacity ${counts} ${scope} ${functionId}`;
  }
}

/** Nobody waits, and nobody has to be told. */
function isQuiet({ line }: Pick<Loaded, "line">): boolean {
  return line.roster.waiting.size === 0 && line.roster.owed === 0;
}

function waitingIn({ line }: Loaded): Map<string, string> {
  const waiting = new Map<string, string>();
  for (const { functionId, waiting: members } of line.roster.waiting) {
    if (members.first !== undefined) waiting.set(functionId, members.first.environmentId);
  }
  return waiting;
}
