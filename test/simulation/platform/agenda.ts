/**
 * Virtual time: everything that will happen, in order. Owns whose doing a piece of work is, so that it disappears with its owner: an
 * instance that was reset, or the whole process that was killed. Guarantees the same order for the same calls.
 */
import { AsyncLocalStorage } from "node:async_hooks";

/** On whose behalf code runs: one instance of an object, or one request to the Worker. Work of an owner that is gone never happens. */
export interface Owner {
  alive: boolean;
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

export class Agenda {
  now: number;
  #order = 0;
  #items: Item[] = [];
  /** Events so far: what a schedule costs. */
  events = 0;

  constructor(now: number) {
    this.now = now;
  }

  /** Whose code is running; null for the world's own. */
  get owner(): Owner | null {
    return owners.getStore() ?? null;
  }

  /** Runs code on behalf of an owner, its continuations included. */
  as<T>(owner: Owner | null, code: () => T): T {
    return owners.run(owner, code);
  }

  /** Does `work` in `delay` ms, unless its owner or its realm is gone by then. Answers how to cancel it. */
  after(delay: number, work: () => void, owner: Owner | null = this.owner, realm: Realm = "process"): () => void {
    const at = this.now + Math.max(0, delay);
    const item: Item = { at, order: this.#order++, realm, owner, work, cancelled: false };
    this.#push(item);
    return () => {
      item.cancelled = true;
    };
  }

  /** Forgets what the process would still have done. */
  killProcess(): void {
    for (const item of this.#items) if (item.realm === "process") item.cancelled = true;
    this.#items = this.#items.filter(({ cancelled }) => !cancelled);
    this.#heapify();
  }

  /** Lets time pass up to `until` (ms), or until `done`. False when time ran out before `done` held. */
  async run(until: number, done: () => boolean = () => false): Promise<boolean> {
    await this.#settle();
    for (;;) {
      if (done()) return true;
      const item = this.#items[0];
      if (item === undefined || item.at > until) {
        this.now = Math.max(this.now, until);
        return done();
      }
      this.#pop();
      if (item.cancelled || item.owner?.alive === false) continue;
      this.now = Math.max(this.now, item.at);
      this.events++;
      owners.run(item.owner, item.work);
      await this.#settle();
    }
  }

  /** Every continuation that waits for nothing but promises has run when this resolves. */
  #settle(): Promise<void> {
    return new Promise((resolve) => nextTurn(resolve));
  }

  // A binary heap by time, then by order.

  #push(item: Item): void {
    const items = this.#items;
    let at = items.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(item, items[parent])) break;
      items[at] = items[parent] as Item;
      at = parent;
    }
    items[at] = item;
  }

  #pop(): void {
    const items = this.#items;
    const last = items.pop();
    if (last === undefined || items.length === 0) return;
    items[0] = last;
    this.#sink(0);
  }

  #heapify(): void {
    for (let at = (this.#items.length >> 1) - 1; at >= 0; at--) this.#sink(at);
  }

  #sink(start: number): void {
    const items = this.#items;
    const item = items[start] as Item;
    let at = start;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && before(items[child + 1] as Item, items[child])) child++;
      if (!before(items[child] as Item, item)) break;
      items[at] = items[child] as Item;
      at = child;
    }
    items[at] = item;
  }
}

function before(one: Item, other: Item | undefined): boolean {
  return other !== undefined && (one.at < other.at || (one.at === other.at && one.order < other.order));
}
