/**
 * The waits for events of one name: registered by runs, found by events, told to the runs. A thin shell around `src/decide/waits` and its
 * tables. Guarantees that a registration or an offer that resolved is durable, and that every run an event concerns hears of it.
 */
import { announceName, withdrawName } from "../../src/apps/awaited-names.ts";
import { catalogOf } from "../../src/apps/catalog.ts";
import { partsOf } from "../../src/decide/waits/index-key.ts";
import {
  announced,
  emptied,
  lookAt,
  looked,
  registered,
  remembering,
  swept,
  withdrawn,
} from "../../src/decide/waits/name.ts";
import type { Wait } from "../../src/decide/waits/wait.ts";
import type { AcceptedEvent } from "../../src/events/event.ts";
import { loadEvents } from "../../src/history/events.ts";
import { receivedBetween } from "../../src/history/missed.ts";
import { FANOUT, WAITS } from "../../src/limits.ts";
import { runStub } from "../../src/objects.ts";
import { CountedSql } from "../counted-sql.ts";
import { NAME_SCHEMA, NameRow } from "./name-row.ts";
import { OFFER_SCHEMA, type Offer, OfferTable } from "./offer-table.ts";
import type { Part, PartContext } from "./part.ts";
import { Telling } from "./telling.ts";
import { type Target, WAIT_SCHEMA, WaitTable } from "./wait-table.ts";

export class EventWaits implements Part {
  readonly #context: PartContext;
  readonly #sql: CountedSql;
  readonly #telling = new Telling();
  /** Events whose runs this instance is telling. */
  readonly #delivering = new Set<string>();
  #tables: Tables;
  /** This instance has seen the name in the catalog. */
  #listed = false;
  /** The last change of the catalog: they happen one after the other. */
  #naming: Promise<void> = Promise.resolve();

  constructor(context: PartContext) {
    this.#context = context;
    this.#sql = new CountedSql(context.storage);
    this.#tables = tablesOf(this.#sql);
  }

  // methods

