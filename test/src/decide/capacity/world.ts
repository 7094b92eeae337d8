/**
 * A line among runs that keep to the protocol and a network that does not: messages take any time, overtake each other and get lost, and
 * the line is lost and loaded again. Owns what is true: how many steps execute at this moment.
 */

import { isNewer } from "../../../../src/decide/capacity/fence.ts";
import type { Claim, Fence, Held, LineLimit, Needs } from "../../../../src/decide/capacity/line.ts";
import type { Call, WaitingLine } from "../../../../src/decide/capacity/waiting-line.ts";
import { emptyLine, NOW, Store } from "./fixtures.ts";

export interface Laws {
  readonly random: () => number;
  readonly functions: readonly { readonly id: string; readonly rank: number; limit: LineLimit }[];
  readonly runs: number;
  /** Steps of each run. */
  readonly steps: number;
  /** How likely a message is lost, and the line between two messages. */
  readonly loss: number;
  readonly crash: number;
  /** Calls of an instance that is gone still arrive (faults: a stale twin). */
  readonly twins: boolean;
  /** Runs look at what the line had heard when it called. Without it they are safe only while the line is never lost. */
  readonly strict: boolean;
}

/** A run: its steps come one after the other, sometimes several at once. */
class Worker {
  readonly runId: string;
  readonly score: number;
  readonly functionId: string;
  /** Steps still to be done, those that execute included. */
  left: number;
  busy = 0;
  /** Units it may use. */
  held = 0;
  yields = false;
  /** A unit has done a step since it was given. */
  spent = false;
  asking = false;
  /** What it said may not have been heard. */
  doubtful = true;
  said: Fence = { sequence: 0, stamp: 0 };
  told = 0;

  constructor(score: number, functionId: string, steps: number) {
    this.runId = `r${String(score).padStart(4, "0")}`;
    this.score = score;
    this.functionId = functionId;
    this.left = steps;
  }

  say(now: number): Fence {
    this.said = { sequence: 1, stamp: Math.max(this.said.stamp + 1, now) };
    return this.said;
  }
}

type Message = () => void;

export class World {
  readonly #laws: Laws;
  readonly #store = new Store();
  readonly #messages: Message[] = [];
  /** Claims that take long. */
  readonly #late: Message[] = [];
  readonly workers: Worker[];
  line: WaitingLine;
  now = NOW;
  quiet = false;
  /** The most steps that executed at once. */
  peak = 0;
  executing = 0;
  /** When the line is woken, ms: that survives its instances. */
  #alarm = Number.POSITIVE_INFINITY;
  /** Instances of the line so far. */
  #instance = 0;

  constructor(laws: Laws) {
    this.#laws = laws;
    this.line = emptyLine();
    this.workers = Array.from({ length: laws.runs }, (_, i) => {
      const { id } = this.#pick(laws.functions);
      return new Worker(i, id, laws.steps);
    });
  }

  get rows(): number {
    return this.#store.rows;
  }

  get isDone(): boolean {
    return this.workers.every(({ left }) => left === 0);
  }

