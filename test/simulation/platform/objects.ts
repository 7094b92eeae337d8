/**
 * Durable Objects as platform.md measured them: one instance per name, storage that survives it, one alarm that is called at least once,
 * and calls between objects that take time and may fail before or after they took effect. Owns nothing of what the objects do.
 */
import type { Agenda, Owner } from "./agenda.ts";
import type { Random } from "./random.ts";
import { Database, SimulatedSql } from "./sqlite.ts";

/** What goes wrong between objects. Probabilities per call. */
export interface CallFaults {
  /** The call never arrives. */
  readonly lost: number;
  /** It takes effect, but its answer never arrives. */
  readonly unanswered: number;
  /** The object is reset just before it. */
  readonly reset: number;
  /** ms a message takes, at least and at most. */
  readonly latency: readonly [number, number];
}

type Instance = Record<string, (...values: unknown[]) => unknown> & { alarm?: () => Promise<void> };
export type ObjectClass = new (context: never, bindings: never) => object;

/** One named object. */
class Host {
  readonly name: string;
  readonly database = new Database();
  readonly #platform: Objects;
  readonly #class: ObjectClass;
  #instance: Instance | null = null;
  #owner: Owner = { alive: false };
  readonly #callers = new Set<(error: Error) => void>();
  alarm: number | null = null;
  /** The alarm whose handler is running: it counts until the handler has ended. */
  #firing: number | null = null;
  #failures = 0;

  constructor(platform: Objects, objectClass: ObjectClass, name: string) {
    this.#platform = platform;
    this.#class = objectClass;
    this.name = name;
  }

  /** A call from outside the object; its arguments and result are copies. */
  async call(method: string, values: readonly unknown[]): Promise<unknown> {
    const { agenda } = this.#platform;
    const { instance, owner } = this.#load();
    const handler = instance[method];
    if (typeof handler !== "function") throw new TypeError(`${this.#class.name} has no method ${method}`);
    return await new Promise((resolve, reject) => {
      this.#callers.add(reject);
      agenda.as(owner, async () => {
        try {
          resolve(structuredClone(await handler.apply(instance, structuredClone([...values]))));
        } catch (error) {
          reject(error);
        } finally {
          this.#callers.delete(reject);
        }
      });
    });
  }