  /** Resolves when events of the name that are received from now on are sure to meet the wait. Registering again changes nothing. */
  async register(wait: Wait): Promise<void> {
    const parts = partsOf(wait);
    if (parts === null || wait.expiresAt <= Date.now()) return;
    this.#commit(({ name, waits }) => {
      if (name.state === null) this.#sql.write(WAIT_SCHEMA + OFFER_SCHEMA + NAME_SCHEMA);
      name.save(registered(name.state, wait.expiresAt));
      waits.add(wait, parts);
    });
    this.#context.arm();
    await this.#announce();
  }

  /** Finds whom an event concerns, makes sure that they will hear of it, and gives how many. An event offered again concerns nobody. */
  offer(event: AcceptedEvent): number {
    const now = Date.now();
    if (this.#tables.name.state === null) return 0;
    const offer = this.#commit(({ name, waits, offers }) => {
      if (name.state === null || offers.knows(event.internalId)) return null;
      const targets = waits.take(event, now);
      if (targets.length === 0) return null;
      name.save(remembering(name.state, now));
      this.#noteEmpty(now);
      return offers.add(event, targets, now);
    });
    if (offer === null) return 0;
    this.#context.arm();
    this.#context.inBackground(this.#deliver(offer));
    return offer.parts.reduce((sum, { targets }) => sum + targets.length, 0);
  }

  /** Removes waits that nobody needs any more. */
  forget(runId: string, stepIds: readonly string[]): void {
    if (this.#tables.name.state === null) return;
    this.#commit(({ waits }) => {
      for (const stepId of stepIds) waits.remove(runId, stepId);
      this.#noteEmpty(Date.now());
    });
    this.#context.arm();
  }

  // alarm

  due(now: number): number | null {
    const { name, offers } = this.#tables;
    if (name.state === null) return null;
    const retry = offers.pending().length > 0 ? this.#telling.retryAt(now) : Number.POSITIVE_INFINITY;
    return Math.min(retry, lookAt(name.state) ?? Number.POSITIVE_INFINITY, name.state.sweepAt);
  }

  async wake(now: number): Promise<void> {
    await this.#deliverAgain(now);
    await this.#look(now);
    await this.#sweep(now);
  }

  async #deliverAgain(now: number): Promise<void> {
    if (this.#tables.name.state === null || !this.#telling.isDue(now)) return;
    const due = this.#tables.offers.pending().filter((id) => !this.#delivering.has(id));
    for (const id of due) {
      if (Date.now() - now > WAITS.round) break;
      await this.#deliver(this.#tables.offers.load(id));
    }
    const pending = new Set(this.#tables.offers.pending());
    this.#telling.tried(!due.some((id) => pending.has(id)));
  }

  /** Offers what was received while isolates did not know of the name. */
  async #look(now: number): Promise<void> {
    const { name, waits } = this.#tables;
    const at = name.state === null ? null : lookAt(name.state);
    if (name.state === null || at === null || now < at) return;
    const { bindings, environmentId } = this.#context;
    const span = { from: name.state.lookFrom, until: now };
    const ids = waits.isEmpty() ? [] : await receivedBetween(bindings.DB, environmentId, this.#context.name, span);
    for (let i = 0; i < ids.length; i += FANOUT.chunk) {
      const events = await loadEvents(bindings.DB, environmentId, ids.slice(i, i + FANOUT.chunk));
      for (const event of events) this.offer(event);
    }
    this.#commit((tables) => {
      if (tables.name.state !== null) tables.name.save(looked(tables.name.state));
    });
  }

  async #sweep(now: number): Promise<void> {
    const { state } = this.#tables.name;
    if (state === null || now < state.sweepAt) return;
    // In batches, so that events get in between.
    while (this.#commit(({ waits }) => waits.sweep(now))) await scheduler.wait(0);
    while (this.#commit(({ offers }) => offers.sweep(now))) await scheduler.wait(0);
    const next = this.#commit(({ name, waits, offers }) => {
      waits.sweepPaths();
      const next = swept(name.state ?? state, { waits: waits.nextExpiry(), events: offers.nextExpiry() }, now);
      name.save(next === "withdraw" ? withdrawn(name.state ?? state) : next);
      return next;
    });
    if (next === "withdraw") await this.#withdraw();
  }

  // apply

  /** Tells the runs of an event, and notes each portion that has answered. */
  async #deliver({ event, parts }: Offer): Promise<void> {
    const { bindings, environmentId } = this.#context;
    this.#delivering.add(event.internalId);
    try {
      for (const { part, targets } of parts) {
        const done: Target[] = [];
        const failed = await this.#telling.all(targets, async (target) => {
          const taken = await runStub(bindings, environmentId, target.runId).offerEvent(target.stepId, event);
          if (taken) done.push(target);
        });
        const now = Date.now();
        // A run that cannot be reached long after its wait has timed out will not miss the event.
        const remaining = failed.filter(({ expiresAt }) => now < expiresAt + WAITS.remembered);
        this.#commit(({ waits, offers }) => {
          for (const { runId, stepId } of done) waits.remove(runId, stepId);
          offers.settle(event.internalId, part, remaining);
          this.#noteEmpty(now);
        });
      }
    } finally {
      this.#delivering.delete(event.internalId);
    }
    if (this.#tables.offers.pending().length === 0) this.#telling.tried(true);
  }

  #noteEmpty(now: number): void {
    const { name, waits } = this.#tables;
    if (name.state !== null && waits.isEmpty()) name.save(emptied(name.state, now));
  }

  async #announce(): Promise<void> {
    if (await this.#isKnown()) return;
    await this.#inTurn(async () => {
      if (await this.#isKnown()) return;
      const { bindings, environmentId, name } = this.#context;
      await announceName(bindings, environmentId, name);
      this.#listed = true;
      this.#commit((tables) => {
        const now = Date.now();
        if (tables.name.state === null) return;
        tables.name.save(announced(tables.name.state, tables.waits.earliest() ?? now, now));
      });
      this.#context.arm();
    });
  }

  async #withdraw(): Promise<void> {
    await this.#inTurn(async () => {
      const { bindings, environmentId, name } = this.#context;
      await withdrawName(bindings, environmentId, name);
      // A wait that came meanwhile announces the name again, after this.
      if (this.#isAnnounced() || !this.#tables.waits.isEmpty()) return;
      const deleted = this.#context.storage.deleteAll();
      this.#tables = tablesOf(this.#sql);
      await deleted;
    });
  }

  /** Whether the catalog has the name. It is looked up once by each instance: the catalog may have been restored to a time before. */
  async #isKnown(): Promise<boolean> {
    if (!this.#isAnnounced() || this.#listed) return this.#isAnnounced();
    const { bindings, environmentId, name } = this.#context;
    this.#listed = (await catalogOf(bindings, environmentId, Date.now())).awaits(name);
    return this.#listed;
  }

  #isAnnounced(): boolean {
    return (this.#tables.name.state?.announcedAt ?? null) !== null;
  }

  async #inTurn(change: () => Promise<void>): Promise<void> {
    const turn = this.#naming.then(change);
    this.#naming = turn.catch(() => undefined);
    await turn;
  }

  /** One transaction. After a failure everything is read anew, because what the tables remember may not be what is stored. */
  #commit<T>(work: (tables: Tables) => T): T {
    try {
      return this.#sql.transaction(() => work(this.#tables));
    } catch (error) {
      this.#tables = tablesOf(this.#sql);
      throw error;
    }
  }
}

interface Tables {
  readonly name: NameRow;
  readonly waits: WaitTable;
  readonly offers: OfferTable;
}

function tablesOf(sql: CountedSql): Tables {
  return { name: new NameRow(sql), waits: new WaitTable(sql), offers: new OfferTable(sql) };
}
