/**
 * All Durable Objects of a world, and the calls between them, which take time and may fail before or after they took effect. Owns when the
 * platform makes an object die. Owns nothing of what the objects do.
 */
import type { Agenda, Owner } from "./agenda.ts";
import { copyOf } from "./copy.ts";
import { type Faults, NO_FAULTS } from "./faults.ts";
import { Host, Instance, type ObjectClass, type Platform } from "./host.ts";
import type { Mishaps } from "./mishaps.ts";

/**
 * Where a schedule goes wrong (rows 1, 24): right after commits, before anything that was to follow from them, or at calls between
 * objects; both counted from 1.
 */
export interface Points {
  readonly at: ReadonlySet<number>;
  /** The object that committed is reset, or the whole process is killed; a call does not arrive, is not answered, or late. */
  readonly what: "object" | "process" | "lost" | "unanswered" | "late";
  /** Commits after which the object is reset besides. */
  readonly resets?: ReadonlySet<number>;
}

const NOWHERE: Points = { at: new Set(), what: "object" };

/** ms after which a late call takes effect at most. */
const LATE = 20_000;

export class Objects implements Platform {
  readonly agenda: Agenda;
  readonly mishaps: Mishaps;
  readonly noted: (line: string) => void;
  faults: Faults = NO_FAULTS;
  bindings: object = {};
  /** Commits of all objects, and calls between them, since {@link Objects.breakAt}. */
  commits = 0;
  calls = 0;
  /** Kills the process. */
  onCrash: () => void = () => undefined;
  readonly #hosts = new Map<string, Host>();
  #points: Points | null = null;
  #entered: Instance | null = null;

  constructor(agenda: Agenda, mishaps: Mishaps, noted: (line: string) => void) {
    this.agenda = agenda;
    this.mishaps = mishaps;
    this.noted = noted;
    agenda.settled = (owner) => this.#interrupt(owner);
  }

  /** A namespace binding of a class. */
  namespace(objectClass: ObjectClass) {
    return { getByName: (name: string) => this.#stub(objectClass, name) };
  }

  /** All objects of a class that exist, by name. */
  of(objectClass: ObjectClass): Host[] {
    const prefix = `${objectClass.name} `;
    return [...this.#hosts].flatMap(([key, host]) => (key.startsWith(prefix) ? [host] : []));
  }

  /** One message's way, ms. */
  latency(): number {
    return this.mishaps.between(...this.faults.calls.latency);
  }

  /** The process is gone: nothing in memory is left. */
  kill(): void {
    for (const host of this.#hosts.values()) host.kill();
  }

  /** The process is back: alarms are read from disk, overdue ones are called at once. */
  boot(): void {
    for (const host of this.#hosts.values()) host.alarm.schedule();
  }

  /** Counts commits and calls from here on, and has something go wrong at some of them. */
  breakAt(points: Points): void {
    this.commits = 0;
    this.calls = 0;
    this.#points = points;
  }

  entered(instance: Instance): void {
    this.#entered = instance;
  }

  committed(instance: Instance): void {
    const unsent = instance.unsent ?? [];
    instance.unsent = null;
    this.commits++;
    const { at, what, resets } = this.#points ?? NOWHERE;
    const isPoint = (what === "object" || what === "process") && at.has(this.commits);
    if (!instance.alive || !(isPoint || resets?.has(this.commits))) return;
    const { className, name } = instance.host;
    if (!this.mishaps.planned("crash at a commit", () => `number ${this.commits}, of ${className} ${name}`)) return;
    for (const item of unsent) item.cancelled = true;
    if (what === "process") this.agenda.as(null, () => this.onCrash());
    else if (!instance.stale) this.agenda.as(null, () => instance.host.reset());
  }

  /** Between two turns of an instance it may be lost. */
  #interrupt(owner: Owner | null): void {
    const instance = owner instanceof Instance ? owner : this.#entered;
    this.#entered = null;
    const { interrupted, stale } = this.faults.instances ?? {};
    if (instance === null || !instance.alive || instance.stale || interrupted === undefined) return;
    const { host } = instance;
    if (!this.mishaps.happens(interrupted, "object reset", () => `${host.className} ${host.name}`)) return;
    if (this.mishaps.happens(stale, "instance goes on", () => host.name)) host.replace();
    else host.reset();
  }

  /** What goes wrong at this call by plan. */
  #planned(detail: () => string): "lost" | "unanswered" | "late" | null {
    const { at, what } = this.#points ?? NOWHERE;
    if (!at.has(++this.calls) || what === "object" || what === "process") return null;
    return this.mishaps.planned(`call ${what}`, () => `number ${this.calls}, ${detail()}`) ? what : null;
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
          return (...values: unknown[]) => this.#message(this.#host(objectClass, name), method, copyOf(values));
        },
      },
    );
  }

  /** There, and the answer back; both take time and may be lost. A caller that is gone gets no answer. */
  #message(host: Host, method: string, values: readonly unknown[]): Promise<unknown> {
    const caller = this.agenda.owner;
    const called = () => `${method} of ${host.className} ${host.name}`;
    return new Promise((resolve, reject) => {
      const answer = (how: () => void) => this.agenda.after(this.latency(), how, caller);
      const broken = () => reject(new Error(`Network connection lost (${method}).`));
      this.agenda.after(
        this.latency(),
        () => {
          const { lost, unanswered, reset, overloaded, late } = this.faults.calls;
          const point = this.#planned(called);
          if (point === "lost" || this.mishaps.happens(lost, "call lost", called)) return void answer(broken);
          if (point === "late" || this.mishaps.happens(late, "call late", called)) {
            answer(broken);
            const call = () => void host.call(method, values).catch((error: unknown) => this.noted(String(error)));
            return void this.agenda.after(this.mishaps.between(0, LATE), call, null);
          }
          if (this.mishaps.happens(overloaded, "call refused", called)) return void answer(() => reject(overload()));
          if (this.mishaps.happens(reset, "object reset", called)) host.reset();
          const silent = point === "unanswered" || this.mishaps.happens(unanswered, "call unanswered", called);
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

function overload(): Error {
  return Object.assign(new Error("Durable Object is overloaded. Too many requests queued."), { overloaded: true });
}