  /** Something happens. */
  step(): void {
    this.now += Math.floor(this.#laws.random() * 400);
    const { random, crash } = this.#laws;
    if (!this.quiet && random() < crash) this.#crash();
    if (random() < 0.02) this.#messages.push(...this.#late.splice(0, 1));
    if (this.#alarm <= this.now) {
      this.#alarm = Number.POSITIVE_INFINITY;
      this.#atLine(() => this.line.wake(this.#moment()));
    }
    const message =
      random() < 0.6 ? this.#messages.splice(Math.floor(random() * this.#messages.length), 1)[0] : undefined;
    if (message !== undefined) message();
    else this.#work(this.#pick(this.workers));
  }

  /** Everything is delivered, nothing is lost any more, and the runs finish. */
  settle(): void {
    this.quiet = true;
    if (this.#laws.crash > 0) this.#crash();
    this.#messages.push(...this.#late.splice(0));
    for (let i = 0; i < 100_000 && !(this.isDone && this.#messages.length === 0 && this.rows === 0); i++) this.step();
  }

  #work(worker: Worker): void {
    const { random } = this.#laws;
    if (worker.busy > 0 && random() < 0.5) {
      worker.busy--;
      worker.left--;
      this.executing--;
      worker.spent = true;
    }
    this.#begin(worker);
    const wanted = Math.min(worker.left, 2);
    const isNews =
      worker.told !== wanted || worker.held > wanted || (worker.yields && worker.spent && worker.held > worker.busy);
    if (!worker.asking && (worker.doubtful || isNews)) this.#claim(worker, wanted - worker.busy);
  }

  #begin(worker: Worker): void {
    const more = Math.min(worker.held, Math.min(worker.left, 2)) - worker.busy;
    // While a claim is on its way only what executes is certain; and a unit passes to the next step unless somebody else goes first.
    if (more <= 0 || worker.asking || (worker.yields && worker.spent)) return;
    worker.busy += more;
    this.executing += more;
    this.peak = Math.max(this.peak, this.executing);
  }

  #claim(worker: Worker, wants: number): void {
    const { functions, loss, random } = this.#laws;
    const own = functions.find(({ id }) => id === worker.functionId);
    if (own === undefined) throw new Error("no such function");
    const claim: Claim = {
      environmentId: "env",
      runId: worker.runId,
      functionId: own.id,
      fence: worker.say(this.now),
      busy: worker.busy,
      wants,
      place: { rank: own.rank, score: worker.score, tie: "" },
      limit: own.limit,
    };
    worker.held = worker.busy;
    worker.told = claim.busy + claim.wants;
    worker.asking = true;
    worker.doubtful = false;
    const failed = () => {
      worker.asking = false;
      worker.doubtful = true;
    };
    this.#send(() => {
      const arrives = () => this.#atLine(() => this.line.claim(claim, this.#moment()));
      if (!this.quiet && random() < loss) {
        // Its run is told that it was lost, while it may only be late.
        if (random() < 0.5) this.#late.push(() => void arrives());
        return this.#send(failed);
      }
      const held = arrives();
      const lost = !this.quiet && random() < loss;
      this.#send(() => (lost ? failed() : this.#answered(worker, claim.fence, held)));
    });
  }

  #answered(worker: Worker, fence: Fence, held: Held): void {
    worker.asking = false;
    // Something newer was said since: whether the line has heard that, nobody knows.
    if (isNewer(worker.said, fence)) worker.doubtful = true;
    else this.#hear(worker, held);
  }

  #hear(worker: Worker, { held, yields, heard }: Held): void {
    worker.yields = yields;
    // It may be from before what was said last: the line is asked again what of it is true.
    if (this.#laws.strict && isNewer(worker.said, heard)) {
      worker.doubtful ||= held !== worker.held;
      return;
    }
    if (held > worker.held) worker.spent = false;
    worker.held = Math.max(held, worker.busy);
  }

  #call(call: Call): void {
    const { loss, random, twins } = this.#laws;
    const worker = this.workers.find(({ runId }) => runId === call.member.runId);
    if (worker === undefined) throw new Error("a run that does not exist was called");
    const instance = this.#instance;
    const back = (how: () => void) => this.#send(() => (instance === this.#instance ? this.#atLine(how) : undefined));
    this.#send(() => {
      if (instance !== this.#instance && !twins) return;
      const { line } = this;
      if (!this.quiet && random() < loss) return back(() => line.unanswered(call, this.now));
      this.#hear(worker, call.held);
      this.#begin(worker);
      const needs = this.#needsOf(worker);
      const lost = !this.quiet && random() < loss;
      back(() => (lost ? line.unanswered(call, this.now) : line.answered(call, needs, this.#moment())));
    });
  }

  #needsOf(worker: Worker): Needs {
    if (worker.left === 0) return null;
    const wanted = Math.min(worker.left, 2);
    worker.told = wanted;
    worker.held = Math.min(worker.held, wanted);
    return { fence: worker.say(this.now), busy: worker.busy, wants: wanted - worker.busy };
  }

  /** The line does something: it is stored, and then whoever is to be called is called. */
  #atLine<T>(work: () => T): T {
    const result = work();
    this.#store.save(this.line);
    for (let call = this.line.nextCall(this.now); call !== null; call = this.line.nextCall(this.now)) this.#call(call);
    this.#alarm = Math.min(this.#alarm, this.line.dueAt(this.now) ?? Number.POSITIVE_INFINITY);
    return result;
  }

  #crash(): void {
    this.#instance++;
    this.line = this.#store.load("steps", this.now);
    this.#atLine(() => undefined);
  }

  #send(message: Message): void {
    this.#messages.push(message);
  }

  #moment() {
    return { now: this.now, random: this.#laws.random };
  }

  #pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.#laws.random() * items.length)];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  }
}
