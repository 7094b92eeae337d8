/**
 * A window in which events of one function and key gather: a batch, or a debounce window. Lets events join, closes the window when it is due,
 * and has the run of a closed one started (FC-24 … FC-28, FC-32 … FC-36). A thin shell around a store of its kind.
 * Guarantees that events join, and that a window closes, in one commit each; that a closed window is kept until its run is durable, which
 * is tried again until it succeeds; and that meanwhile events go on joining the next one.
 */
import { retryAt } from "../../src/decide/waits/retry.ts";
import { messageOf } from "../../src/errors.ts";
import type { GatherKind, JoinCall, OpenWindow } from "../../src/events/gathering.ts";
import { inParallel } from "../../src/events/parallel.ts";
import { startGathered } from "../../src/events/start-gathered.ts";
import { runIdFor } from "../../src/ids.ts";
import { GATHER, WINDOW } from "../../src/limits.ts";
import { CountedSql } from "../counted-sql.ts";
import { Listing } from "./listing.ts";
import type { Part, PartContext } from "./part.ts";
import { RememberedTable } from "./remembered-table.ts";
import type { GatherStore } from "./store.ts";

/** Makes the store of a kind, as it is on disk. */
type OpenStore<Options> = (sql: CountedSql) => GatherStore<Options>;

export class GatherWindow<Options> implements Part {
  readonly #context: PartContext;
  readonly #kind: GatherKind;
  readonly #openStore: OpenStore<Options>;
  readonly #sql: CountedSql;
  readonly #listing: Listing;
  /** Null while not read. */
  #tables: Tables<Options> | null = null;
  /** The time the alarm is set to, as far as this instance knows. */
  #alarm: number | null = null;
  /** Closed windows whose runs are being started. */
  readonly #starting = new Set<string>();
  /** Those whose runs could not be started, and wait for the alarm. */
  readonly #failed = new Set<string>();
  /** How often starting failed in a row, and when it is tried again, ms. */
  #failures = 0;
  #retryAt: number | null = null;
  /** 0: not by this instance. */
  #sweptAt = 0;

  constructor(context: PartContext, kind: GatherKind, openStore: OpenStore<Options>) {
    this.#context = context;
    this.#kind = kind;
    this.#openStore = openStore;
    this.#sql = new CountedSql(context.storage);
    this.#listing = new Listing(context.bindings, { ...context, kind });
  }

  // methods

  /** Lets events join, in their order, and answers the id of each one's run. An event that joined before stays where it is. */
  async join(call: JoinCall<Options>): Promise<string[]> {
    const now = Date.now();
    const places = this.#commit(({ store, remembered }) => store.join(call, (id) => remembered.placeOf(id), now));
    this.#changed(now);
    this.#inBackground(this.#start());
    return await this.#runIds(places);
  }

