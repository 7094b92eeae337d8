/**
 * A seeded world (faults.md §4, layer S): the engine's own objects, consumers and routing on a simulated platform, an app, a clock, and
 * what goes wrong. Owns how a world is made, killed and asked. A seed and the options say everything about a schedule.
 */
import { forgetCatalog } from "../../src/apps/catalog.ts";
import { registerApp } from "../../src/apps/sync.ts";
import type { Bindings } from "../../src/bindings.ts";
import { type EnvironmentRef, LOCAL } from "../../src/environments/environment.ts";
import { MillraceError } from "../../src/errors.ts";
import type { AcceptedEvent } from "../../src/events/event.ts";
import { ingest } from "../../src/events/ingest.ts";
import { ensureSchema } from "../../src/history/schema.ts";
import { encodeUlid } from "../../src/ids.ts";
import type { JsonObject } from "../../src/json.ts";
import { environmentStub, runStub } from "../../src/objects.ts";
import { settingsOf } from "../../src/settings.ts";
import { App, type AppFaults, NO_APP_FAULTS } from "./app.ts";
import { Agenda, type Owner } from "./platform/agenda.ts";
import { SimulatedD1 } from "./platform/d1.ts";
import { NO_FAULTS, type Faults as PlatformFaults } from "./platform/faults.ts";
import { within } from "./platform/globals.ts";
import { Mishaps } from "./platform/mishaps.ts";
import { Objects } from "./platform/objects.ts";
import { type Random, seeded } from "./platform/random.ts";
import { bindingsOf } from "./world-bindings.ts";
import { registrationOf, type WorldFunction } from "./world-function.ts";

/** What goes wrong while faults are on. */
export interface Faults extends PlatformFaults {
  readonly app?: AppFaults;
}

/** What a client is answered: the value, or the error with which the engine refuses for good. */
export type Answer<T> = { readonly value: T } | { readonly refused: MillraceError };

/** An event that a client sent, and when it was accepted; times are ms. */
export interface Sent {
  readonly event: AcceptedEvent;
  readonly environmentId: string;
  readonly sentAt: number;
  acceptedAt: number | null;
}

/** One request to the Worker. `broken` tells its client that the connection is gone. */
interface Request extends Owner {
  broken?: () => void;
}

/** When every world begins, ms since 1970. */
const BEGIN = Date.UTC(2026, 0, 1);

/** ms after which a client gives up waiting, and asks again. */
const PATIENCE = 60_000;

export class World {
  readonly random: Random;
  readonly agenda = new Agenda(BEGIN);
  readonly mishaps: Mishaps;
  readonly objects: Objects;
  readonly database: SimulatedD1;
  readonly bindings: Bindings;
  readonly app: App;
  /** What the engine logged, for the report of a failing seed. */
  readonly log: string[] = [];
  /** Everything clients have sent, by internal id, in the order in which it was made. */
  readonly sent = new Map<string, Sent>();
  /** When the process was down, ms. */
  readonly downs: { readonly from: number; readonly until: number }[] = [];
  readonly environments: readonly EnvironmentRef[];
  #faults: Faults = NO_FAULTS;
  #requests: Request[] = [];
  #up = true;
  readonly #functions: readonly WorldFunction[];

