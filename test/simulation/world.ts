/**
 * A seeded world (faults.md §4, layer S): the engine's own objects, consumers and routing on a simulated platform, an app, a clock, and
 * what goes wrong. Owns how a world is made, killed and brought to rest. A seed and the options say everything about a schedule.
 */
import { Capacity } from "../../durable-objects/capacity.ts";
import { Directory } from "../../durable-objects/directory.ts";
import { Environment } from "../../durable-objects/environment.ts";
import { Operation } from "../../durable-objects/operation.ts";
import { Run } from "../../durable-objects/run.ts";
import { Schedule } from "../../durable-objects/schedule.ts";
import { Waits } from "../../durable-objects/waits.ts";
import { Window } from "../../durable-objects/window.ts";
import { forgetCatalog } from "../../src/apps/catalog.ts";
import { registerApp } from "../../src/apps/sync.ts";
import type { Bindings } from "../../src/bindings.ts";
import { LOCAL } from "../../src/environment.ts";
import type { AcceptedEvent } from "../../src/events/event.ts";
import { consumeFanout } from "../../src/events/fanout.ts";
import { ingest } from "../../src/events/ingest.ts";
import { consumeHistory } from "../../src/history/consume.ts";
import { encodeUlid } from "../../src/ids.ts";
import type { Json, JsonObject } from "../../src/json.ts";
import { settingsOf } from "../../src/settings.ts";
import { App, type Part } from "./app.ts";
import { Agenda, type Owner } from "./platform/agenda.ts";
import { within } from "./platform/globals.ts";
import { type CallFaults, Objects } from "./platform/objects.ts";
import { type QueueFaults, simulatedQueue } from "./platform/queue.ts";
import { type Random, seeded } from "./platform/random.ts";
import { SimulatedD1 } from "./platform/sqlite.ts";

/** A function of the world's one app: what it does, and its options as an SDK registers them. */
export interface WorldFunction {
  readonly id: string;
  readonly event: string;
  readonly parts: readonly Part[];
  readonly options: JsonObject;
}

/** What goes wrong while faults are on. */
export interface Faults {
  readonly calls: CallFaults;
  readonly queue: QueueFaults;
}

/** Everything works, in its own time. */
export const NO_FAULTS: Faults = {
  calls: { lost: 0, unanswered: 0, reset: 0, latency: [0.2, 3] },
  queue: { lost: 0, doubled: 0 },
};

/** When every world begins, ms since 1970. */
const BEGIN = Date.UTC(2026, 0, 1);

export class World {
  readonly random: Random;
  readonly agenda = new Agenda(BEGIN);
  readonly objects: Objects;
  readonly bindings: Bindings;
  readonly app: App;
  /** What the engine logged, for the report of a failing seed. */
  readonly log: string[] = [];
  #faults: Faults = NO_FAULTS;
  #requests: Owner[] = [];
  #up = true;
  readonly #functions: readonly WorldFunction[];

  constructor(seed: number, functions: readonly WorldFunction[]) {
    this.random = seeded(seed);
    this.#functions = functions;
    const noted = (line: string) => this.log.push(`${this.agenda.now.toFixed(1)} ${line}`);
    this.objects = new Objects(this.agenda, this.random, NO_FAULTS.calls, noted);
    const slugs = new Map(functions.map(({ id, parts }) => [`sim-${id}`, parts]));
    this.app = new App(this.agenda, slugs, () => this.objects.latency());
    this.bindings = this.#bind();
    this.objects.bindings = this.bindings;
  }

  #bind(): Bindings {
    const { agenda, random, objects } = this;
    const host = { agenda, random, faults: () => this.#faults.queue, request: () => this.#request() };
    const database = new SimulatedD1(() => new Promise((resolve) => void agenda.after(objects.latency(), resolve)));
    // The stand-ins have what the engine uses of the platform's types, and nothing else.
    return {
      RUN: objects.namespace(Run),
      WINDOW: objects.namespace(Window),
      CAPACITY: objects.namespace(Capacity),
      WAITS: objects.namespace(Waits),
      ENVIRONMENT: objects.namespace(Environment),
      DIRECTORY: objects.namespace(Directory),
      SCHEDULE: objects.namespace(Schedule),
      OPERATION: objects.namespace(Operation),
      DB: database,
      HISTORY: simulatedQueue("history", host, (batch) => consumeHistory(batch, this.bindings)),
      FANOUT: simulatedQueue("fanout", host, (batch) => consumeFanout(batch, this.bindings)),
      MILLRACE_MODE: "dev",
      MILLRACE_RETRY_INTERVAL: "1",
    } as unknown as Bindings;
  }