  /** The open window; null when there is none. */
  async open(): Promise<OpenWindow | null> {
    const open = this.#load().store.open();
    if (open === null) return null;
    const { opener, ...window } = open;
    return { ...window, runId: await this.#runIdOf(opener) };
  }

  /** Closes the open window now and begins its run. The run's id; null when no window is open. */
  async closeNow(): Promise<string | null> {
    const open = this.#load().store.open();
    if (open === null) return null;
    const now = Date.now();
    this.#commit(({ store }) => store.close(now));
    this.#changed(now);
    this.#inBackground(this.#start());
    return await this.#runIdOf(open.opener);
  }

  // alarm

  async wake(now: number): Promise<void> {
    this.#alarm = null;
    try {
      const open = this.#load().store.open();
      // Without an alarm: should this instance die before the run is started, the platform repeats this one.
      if (open !== null && open.closesAt <= now) this.#commit(({ store }) => store.close(now));
      if (this.#retryAt === null || now >= this.#retryAt) {
        this.#retryAt = null;
        this.#failed.clear();
      }
      // Not for ever: the next window may be due before the start of this one's run has succeeded or failed.
      await Promise.race([this.#start(), scheduler.wait(GATHER.patience)]);
      this.#listing.verify();
      if (now >= this.#sweptAt + GATHER.sweep) this.#sweep(now);
      if (!(await this.#forgetAll(now))) this.#changed(Date.now());
    } catch (error) {
      // Whoever catches it sets the alarm to a time of its own.
      this.#alarm = null;
      throw error;
    }
  }

  /** When it has to be woken, ms; null when it holds nothing. */
  #due(now: number): number | null {
    const { store, remembered } = this.#load();
    const closesAt = store.open()?.closesAt ?? Number.POSITIVE_INFINITY;
    const startsAt = store.closed().length > 0 ? this.#nextTry(now) : Number.POSITIVE_INFINITY;
    const due = Math.min(closesAt, startsAt);
    if (due !== Number.POSITIVE_INFINITY) return due;
    const newest = remembered.newest();
    return newest === null ? null : newest + WINDOW.remembered;
  }

  /** When starting is tried again; stays the same until it was. */
  #nextTry(now: number): number {
    this.#retryAt ??= retryAt(now, Math.max(this.#failures, 1));
    return this.#retryAt;
  }

  #sweep(now: number): void {
    this.#sweptAt = now;
    this.#commit(({ remembered }) => remembered.sweep(now - WINDOW.remembered));
  }

  /** Leaves nothing of an object whose windows are all over and need not be remembered any more. */
  async #forgetAll(now: number): Promise<boolean> {
    const { store, remembered } = this.#load();
    const newest = remembered.newest();
    if (store.open() !== null || store.closed().length > 0) return false;
    if (newest === null || now < newest + WINDOW.remembered) return false;
    this.#listing.set(null);
    const deleted = this.#context.storage.deleteAll();
    this.#tables = null;
    await deleted;
    return true;
  }

  // apply

  /** Begins the runs of closed windows. A run that cannot be started is logged and left to the alarm. */
  async #start(): Promise<void> {
    const { store } = this.#load();
    const openers = store.closed().filter((opener) => !this.#starting.has(opener) && !this.#failed.has(opener));
    if (openers.length === 0) return;
    for (const opener of openers) this.#starting.add(opener);
    await inParallel(GATHER.starts, openers, async (opener) => {
      try {
        await this.#startOne(opener);
      } catch (error) {
        this.#failed.add(opener);
        console.error(`The run of a ${this.#kind} window was not started and will be tried again: ${messageOf(error)}`);
      } finally {
        this.#starting.delete(opener);
      }
    });
    if (openers.some((opener) => this.#failed.has(opener))) {
      this.#failures++;
      this.#retryAt = null;
    } else if (this.#failed.size === 0) {
      this.#failures = 0;
      this.#retryAt = null;
    }
    this.#changed(Date.now());
  }

  async #startOne(opener: string): Promise<void> {
    const { bindings, environmentId, functionId } = this.#context;
    const closed = this.#load().store.load(opener);
    await startGathered(bindings, { environmentId, functionId, kind: this.#kind }, closed);
    this.#commit(({ store, remembered }) => remembered.add(opener, store.remove(opener), Date.now()));
  }

  /** After every change: an alarm that is set too early only wakes for nothing, and each move is a written row. */
  #changed(now: number): void {
    this.#listing.set(this.#load().store.open()?.key ?? null);
    const due = this.#due(now);
    if (due === null || (this.#alarm !== null && this.#alarm <= due)) return;
    this.#alarm = due;
    this.#context.setAlarm(due);
  }

  #load(): Tables<Options> {
    if (this.#tables === null) {
      this.#tables = { store: this.#openStore(this.#sql), remembered: new RememberedTable(this.#sql) };
      if (this.#tables.store.open() !== null) this.#listing.assumeListed();
    }
    return this.#tables;
  }

  /** One transaction. After a failure everything is read anew, because what the tables remember may not be what is stored. */
  #commit<T>(work: (tables: Tables<Options>) => T): T {
    const tables = this.#load();
    try {
      return this.#sql.transaction(() => work(tables));
    } catch (error) {
      this.#tables = null;
      throw error;
    }
  }

  async #runIds(openers: readonly string[]): Promise<string[]> {
    const ids = new Map<string, string>();
    for (const opener of new Set(openers)) ids.set(opener, await this.#runIdOf(opener));
    return openers.map((opener) => ids.get(opener) ?? "");
  }

  #inBackground(work: Promise<void>): void {
    work.catch((error: unknown) => console.error(`window ${this.#context.name}: ${messageOf(error)}`));
  }

  #runIdOf(opener: string): Promise<string> {
    return runIdFor(this.#context.environmentId, this.#context.functionId, opener);
  }
}

interface Tables<Options> {
  readonly store: GatherStore<Options>;
  readonly remembered: RememberedTable;
}