  constructor(
    seed: number,
    functions: readonly WorldFunction[],
    {
      environments = [LOCAL],
      variables = {},
    }: { environments?: readonly EnvironmentRef[]; variables?: JsonObject } = {},
  ) {
    this.random = seeded(seed);
    this.environments = environments;
    this.#functions = functions;
    const noted = (line: string) => this.log.push(`${this.agenda.now.toFixed(1)} ${line}`);
    // Chance of its own: a schedule stays the same up to the first mishap that is left out of it.
    this.mishaps = new Mishaps(seeded(seed ^ 0x5bd1e995), () => this.agenda.now);
    this.objects = new Objects(this.agenda, this.mishaps, noted);
    // A crash at a commit takes the process along in the way every kill does.
    this.objects.onCrash = () => this.kill(50);
    const parts = functions.map(({ id, parts, checkpoints = false }) => [`sim-${id}`, { parts, checkpoints }] as const);
    this.app = new App(new Map(parts), {
      agenda: this.agenda,
      mishaps: this.mishaps,
      faults: () => this.#faults.app ?? NO_APP_FAULTS,
      latency: () => this.objects.latency(),
      send: (environmentId, name, data, accepted) => {
        this.send([this.event(name, data)], accepted, environmentId);
      },
      checkpoint: (environmentId, runId, checkpoint, answered) => {
        const told = () => runStub(this.bindings, environmentId, runId).checkpoint(checkpoint);
        this.request(told, (answer) => answered("value" in answer ? answer.value : "stale"));
      },
    });
    this.database = new SimulatedD1({
      agenda: this.agenda,
      mishaps: this.mishaps,
      faults: () => this.#faults.database,
      latency: () => this.objects.latency(),
    });
    const { agenda, mishaps } = this;
    const host = { agenda, mishaps, faults: () => this.#faults.queue, request: () => this.#request() };
    this.bindings = bindingsOf(this, host, variables);
    this.objects.bindings = this.bindings;
  }

  static #isMigrated = false;

  /** The database that all worlds of a process use has its tables before the first of them: otherwise that one would not be like the others. */
  static async #migrate(): Promise<void> {
    if (World.#isMigrated) return;
    World.#isMigrated = true;
    const { latest } = Mishaps;
    const first = new World(0, []);
    await within({ ...first, noted: () => undefined }, () => first.ask(() => ensureSchema(first.bindings.DB)));
    Mishaps.latest = latest;
  }

  /** Runs `work` in this world, and registers its functions first. */
  async live<T>(work: () => Promise<T>): Promise<T> {
    await World.#migrate();
    App.current = this.app;
    return await within(
      { agenda: this.agenda, random: this.random, noted: (line) => this.log.push(line) },
      async () => {
        for (const environment of this.environments) await this.ask(this.registration(this.#functions, environment));
        return await work();
      },
    );
  }

  /** A sync of the app with these functions. */
  registration(functions: readonly WorldFunction[], environment: EnvironmentRef = LOCAL): () => Promise<unknown> {
    const settings = settingsOf(this.bindings);
    const request = { environment, settings, origin: "app", requestedUrl: null, syncId: this.ulid() } as const;
    return () => registerApp(this.bindings, registrationOf(functions), { ...request, now: Date.now() });
  }

  /** From here on things go wrong; or nothing does any more. */
  set faults(faults: Faults) {
    this.#faults = faults;
    this.objects.faults = faults;
  }

  /** An event as ingest accepts it now. `id`: the sender's. */
  event(name: string, data: JsonObject, id: string | null = null): AcceptedEvent {
    const now = Math.floor(this.agenda.now);
    const internalId = this.ulid();
    const payload = { name, data, id: id ?? internalId, ts: now, user: {} };
    return { internalId, receivedAt: now, source: "simulation", deduplicationId: id, payload };
  }

  /**
   * Sends events as a client does that repeats its send until it was accepted (EV-7). `accepted` is called once it was.
   */
  send(
    events: readonly AcceptedEvent[],
    accepted: () => void = () => undefined,
    environmentId: string = LOCAL.id,
  ): void {
    const sent = events.map((event): Sent => ({ event, environmentId, sentAt: this.agenda.now, acceptedAt: null }));
    for (const one of sent) this.sent.set(one.event.internalId, one);
    this.request(
      () => ingest(this.bindings, environmentId, events, Date.now()),
      () => {
        for (const one of sent) one.acceptedAt = this.agenda.now;
        accepted();
      },
    );
  }

  /** A client's request, made again until the engine has answered it. `answered` is called once, with the first answer that arrived. */
  request<T>(work: () => Promise<T>, answered: (answer: Answer<T>) => void = () => undefined): void {
    let settled = false;
    const settle = (how: () => void) => {
      if (settled) return;
      settled = true;
      this.agenda.after(0, how, null, "outside");
    };
    const again = () =>
      settle(() => {
        this.agenda.after(this.random.integer(100, 3000), () => this.request(work, answered), null, "outside");
      });
    if (!this.#up) return again();
    const owner = this.#request();
    owner.broken = again;
    // An answer may be lost without anybody dying.
    this.agenda.after(PATIENCE, again, null, "outside");
    this.agenda.as(owner, () => {
      work().then(
        (value) => settle(() => answered({ value })),
        (error: unknown) => {
          if (error instanceof MillraceError) settle(() => answered({ refused: error }));
          else again();
        },
      );
    });
  }

  /** The deployment's cron trigger, every minute; a sweep that fails is not repeated. */
  sweepEveryMinute(): void {
    const sweep = () => {
      this.agenda.after(60_000, sweep, null, "outside");
      if (!this.#up) return;
      this.agenda.as(this.#request(), () => {
        environmentStub(this.bindings, LOCAL.id)
          .sweep()
          .catch((error: unknown) => this.log.push(`sweep: ${String(error)}`));
      });
    };
    this.agenda.after(60_000 - (this.agenda.now % 60_000), sweep, null, "outside");
  }

  /** `kill -9`, and a start on the same data `downtime` ms later. */
  kill(downtime: number): void {
    if (!this.#up || !this.mishaps.planned("process killed", () => `for ${downtime} ms`)) return;
    this.#up = false;
    this.downs.push({ from: this.agenda.now, until: this.agenda.now + downtime });
    const requests = this.#requests;
    this.#requests = [];
    for (const owner of requests) owner.alive = false;
    for (const owner of requests) owner.broken?.();
    this.objects.kill();
    this.agenda.killProcess();
    for (const { id } of this.environments) forgetCatalog(this.bindings.DB, id);
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

  #request(): Request {
    const owner = { alive: true };
    this.#requests.push(owner);
    return owner;
  }

  /** Runs that the app has answered for the last time. */
  get endedRuns(): number {
    return this.app.ended.size;
  }

  /** Asks the engine something; resolves with its answer. Throws what it throws. */
  async ask<T>(work: () => Promise<T>): Promise<T> {
    let outcome: { readonly value: T } | { readonly error: unknown } | null = null;
    this.agenda.as(this.#request(), () => {
      work().then(
        (value) => {
          outcome = { value };
        },
        (error: unknown) => {
          outcome = { error };
        },
      );
    });
    await this.agenda.run(this.agenda.now + PATIENCE, () => outcome !== null);
    return unwrap(outcome);
  }

  /** A new ULID of this moment. */
  ulid(): string {
    this.#entropy += 1;
    const entropy = new Uint8Array(10);
    new DataView(entropy.buffer).setUint32(6, this.#entropy);
    return encodeUlid(Math.floor(this.agenda.now), entropy);
  }

  #entropy = 0;
}

function unwrap<T>(outcome: { readonly value: T } | { readonly error: unknown } | null): T {
  if (outcome === null) throw new Error("The engine did not answer.");
  if ("error" in outcome) throw outcome.error;
  return outcome.value;
}