  /** Runs `work` in this world, and registers its functions first. */
  async live<T>(work: () => Promise<T>): Promise<T> {
    App.current = this.app;
    return await within(
      { agenda: this.agenda, random: this.random, noted: (line) => this.log.push(line) },
      async () => {
        await this.register(this.#functions);
        return await work();
      },
    );
  }

  /** A sync of the app with these functions. */
  async register(functions: readonly WorldFunction[]): Promise<void> {
    const url = "http://127.0.0.1:3000/api/inngest";
    const body: Json = {
      url,
      appName: "sim",
      sdk: "sim:v1",
      framework: "none",
      v: "0.1",
      deployType: "ping",
      functions: functions.map(({ id, event, options }) => {
        const runtime = { type: "http", url: `${url}?fnId=sim-${id}&stepId=step` };
        const steps = { step: { id: "step", name: "step", runtime } };
        return { id: `sim-${id}`, name: id, triggers: [{ event }], steps, ...options };
      }),
    };
    const request = {
      environment: LOCAL,
      settings: settingsOf(this.bindings),
      origin: "app",
      requestedUrl: null,
    } as const;
    await this.#await(() => registerApp(this.bindings, body, { ...request, syncId: this.#ulid(), now: Date.now() }));
  }

  /** From here on things go wrong; or nothing does any more. */
  set faults(faults: Faults) {
    this.#faults = faults;
    this.objects.faults = faults.calls;
  }

  /** An event as ingest accepts it now. */
  event(name: string, data: JsonObject): AcceptedEvent {
    const now = Math.floor(this.agenda.now);
    const internalId = this.#ulid();
    const payload = { name, data, id: internalId, ts: now, user: {} };
    return { internalId, receivedAt: now, source: "simulation", deduplicationId: null, payload };
  }

  /**
   * Sends events as a client does that repeats its send until it was accepted (EV-7). `accepted` is called once it was.
   */
  send(events: readonly AcceptedEvent[], accepted: () => void = () => undefined): void {
    const again = () =>
      void this.agenda.after(this.random.integer(100, 3000), () => this.send(events, accepted), null, "outside");
    if (!this.#up) return again();
    const owner = this.#request();
    let answered = false;
    // A client whose connection broke with the process knows nothing, and sends again.
    this.agenda.after(60_000, () => answered || again(), null, "outside");
    this.agenda.as(owner, () => {
      ingest(this.bindings, LOCAL.id, events, Date.now()).then(
        () => {
          answered = true;
          this.agenda.after(0, accepted, null, "outside");
        },
        () => {
          answered = true;
          again();
        },
      );
    });
  }

  /** `kill -9`, and a start on the same data `downtime` ms later. */
  kill(downtime: number): void {
    if (!this.#up) return;
    this.#up = false;
    for (const owner of this.#requests) owner.alive = false;
    this.#requests = [];
    this.objects.kill();
    this.agenda.killProcess();
    forgetCatalog(this.bindings.DB, LOCAL.id);
    this.agenda.after(
      downtime,
      () => {
        this.#up = true;
        this.objects.boot();
      },
      null,
      "outside",
    );
  }

  #request(): Owner {
    const owner = { alive: true };
    this.#requests.push(owner);
    return owner;
  }

  /** Runs that the app has answered for the last time. */
  get endedRuns(): number {
    return this.app.ended.size;
  }

  /** Asks the engine something; resolves when it has answered. */
  async ask(work: () => Promise<unknown>): Promise<void> {
    await this.#await(work);
  }

  async #await(work: () => Promise<unknown>): Promise<void> {
    let done = false;
    let failure: unknown = null;
    this.agenda.as(this.#request(), () => {
      work().then(
        () => {
          done = true;
        },
        (error: unknown) => {
          done = true;
          failure = error;
        },
      );
    });
    await this.agenda.run(this.agenda.now + 60_000, () => done);
    if (failure !== null) throw failure;
  }

  #ulid(): string {
    this.#entropy += 1;
    const entropy = new Uint8Array(10);
    new DataView(entropy.buffer).setUint32(6, this.#entropy);
    return encodeUlid(Math.floor(this.agenda.now), entropy);
  }

  #entropy = 0;
}
