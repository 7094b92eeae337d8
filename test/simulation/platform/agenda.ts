/**
 * Virtual time: everything that will happen, in order. Owns whose doing a piece of work is, so that it disappears with its owner: an
 * instance that was reset, or the whole process that was killed. Guarantees the same order for the same calls.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { Heap } from "./heap.ts";

/** On whose behalf code runs: one instance of an object, or one request to the Worker. Work of an owner that is gone never happens. */
export interface Owner {
  alive: boolean;
  /** When it was lost, be it without knowing, ms; absent while it is not. */
  diedAt?: number | null;
  /** ms by which its clock is wrong. */
  skew?: number;
  /**
   * What it has begun outside of itself since it last wrote something that is not committed yet; absent when all is. The platform holds it
   * back until the commit (output gate), so that it never happens if the commit does not.
   */
  unsent?: Item[] | null;
}

/** `process`: lost when workerd is killed. `outside`: apps, networks, the test. */
type Realm = "process" | "outside";

interface Item {
  readonly at: number;
  readonly order: number;
  readonly realm: Realm;
  readonly owner: Owner | null;
  readonly work: () => void;
  cancelled: boolean;
}

const owners = new AsyncLocalStorage<Owner | null>();
// Kept before anything is replaced: the loop itself runs in real time.
const nextTurn = setImmediate;
// Runs every continuation that waits for nothing but promises. Does nothing when called from one, which is why `run` begins in a turn of its own.
const { _tickCallback: settle } = process as unknown as { readonly _tickCallback: () => void };

export class Agenda {
  now: number;
  #order = 0;
  readonly #items = new Heap<Item>(isBefore);
  /** Events so far: what a schedule costs. More than so many are a schedule that never rests. */
  events = 0;
  static readonly most = 500_000;
  /** Called when a piece of work is done, with its owner. */
  settled: (owner: Owner | null) => void = () => undefined;

  constructor(now: number) {
    this.now = now;
  }

  /** Whose code is running; null for the world's own. */
  get owner(): Owner | null {
    return owners.getStore() ?? null;
  }

  /** The time as whoever is running sees it, ms since 1970. */
  get clock(): number {
    return Math.floor(this.now + (this.owner?.skew ?? 0));
  }

  /** Runs code on behalf of an owner, its continuations included. */
  as<T>(owner: Owner | null, code: () => T): T {
    return owners.run(owner, code);
  }

  /**
   * Does `work` in `delay` ms, unless its owner or its realm is gone by then. Answers how to cancel it. What somebody begins who is gone
   * does not happen.
   */
  after(delay: number, work: () => void, owner: Owner | null = this.owner, realm: Realm = "process"): () => void {
    const at = this.now + Math.max(0, delay);
    const item: Item = { at, order: this.#order++, realm, owner, work, cancelled: false };
    const sender = this.owner;
    if (sender?.alive === false) return () => undefined;
    if (sender !== owner) sender?.unsent?.push(item);
    this.#items.push(item);
    return () => {
      item.cancelled = true;
    };
  }

  /** Forgets what the process would still have done. */
  killProcess(): void {
    this.#items.keep(({ realm }) => realm !== "process");
  }

  /** Lets time pass up to `until` (ms), or until `done`. False when time ran out before `done` held. */
  run(until: number, done: () => boolean = () => false): Promise<boolean> {
    return new Promise((resolve, reject) => {
      nextTurn(() => {
        try {
          resolve(this.#run(until, done));
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  #run(until: number, done: () => boolean): boolean {
    settle();
    for (;;) {
      if (done()) return true;
      const item = this.#items.first;
      if (item === undefined || item.at > until) {
        this.now = Math.max(this.now, until);
        return done();
      }
      this.#items.pop();
      if (item.cancelled || item.owner?.alive === false) continue;
      this.now = Math.max(this.now, item.at);
      if (++this.events > Agenda.most) throw new Error(`Nothing rests after ${Agenda.most} events.`);
      owners.run(item.owner, item.work);
      settle();
      this.settled(item.owner);
    }
  }
}

function isBefore(one: Item, other: Item): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
