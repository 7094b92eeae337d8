/**
 * The further objects of a large channel, as its first one knows them (RT-16). Owns the stored list of them, and the way of messages
 * to each: one batch at a time and in order. Guarantees that an object with subscribers is on the list before the first of them hears
 * that it is connected, and that a publisher waits when one of them cannot keep up, instead of filling memory.
 */
import { counters } from "../../src/counters.ts";
import { placeFor, type Room } from "../../src/decide/channel/spread.ts";
import { messageOf } from "../../src/errors.ts";
import { REALTIME } from "../../src/limits.ts";
import type { Delivery } from "../../src/realtime/audience.ts";

/** A further object. Both methods answer how many subscribers it has, those included that are about to join. */
export interface Branch {
  deliver(deliveries: readonly Delivery[]): Promise<number>;
  count(): Promise<number>;
}

/** The way to one of them. */
interface Way {
  /** Rises when the object reports itself: an answer to something sent before that may be older than the report. */
  epoch: number;
  queue: Delivery[];
  /** Characters of what is queued. */
  size: number;
  /** Settles when the queue is empty; null when it is. */
  sending: Promise<void> | null;
}

const SCHEMA = "CREATE TABLE IF NOT EXISTS branches (number INTEGER PRIMARY KEY)";

export class Branches {
  readonly #storage: DurableObjectStorage;
  readonly #reach: (number: number) => Promise<Branch>;
  #ways: Map<number, Way> | null = null;
  /** How full they are, as far as is known: who leaves is not reported. */
  readonly #counts = new Map<number, number>();
  #counted = 0;

  constructor(storage: DurableObjectStorage, reach: (number: number) => Promise<Branch>) {
    this.#storage = storage;
    this.#reach = reach;
  }

  /** How many there are. */
  get size(): number {
    return this.#load().size;
  }

  /** Where the next subscriber goes when the first object has `own`; null when the channel is full. `full`: those that refused it. */
  async place(own: number, full: readonly number[], room: Room): Promise<number | null> {
    for (const number of full) this.#counts.set(number, room.perObject);
    let place = placeFor(own, this.#counts, room);
    if (place === null && (await this.#recount())) place = placeFor(own, this.#counts, room);
    // So that many who come at once are not all sent to the same object.
    if (place !== null && place > 0) this.#counts.set(place, (this.#counts.get(place) ?? 0) + 1);
    return place;
  }

  /** An object reports that it is about to have its first subscriber. */
  attach(number: number): void {
    const ways = this.#load();
    const way = ways.get(number);
    if (way !== undefined) {
      way.epoch++;
      return;
    }
    this.#storage.sql.exec(SCHEMA);
    counters.rowsWritten += this.#storage.sql.exec("INSERT INTO branches (number) VALUES (?)", number).rowsWritten;
    ways.set(number, newWay());
  }

  /** Sends a message on to all of them. */
  deliver(delivery: Delivery): void {
    for (const [number, way] of this.#load()) {
      way.queue.push(delivery);
      way.size += delivery.text.length;
      this.#send(number, way);
    }
  }

  /** Resolves when none of them is far behind. */
  async ready(): Promise<void> {
    const late = [...this.#load().values()].filter(({ size }) => size > REALTIME.onTheWay);
    await Promise.all(late.map(({ sending }) => sending));
  }

  #send(number: number, way: Way): void {
    if (way.sending !== null || way.queue.length === 0) return;
    way.sending = this.#sendAll(number, way).finally(() => {
      way.sending = null;
      this.#send(number, way);
    });
  }

  async #sendAll(number: number, way: Way): Promise<void> {
    while (way.queue.length > 0) {
      const { queue: batch, epoch } = way;
      way.queue = [];
      way.size = 0;
      try {
        const count = await (await this.#reach(number)).deliver(batch);
        this.#counts.set(number, count);
        if (count === 0 && way.epoch === epoch) return this.#forget(number, way);
      } catch (error) {
        // Delivery is at most once (RT-8): who was connected there has lost the connection with it, or misses these.
        console.error(`${batch.length} messages did not reach object ${number} of a channel: ${messageOf(error)}`);
      }
    }
  }

  /** Takes an object without subscribers off the list; whatever else is on its way has nobody to reach. */
  #forget(number: number, way: Way): void {
    way.queue = [];
    this.#load().delete(number);
    counters.rowsWritten += this.#storage.sql.exec("DELETE FROM branches WHERE number = ?", number).rowsWritten;
  }

  /** Asks all of them how many they have; false when that was done a moment ago. */
  async #recount(): Promise<boolean> {
    const now = Date.now();
    if (now - this.#counted < REALTIME.recount) return false;
    this.#counted = now;
    const numbers = [...this.#load().keys()];
    const counts = await Promise.all(numbers.map(async (number) => (await this.#reach(number)).count()));
    this.#counts.clear();
    for (const [i, number] of numbers.entries()) this.#counts.set(number, counts[i] ?? 0);
    return true;
  }

  #load(): Map<number, Way> {
    if (this.#ways !== null) return this.#ways;
    const { sql } = this.#storage;
    const exists = sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'branches'").toArray().length > 0;
    const rows = exists ? sql.exec<{ number: number }>("SELECT number FROM branches").toArray() : [];
    this.#ways = new Map(rows.map(({ number }) => [number, newWay()]));
    return this.#ways;
  }
}

function newWay(): Way {
  return { epoch: 0, queue: [], size: 0, sending: null };
}
