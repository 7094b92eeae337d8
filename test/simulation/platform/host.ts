/**
 * One named Durable Object as platform.md measured it: one instance at a time, storage and one alarm that survive it, an output gate. Owns
 * how instances come and go. An older instance may go on beside a newer one, until it touches storage (faults.md §2).
 */
import type { Agenda, Owner } from "./agenda.ts";
import { Alarm } from "./alarm.ts";
import { copyOf } from "./copy.ts";
import type { Faults } from "./faults.ts";
import type { Mishaps } from "./mishaps.ts";
import { Database, SimulatedSql } from "./sqlite.ts";

export type ObjectClass = new (context: never, bindings: never) => object;

/** What a host needs of the platform it is part of. */
export interface Platform {
  readonly agenda: Agenda;
  readonly mishaps: Mishaps;
  readonly faults: Faults;
  /** What objects find as their `env`. */
  readonly bindings: object;
  readonly noted: (line: string) => void;
  /** Code of the instance runs. */
  entered(instance: Instance): void;
  /** What the instance has written is durable. */
  committed(instance: Instance): void;
}

type Methods = Record<string, ((...values: unknown[]) => unknown) | undefined>;

/** ms for which an instance that was replaced goes on at most. */
const STALE = 30_000;

/** One life of an object in memory. */
export class Instance implements Owner {
  readonly host: Host;
  alive = true;
  /** Another one has taken its place, which it does not know. */
  stale = false;
  diedAt: number | null = null;
  unsent: NonNullable<Owner["unsent"]> | null = null;
  readonly callers = new Set<(error: Error) => void>();
  readonly #platform: Platform;
  readonly #skew: number;

  constructor(host: Host, platform: Platform) {
    this.host = host;
    this.#platform = platform;
    const most = platform.faults.instances?.skew ?? 0;
    this.#skew = most === 0 ? 0 : platform.mishaps.between(0, 2 * most) - most;
  }

  /** Clocks are right again when nothing goes wrong any more. */
  get skew(): number {
    return this.#platform.faults.instances === undefined ? 0 : this.#skew;
  }

  /** It is gone, and whoever waits for it learns of it, if there is anybody left. */
  end(tellCallers: boolean): void {
    this.alive = false;
    this.diedAt ??= this.#platform.agenda.now;
    const callers = [...this.callers];
    this.callers.clear();
    if (!tellCallers || callers.length === 0) return;
    const error = Object.assign(new Error("The object was reset."), { durableObjectReset: true });
    for (const caller of callers) caller(error);
  }
}

export class Host {
  readonly name: string;
  readonly className: string;
  readonly database = new Database();
  readonly alarm: Alarm;
  readonly #platform: Platform;
  readonly #class: ObjectClass;
  #current: { readonly instance: Instance; readonly methods: Methods } | null = null;
  readonly #stale = new Set<Instance>();

  constructor(platform: Platform, objectClass: ObjectClass, name: string) {
    this.#platform = platform;
    this.#class = objectClass;
    this.className = objectClass.name;
    this.name = name;
    this.alarm = new Alarm(platform, `${this.className} ${name}`, {
      skew: () => this.#current?.instance.skew ?? 0,
      handle: (ended) => this.#handleAlarm(ended),
    });
  }

  /** A call from outside the object; its arguments are the object's own, its result is a copy. */
  async call(method: string, values: readonly unknown[]): Promise<unknown> {
    const { instance, methods } = this.#load();
    const handler = methods[method];
    if (typeof handler !== "function") throw new TypeError(`${this.className} has no method ${method}`);
    return await new Promise((resolve, reject) => {
      instance.callers.add(reject);
      this.#run(instance, async () => {
        try {
          resolve(copyOf(await handler.apply(methods, [...values])));
        } catch (error) {
          reject(error);
        } finally {
          instance.callers.delete(reject);
        }
      });
    });
  }

  /** Its instance is gone; what it had under way never happens, and its callers learn of it. */
  reset(): void {
    this.#current?.instance.end(true);
    this.#current = null;
    this.alarm.interrupted();
  }

  /** Another instance takes its place, and it goes on without knowing. */
  replace(): void {
    if (this.#current === null) return;
    const { instance } = this.#current;
    const { agenda, mishaps } = this.#platform;
    instance.stale = true;
    instance.diedAt = agenda.now;
    this.#stale.add(instance);
    this.#current = null;
    this.alarm.interrupted();
    agenda.after(mishaps.between(0, STALE), () => this.#discover(instance), null);
  }

  /** The process was killed. */
  kill(): void {
    for (const instance of this.#stale) instance.end(false);
    this.#stale.clear();
    this.#current?.instance.end(false);
    this.#current = null;
    this.alarm.killed();
  }

  /** An instance that was replaced learns it, and ends. */
  #discover(instance: Instance): void {
    this.#stale.delete(instance);
    if (instance.alive) instance.end(true);
  }

  #run(instance: Instance, code: () => Promise<void>): void {
    this.#platform.entered(instance);
    void this.#platform.agenda.as(instance, code);
  }

  #handleAlarm(ended: (error: unknown) => void): void {
    const { instance, methods } = this.#load();
    this.#run(instance, async () => {
      try {
        await methods["alarm"]?.();
        ended(null);
      } catch (error) {
        if (instance.alive) ended(error ?? new Error("nothing was thrown"));
      }
    });
  }

  #load(): { readonly instance: Instance; readonly methods: Methods } {
    if (this.#current !== null) return this.#current;
    const instance = new Instance(this, this.#platform);
    const methods = this.#platform.agenda.as(
      instance,
      () => new this.#class(this.#context(instance) as never, this.#platform.bindings as never),
    );
    this.#current = { instance, methods: methods as Methods };
    return this.#current;
  }

  #context(instance: Instance) {
    const check = () => {
      if (instance.alive && !instance.stale) return;
      this.#discover(instance);
      throw new Error(`${this.className} ${this.name} was reset and touches storage no more.`);
    };
    // All that is written in one go is one commit.
    const wrote = () => {
      if (instance.unsent !== null) return;
      instance.unsent = [];
      queueMicrotask(() => this.#platform.committed(instance));
    };
    const sql = new SimulatedSql(this.database, wrote);
    const setAlarm = (at: number | null) => {
      check();
      wrote();
      this.alarm.set(at);
      return Promise.resolve();
    };
    return {
      id: { name: this.name, toString: () => this.name },
      storage: {
        sql: {
          exec: (text: string, ...values: unknown[]) => {
            check();
            return sql.exec(text, ...values);
          },
        },
        transactionSync: <T>(work: () => T): T => {
          check();
          return this.database.transaction(work);
        },
        setAlarm,
        deleteAlarm: () => setAlarm(null),
        getAlarm: () => {
          check();
          return Promise.resolve(this.alarm.at);
        },
        deleteAll: () => {
          check();
          this.database.clear();
          return setAlarm(null);
        },
      },
      abort: () => {
        if (instance.alive && !instance.stale) this.reset();
      },
      waitUntil: () => undefined,
      blockConcurrencyWhile: (work: () => Promise<unknown>) => work(),
      getWebSockets: () => [],
    };
  }
}
