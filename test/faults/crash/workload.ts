/**
 * What is sent during a campaign: a seeded stream of events for every function, and what has to follow some of them (cancellations, awaited
 * events, reruns, pauses). Owns the record of what the engine accepted, which is all that the checks believe of the client.
 */
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import type { Random } from "../../simulation/platform/random.ts";
import type { Message } from "./app-process.ts";
import { Client, newSeed, type WorkloadEvent } from "./client.ts";
import { type FunctionId, KEYS, slugOf } from "./plan.ts";

/** How often a function is chosen, beside the others. Limited ones seldom: a call that a kill loses holds its unit for up to 15 s. */
const WEIGHTS: readonly (readonly [FunctionId, number])[] = [
  ["steps", 3],
  ["plain", 2],
  ["parallel", 2],
  ["branches", 2],
  ["sleeper", 2],
  ["dozer", 1],
  ["waits", 2],
  ["awaits", 1],
  ["retried", 2],
  ["fails", 1],
  ["parent", 2],
  ["sender", 2],
  ["cancellable", 2],
  ["stoppable", 1.5],
  ["limited", 0.6],
  ["keyed", 0.25],
  ["shared", 0.25],
  ["throttled", 1],
  ["batched", 3],
  ["rated", 2],
  ["single", 1],
  ["replacing", 1],
  ["pausable", 1.5],
  ["burst", 0.2],
];
const TOTAL = WEIGHTS.reduce((sum, [, weight]) => sum + weight, 0);

/** Senders at the same time, and ms between two sends of one. */
const SENDERS = 4;
const REST = [100, 900] as const;
/** More events than one request starts by itself: the rest is fanned out after the reply. */
const BURST = 40;

const runsSchema = z.object({ data: z.array(z.looseObject({ run_id: z.string(), status: z.string() })) });
const rerunSchema = z.object({ data: z.looseObject({ run_id: z.string() }) });

/** An accepted event. */
export interface Sent extends WorkloadEvent {
  readonly fn: FunctionId;
  /** ms since 1970, when the first attempt began and when it was accepted. */
  readonly from: number;
  readonly at: number;
}

/** A run that was run again: one new run per request. */
export interface Again {
  readonly request: string;
  readonly original: string;
  readonly run: string;
}

export class Workload {
  readonly client: Client;
  readonly sent: Sent[] = [];
  readonly reruns: Again[] = [];
  readonly #random: Random;
  readonly #followUps: Promise<void>[] = [];
  /** What waits for the apps to tell of a key; it is given the run, where they name it. */
  readonly #heard = new Map<string, (run: string) => void>();
  #senders: readonly Promise<void>[] = [];
  #sending = true;
  #next = 0;

  constructor(url: string, random: Random) {
    this.client = new Client(url);
    this.#random = random;
  }

  /** Sends from now on. */
  begin(): void {
    this.#senders = [...Array.from({ length: SENDERS }, () => this.#sender()), this.#debouncer(), this.#pauser()];
  }