  /** Its instance is gone; what it had under way never happens, and its callers learn of it. */
  reset(tellCallers: boolean): void {
    this.#owner.alive = false;
    this.#instance = null;
    if (this.#firing !== null) this.alarm ??= this.#firing;
    this.#firing = null;
    const callers = [...this.#callers];
    this.#callers.clear();
    if (tellCallers) {
      const error = Object.assign(new Error("The object was reset."), { durableObjectReset: true });
      for (const caller of callers) caller(error);
      this.schedule();
    }
  }

  /** Makes sure that the alarm will be called. */
  schedule(): void {
    const at = this.alarm;
    if (at === null) return;
    const { agenda } = this.#platform;
    agenda.after(at - agenda.now, () => this.#fire(at), null);
  }

  #fire(at: number): void {
    if (this.alarm !== at || this.#firing !== null) return;
    this.alarm = null;
    this.#firing = at;
    const { instance, owner } = this.#load();
    this.#platform.agenda.as(owner, async () => {
      try {
        await instance.alarm?.();
        this.#failures = 0;
      } catch (error) {
        this.#platform.noted(`alarm of ${this.#class.name} ${this.name}: ${String(error)}`);
        // After six repetitions the platform gives the alarm up (faults.md §2).
        if (++this.#failures <= 6) this.alarm ??= this.#platform.agenda.now + 2000 * 2 ** (this.#failures - 1);
      }
      this.#firing = null;
      this.schedule();
    });
  }

  #load(): { instance: Instance; owner: Owner } {
    if (this.#instance !== null) return { instance: this.#instance, owner: this.#owner };
    const owner: Owner = { alive: true };
    const instance = this.#platform.agenda.as(
      owner,
      () => new this.#class(this.#context(owner) as never, this.#platform.bindings as never),
    );
    this.#owner = owner;
    this.#instance = instance as Instance;
    return { instance: this.#instance, owner };
  }

  #context(owner: Owner) {
    const alive = () => {
      if (!owner.alive) throw new Error(`${this.#class.name} ${this.name} was reset and touches storage no more.`);
    };
    const sql = new SimulatedSql(this.database);
    const setAlarm = (at: number | null) => {
      alive();
      this.alarm = at;
      if (this.#firing === null) this.schedule();
      return Promise.resolve();
    };
    return {
      id: { name: this.name, toString: () => this.name },
      storage: {
        sql: {
          exec: (text: string, ...values: unknown[]) => {
            alive();
            return sql.exec(text, ...values);
          },
        },
        transactionSync: <T>(work: () => T): T => this.database.transaction(work),
        setAlarm,
        deleteAlarm: () => setAlarm(null),
        getAlarm: () => Promise.resolve(this.alarm),
        deleteAll: () => {
          alive();
          this.database.clear();
          return setAlarm(null);
        },
      },
      abort: () => this.reset(true),
      waitUntil: () => undefined,
      blockConcurrencyWhile: (work: () => Promise<unknown>) => work(),
      getWebSockets: () => [],
    };
  }
}

export class Objects {
  readonly agenda: Agenda;
  readonly #random: Random;
  readonly #hosts = new Map<string, Host>();
  faults: CallFaults;
  /** What objects find as their `env`. */
  bindings: object = {};
  readonly noted: (line: string) => void;

  constructor(agenda: Agenda, random: Random, faults: CallFaults, noted: (line: string) => void) {
    this.agenda = agenda;
    this.#random = random;
    this.faults = faults;
    this.noted = noted;
  }

  /** A namespace binding of a class. */
  namespace(objectClass: ObjectClass) {
    return { getByName: (name: string) => this.#stub(objectClass, name) };
  }

  /** All objects of a class that exist, by name. */
  of(objectClass: ObjectClass): { readonly name: string; readonly database: Database }[] {
    const prefix = `${objectClass.name} `;
    return [...this.#hosts].flatMap(([key, host]) => (key.startsWith(prefix) ? [host] : []));
  }

  /** One message's way, ms. */
  latency(): number {
    const [least, most] = this.faults.latency;
    return least + this.#random.next() * (most - least);
  }

  /** The process is gone: nothing in memory is left. */
  kill(): void {
    for (const host of this.#hosts.values()) host.reset(false);
  }

  /** The process is back: alarms are read from disk, overdue ones are called at once. */
  boot(): void {
    for (const host of this.#hosts.values()) host.schedule();
  }

  #host(objectClass: ObjectClass, name: string): Host {
    const key = `${objectClass.name} ${name}`;
    const known = this.#hosts.get(key);
    if (known !== undefined) return known;
    const host = new Host(this, objectClass, name);
    this.#hosts.set(key, host);
    return host;
  }

  #stub(objectClass: ObjectClass, name: string): unknown {
    return new Proxy(
      {},
      {
        get: (_target, method) => {
          if (typeof method !== "string" || method === "then") return undefined;
          return (...values: unknown[]) => this.#message(this.#host(objectClass, name), method, values);
        },
      },
    );
  }

  /** There, and the answer back; both take time and may be lost. A caller that is gone gets no answer. */
  #message(host: Host, method: string, values: readonly unknown[]): Promise<unknown> {
    const caller = this.agenda.owner;
    const { lost, unanswered, reset } = this.faults;
    return new Promise((resolve, reject) => {
      const answer = (how: () => void) => this.agenda.after(this.latency(), how, caller);
      const broken = () => reject(new Error(`Network connection lost (${method}).`));
      this.agenda.after(
        this.latency(),
        () => {
          if (this.#random.chance(lost)) return void answer(broken);
          if (this.#random.chance(reset)) host.reset(true);
          const silent = this.#random.chance(unanswered);
          host.call(method, values).then(
            (result) => answer(silent ? broken : () => resolve(result)),
            (error: unknown) => answer(() => reject(error)),
          );
        },
        null,
      );
    });
  }
}