  /** Resolves when everything that was begun has been accepted. Throws when that takes longer than `patience` ms. */
  async end(patience: number): Promise<void> {
    this.#sending = false;
    const given = new AbortController();
    const late = sleep(patience, undefined, { signal: given.signal }).then(
      () => {
        const keys = [...this.#heard.keys()].join(", ") || "nobody";
        throw new Error(`After ${patience} ms requests are still unanswered; nothing was heard of the runs of ${keys}`);
      },
      () => undefined,
    );
    try {
      await Promise.race([late, Promise.all(this.#senders).then(() => Promise.all(this.#followUps))]);
    } finally {
      given.abort();
    }
  }

  /** The apps tell of a run. */
  hear(message: Message): void {
    if (message.is === "ready") return;
    this.#heard.get(message.key)?.(message.is === "asleep" ? message.run : "");
    this.#heard.delete(message.key);
  }

  async #sender(): Promise<void> {
    while (this.#sending) {
      await this.#sendOne(this.#choose());
      await sleep(this.#between(...REST));
    }
  }

  /** One after the other, so that it is known which event of a key came last. */
  async #debouncer(): Promise<void> {
    while (this.#sending) {
      await this.#send("debounced", [this.#event("debounced", this.#random.pick(KEYS))], newSeed());
      await sleep(this.#between(100, 700));
    }
  }

  async #pauser(): Promise<void> {
    const path = `/v1/functions/${slugOf("pausable")}`;
    while (this.#sending) {
      await sleep(this.#between(500, 2500));
      await this.client.insist("POST", `${path}/pause`, {});
      await sleep(this.#between(200, 1500));
      await this.client.insist("POST", `${path}/resume`, {});
    }
  }

  async #sendOne(fn: FunctionId): Promise<void> {
    const events = Array.from({ length: fn === "burst" ? BURST : 1 }, () => this.#event(fn, this.#random.pick(KEYS)));
    const [{ key }] = events.map(({ data }) => data) as [WorkloadEvent["data"]];
    if (fn === "waits" || fn === "awaits") this.#follow(this.#told(key).then(() => this.#tell("crash/go", key)));
    if (fn === "stoppable") this.#follow(this.#told(key).then((run) => this.#later(() => this.#stop(run))));
    // What has to be found again by its internal id needs one that a repetition does not change; and functions that gather take an event
    // that is sent again with the same id like any other, but not with the same seed (EV-17).
    const seeded = fn === "steps" || fn === "batched" || this.#random.chance(0.5);
    const [id = ""] = await this.#send(fn, events, seeded ? newSeed() : undefined);
    if (fn === "cancellable") this.#follow(this.#later(() => this.#tell("crash/cancel", key)));
    if (fn === "steps" && this.#random.chance(0.3)) this.#follow(this.#rerun(id, key));
  }

  async #send(fn: FunctionId, events: readonly WorkloadEvent[], seed?: string): Promise<readonly string[]> {
    const from = Date.now();
    const ids = await this.client.send(events, seed);
    const at = Date.now();
    this.sent.push(...events.map((event) => ({ ...event, fn, from, at })));
    return ids;
  }

  async #tell(name: string, key: string): Promise<void> {
    await this.client.send([{ name, id: `${name}-${key}`, data: { key } }]);
  }

  async #stop(run: string): Promise<void> {
    const { status, text } = await this.client.insist("DELETE", `/v1/runs/${run}`);
    // A repetition finds it cancelled already.
    if (status !== 200 && status !== 409) throw new Error(`A run could not be cancelled: ${status} ${text}`);
  }

  async #rerun(eventId: string, key: string): Promise<void> {
    let run = await this.#runOf(eventId);
    while (run.status === "Running" || run.status === "Scheduled") {
      await sleep(300);
      run = await this.#runOf(eventId);
    }
    const request = `again-${key}`;
    const { status, text } = await this.client.insist("POST", `/v1/runs/${run.run_id}/rerun`, { request_id: request });
    if (status !== 200) throw new Error(`A run could not be run again: ${status} ${text}`);
    this.reruns.push({ request, original: run.run_id, run: rerunSchema.parse(JSON.parse(text)).data.run_id });
  }

  /** The run of an event. History may hear of it late: a report that a kill took with it is made again after 10 s. */
  async #runOf(eventId: string): Promise<z.infer<typeof runsSchema>["data"][number]> {
    for (;;) {
      const { status, text } = await this.client.insist("GET", `/v1/events/${eventId}/runs`);
      if (status !== 200 && status !== 404) throw new Error(`Runs could not be read: ${status} ${text}`);
      const [run] = status === 404 ? [] : runsSchema.parse(JSON.parse(text)).data;
      if (run !== undefined) return run;
      await sleep(300);
    }
  }

  #told(key: string): Promise<string> {
    return new Promise((done) => {
      this.#heard.set(key, done);
    });
  }

  async #later(work: () => Promise<void>): Promise<void> {
    await sleep(this.#between(0, 1500));
    await work();
  }

  #follow(work: Promise<void>): void {
    this.#followUps.push(work);
    // Reported by `end`; until then it must not end the program.
    work.catch(() => undefined);
  }

  #event(fn: FunctionId, k: string): WorkloadEvent {
    const key = `${fn}-${this.#next++}`;
    return { name: `crash/${fn}`, id: key, data: { key, k } };
  }

  #choose(): FunctionId {
    let at = this.#random.next() * TOTAL;
    for (const [fn, weight] of WEIGHTS) {
      at -= weight;
      if (at < 0) return fn;
    }
    return "steps";
  }

  #between(least: number, most: number): number {
    return least + this.#random.next() * (most - least);
  }
}
