import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Fence, Held, LineRef } from "../../../src/decide/capacity/line.ts";
import type { Input } from "../../../src/decide/run/decide.ts";
import { nextLook } from "../../../src/decide/run/effects.ts";
import { fenceOf, type Job } from "../../../src/decide/run/state.ts";
import { CAPACITY, RUN } from "../../../src/limits.ts";
import type { Op } from "../../../src/protocol/opcodes.ts";
import { Leases } from "../../../src/runs/leases.ts";
import type { Said } from "../../../src/runs/lines.ts";
import { limitedBy, line } from "../decide/run/limited.ts";
import { completed, planned, ran, slept, T0, TestRun } from "../decide/run/run.ts";

const STEPS = line("steps");
/** The first call of a run. */
const FIRST = { job: 1, generation: 1 };

beforeEach(() => {
  vi.useFakeTimers({ now: T0 });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A claim on its way, to be answered by the test. */
interface Claim extends Said {
  readonly line: LineRef;
  readonly known: boolean;
  /** So many units are held. `heard`: the line had heard something newer, and disregards this. */
  grant(held: number, yields?: boolean, heard?: Fence): Promise<void>;
  /** The limit is gone. */
  gone(): Promise<void>;
  fail(): Promise<void>;
}

/** A run with its lines in the hands of the test, and the calls it makes. */
class World {
  readonly run: TestRun;
  readonly claims: Claim[] = [];
  /** Every delivery so far, by job. */
  readonly delivered: number[] = [];
  readonly failures: unknown[] = [];
  readonly #inHand = new Map<number, Job>();
  readonly #delivering = new Set<number>();
  leases: Leases;

  constructor(...lines: readonly LineRef[]) {
    this.run = new TestRun(limitedBy(...lines));
    this.leases = this.#instance();
    this.advance();
  }

  /** The newest claim. */
  get claim(): Claim {
    const claim = this.claims.at(-1);
    if (claim === undefined) throw new Error("Nothing was claimed.");
    return claim;
  }

  /** What was claimed so far, in short: busy, wants. */
  get said(): [number, number][] {
    return this.claims.map(({ busy, wants }) => [busy, wants]);
  }

  advance(): void {
    if (this.run.state.outcome === null) this.leases.advance(this.run.state);
    // A reporter would do this.
    else this.leases.release(this.run.state).catch((error: unknown) => this.failures.push(error));
  }

  /** A call in hand is answered. */
  reply(job: number, ops: readonly Op[]): void {
    const fence = fenceOf(this.#leave(job));
    this.take({ kind: "reply", fence, reply: { kind: "ops", ops, version: 2, noRetry: false, retryAt: null } });
  }

  take(input: Input): void {
    this.run.now = Date.now();
    if (this.run.take(input)) this.advance();
    else this.leases.trim();
  }

  /** The line calls the run. */
  call(
    to: LineRef,
    held: number,
    { yields = false, heard = this.claim.fence }: { yields?: boolean; heard?: Fence } = {},
  ) {
    return this.leases.told(to, { held, yields, heard });
  }

  /** The object is lost with everything in hand, and loaded again. */
  reload(): void {
    for (const job of [...this.#delivering]) this.#leave(job);
    this.leases = this.#instance();
    this.leases.inherit(this.run.state, Date.now());
    this.take({ kind: "wake", delivering: new Set(), loaded: true });
  }

  #leave(id: number): Job {
    const job = this.#inHand.get(id);
    if (job === undefined) throw new Error(`Job ${id} is not in hand.`);
    this.#inHand.delete(id);
    this.#delivering.delete(id);
    return job;
  }

  #instance(): Leases {
    const say = (_state: unknown, to: LineRef, said: Said, known: boolean) =>
      new Promise<Held | null>((resolve, reject) => {
        const settle = async (answer: () => void) => {
          answer();
          await vi.advanceTimersByTimeAsync(0);
        };
        this.claims.push({
          line: to,
          known,
          ...said,
          grant: (held, yields = false, heard = said.fence) => settle(() => resolve({ held, yields, heard })),
          gone: () => settle(() => resolve(null)),
          fail: () => settle(() => reject(new Error("unreachable"))),
        });
      });
    const deliver = (job: Job) => {
      this.delivered.push(job.id);
      this.#inHand.set(job.id, job);
      this.#delivering.add(job.id);
    };
    return new Leases(
      { say },
      { delivering: this.#delivering, deliver },
      {
        state: () => this.run.state,
        take: async (input) => this.take(input),
        advance: () => this.advance(),
        failed: (error) => void this.failures.push(error),
      },
    );
  }
}

/** A run whose first call is under way. */
async function started(...lines: readonly LineRef[]): Promise<World> {
  const world = new World(...lines);
  await world.claim.grant(1);
  expect(world.delivered).toEqual([1]);
  return world;
}

describe("a line that functions share", () => {
  it("FC-5: calls a run by the name another function gave it, and the run takes what it was granted", async () => {
    const mine = { ...line("steps", "openai", "env"), expression: "'openai'" };
    const world = new World(mine);
    await world.claim.grant(0);
    expect(world.delivered).toEqual([]);
    expect(world.call({ ...mine, expression: '"openai"' }, 1)).toMatchObject({ busy: 1, wants: 0 });
    expect(world.delivered).toEqual([1]);
  });
});

describe("a run that nothing limits", () => {
  it("delivers at once and asks nobody", () => {
    const world = new World();
    expect(world.delivered).toEqual([1]);
    world.reply(1, [completed(null)]);
    expect(world.claims).toEqual([]);
  });
});

describe("units of a limit on steps", () => {
  it("FC-1: the first call waits for its unit, and its row is written before it", async () => {
    const world = new World(STEPS);
    expect(world.delivered).toEqual([]);
    expect(world.claim).toMatchObject({ line: STEPS, busy: 0, wants: 1, known: false, fence: { sequence: 1 } });
    await vi.advanceTimersByTimeAsync(50);
    await world.claim.grant(1);
    expect(world.delivered).toEqual([1]);
    expect(world.run.state).toMatchObject({ startedAt: T0 + 50, sequence: 2 });
  });

  it("three steps and the end cost two claims", async () => {
    const world = await started(STEPS);
    world.reply(1, [ran("a")]);
    world.reply(2, [ran("b")]);
    world.reply(3, [ran("c")]);
    world.reply(4, [completed(null)]);
    expect(world.delivered).toEqual([1, 2, 3, 4]);
    expect(world.said).toEqual([
      [0, 1],
      [0, 0],
    ]);
    expect(world.claims[1]?.fence.stamp).toBeGreaterThan(world.claims[0]?.fence.stamp ?? Number.NaN);
  });

  it("FC-2: a run that sleeps gives its unit back at once, and asks again when it wakes", async () => {
    const world = await started(STEPS);
    world.reply(1, [slept("s", "10s")]);
    expect(world.said.at(-1)).toEqual([0, 0]);
    await world.claim.grant(0);
    await vi.advanceTimersByTimeAsync(10_000);
    world.take({ kind: "wake", delivering: new Set() });
    expect(world.said.at(-1)).toEqual([0, 1]);
    expect(world.claim.known).toBe(false);
  });

  it("of parallel steps as many execute as there are units, the oldest first, and no unit is asked for twice", async () => {
    const world = await started(STEPS);
    world.reply(1, [planned("a"), planned("b"), planned("c")]);
    // The unit of the first call passes to the first step.
    expect(world.delivered).toEqual([1, 2]);
    expect(world.said.at(-1)).toEqual([1, 2]);
    await world.claim.grant(2);
    expect(world.delivered).toEqual([1, 2, 3]);
    expect(world.leases.waiting(world.run.state)).toEqual(new Map([[4, STEPS]]));
    world.reply(3, [ran("b")]);
    expect(world.delivered).toEqual([1, 2, 3, 4]);
    expect(world.said.at(-1)).toEqual([2, 0]);
    await world.claim.grant(2);
    world.reply(4, [ran("c")]);
    expect(world.said.at(-1)).toEqual([1, 0]);
  });

  it("FC-8: a unit that yields goes back at the end of its step, and its run stands in line again", async () => {
    const world = await started(STEPS);
    expect(world.call(STEPS, 1, { yields: true })).toMatchObject({ busy: 1, wants: 0 });
    world.reply(1, [ran("a")]);
    expect(world.delivered).toEqual([1]);
    expect(world.said.at(-1)).toEqual([0, 1]);
    await world.claim.grant(0);
    expect(world.delivered).toEqual([1]);
    expect(world.call(STEPS, 1)).toMatchObject({ busy: 1, wants: 0 });
    expect(world.delivered).toEqual([1, 2]);
  });

  it("a step that ended while its claim was on its way has used up what the answer still counts", async () => {
    const world = await started(STEPS);
    world.reply(1, [planned("a"), planned("b")]);
    const claim = world.claim;
    world.reply(2, [ran("a")]);
    await claim.grant(1, true);
    expect(world.delivered).toEqual([1, 2]);
    expect(world.said.at(-1)).toEqual([0, 1]);
  });

  it("FC-11: without its limit a run goes on, and asks again when that is no longer sure", async () => {
    const world = new World(STEPS);
    await world.claim.gone();
    expect(world.delivered).toEqual([1]);
    world.reply(1, [ran("a")]);
    expect(world.delivered).toEqual([1, 2]);
    await vi.advanceTimersByTimeAsync(CAPACITY.gone);
    world.reply(2, [ran("b")]);
    expect(world.delivered).toEqual([1, 2]);
    expect(world.said.at(-1)).toEqual([0, 1]);
  });
});

describe("several lines", () => {
  const [start, whole, wide] = [line("starts"), line("runs"), line("steps", "A", "account")];

  it("are asked one after the other, and what is held waits for the rest", async () => {
    const world = new World(start, whole, STEPS, wide);
    for (const one of [start, whole, STEPS]) {
      expect(world.claim.line).toEqual(one);
      await world.claim.grant(1);
    }
    expect(world.claim.line).toEqual(wide);
    await world.claim.grant(0);
    expect(world.delivered).toEqual([]);
    expect(world.claims).toHaveLength(4);
    // The start is not asked for again, should this instance be lost.
    expect(world.run.state).toMatchObject({ admitted: true, startedAt: null });
    expect(world.leases.waiting(world.run.state)).toEqual(new Map([[1, wide]]));
    expect(world.call(wide, 1)).toMatchObject({ busy: 1, wants: 0 });
    expect(world.delivered).toEqual([1]);
  });

  it("I4: a run that one line lets go on to the next looks after itself until that one knows of it", async () => {
    const world = new World(STEPS, wide);
    await world.claim.grant(0);
    // It has stood in line for long enough that the line is trusted to call.
    world.take({ kind: "wake", delivering: new Set(), waiting: new Set(world.leases.waiting(world.run.state).keys()) });
    expect(world.run.state.jobs.get(1)?.lined).toBe(true);
    world.call(STEPS, 1);
    expect(world.claim).toMatchObject({ line: wide, wants: 1 });
    // Should the claim and this instance be lost now, only the alarm is left.
    expect(world.run.state).toMatchObject({ startedAt: null });
    expect(nextLook(world.run.state, Date.now(), RUN.watchdog.first)).toBe(Date.now() + RUN.watchdog.first);
    await world.claim.grant(1);
    expect(world.delivered).toEqual([1]);
  });

  it("FC-13: a whole run's unit is kept through sleeps and given back at the end", async () => {
    const world = await started(whole);
    world.reply(1, [slept("s", "1h")]);
    expect(world.claims).toHaveLength(1);
    expect(world.call(whole, 1)).toMatchObject({ busy: 1, wants: 0 });
    await vi.advanceTimersByTimeAsync(3_600_000);
    world.take({ kind: "wake", delivering: new Set() });
    expect(world.delivered).toEqual([1, 2]);
    world.reply(2, [completed(null)]);
    expect(world.said.at(-1)).toEqual([0, 0]);
  });

  it("FC-17: a throttle is asked for the start and never again", async () => {
    const world = await started(start);
    world.reply(1, [slept("s", "1h")]);
    await vi.advanceTimersByTimeAsync(3_600_000);
    world.take({ kind: "wake", delivering: new Set() });
    world.reply(2, [completed(null)]);
    expect(world.said).toEqual([[0, 1]]);
  });
});

describe("FC-10: a line that calls", () => {
  it("FC-17: whose answers were lost has nothing to be told of a start, and the run's end does not wait for it", async () => {
    const world = new World(line("starts"));
    await world.claim.fail();
    expect(world.call(line("starts"), 1)).toMatchObject({ wants: 0 });
    expect(world.delivered).toEqual([1]);
    world.reply(1, [completed(null)]);
    expect(world.run.state.outcome).not.toBeNull();
    await expect(world.leases.release(world.run.state)).resolves.toBeUndefined();
  });

  it("gives a unit to a run that stands in line and has said nothing since", async () => {
    const world = new World(STEPS);
    await world.claim.grant(0);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(world.call(STEPS, 1)).toMatchObject({ busy: 1, wants: 0, fence: { sequence: 2 } });
    expect(world.delivered).toEqual([1]);
    expect(world.claims).toHaveLength(1);
  });

  it("gives nothing to a run that has given up since: it says so, and asks anew what is its own", async () => {
    const world = await started(STEPS);
    const old = world.claim.fence;
    world.reply(1, [planned("a"), slept("s", "1h")]);
    world.reply(2, [ran("a")]);
    await world.claim.grant(0);
    // This call was sent before the line heard that the unit came back.
    expect(world.call(STEPS, 1, { heard: old })).toMatchObject({ busy: 0, wants: 0 });
    expect(world.said.slice(1)).toEqual([
      [0, 0],
      [0, 0],
    ]);
    await vi.advanceTimersByTimeAsync(3_600_000);
    world.take({ kind: "wake", delivering: new Set() });
    expect(world.delivered).toEqual([1, 2]);
  });

  it("and is called for nothing is told so", async () => {
    const world = await started(STEPS);
    world.reply(1, [slept("s", "1h")]);
    await world.claim.grant(0);
    const claims = world.claims.length;
    expect(world.call(STEPS, 0)).toMatchObject({ busy: 0, wants: 0 });
    expect(world.claims).toHaveLength(claims);
  });

  it("crosses an answer: nobody knows which is newer, so the run asks again and uses nothing until then", async () => {
    const world = new World(STEPS);
    const claim = world.claim;
    const before = { sequence: 0, stamp: 0 };
    expect(world.call(STEPS, 1, { heard: before })).toMatchObject({ busy: 0, wants: 1, fence: claim.fence });
    await claim.grant(1);
    expect(world.delivered).toEqual([]);
    expect(world.claims).toHaveLength(2);
    await world.claim.grant(1);
    expect(world.delivered).toEqual([1]);
  });

  it("crosses the answer to a claim that it has heard: the call is the newer one", async () => {
    const world = new World(STEPS);
    const claim = world.claim;
    expect(world.call(STEPS, 1)).toMatchObject({ busy: 0, wants: 1, fence: claim.fence });
    await claim.grant(0);
    expect(world.delivered).toEqual([1]);
    expect(world.claims).toHaveLength(1);
    world.reply(1, [ran("a")]);
    expect(world.delivered).toEqual([1, 2]);
  });

  it("learns that a run has ended, or that it is none of its own", async () => {
    const world = await started(STEPS);
    expect(world.call(line("steps", "other"), 1)).toBeNull();
    world.reply(1, [completed(null)]);
    expect(world.call(STEPS, 1)).toBeNull();
  });
});

describe("FC-10: calls that outlive their run or their instance", () => {
  it("a call that goes on after the end keeps its unit, and gives it back when it has ended", async () => {
    const world = await started(STEPS);
    world.reply(1, [planned("a"), planned("b")]);
    await world.claim.grant(2);
    world.take({ kind: "failed", error: { name: "E", message: "over" } });
    expect(world.claims).toHaveLength(2);
    expect(world.call(STEPS, 2)).toMatchObject({ busy: 2, wants: 0 });
    world.reply(2, [ran("a")]);
    expect(world.said.at(-1)).toEqual([1, 0]);
    await world.claim.grant(1);
    world.reply(3, [ran("b")]);
    expect(world.said.at(-1)).toEqual([0, 0]);
    await world.claim.grant(0);
    await expect(world.leases.release(world.run.state)).resolves.toBeUndefined();
  });

  it("another instance claims nothing while a lost call may go on, but keeps its unit when the line asks", async () => {
    const world = await started(STEPS);
    world.reload();
    expect(world.claims).toHaveLength(1);
    const claims = { heard: world.claim.fence };
    expect(world.call(STEPS, 1, claims)).toMatchObject({ busy: 1, wants: 0 });
    expect(world.call(STEPS, 0, claims)).toMatchObject({ busy: 0, wants: 1 });
    expect(world.delivered).toEqual([1]);
    await vi.advanceTimersByTimeAsync(CAPACITY.orphan);
    world.take({ kind: "wake", delivering: new Set() });
    expect(world.claim).toMatchObject({ busy: 0, wants: 1, known: true });
    await world.claim.grant(1);
    expect(world.delivered).toEqual([1, 1]);
  });

  it("an instance that is woken by its line verifies what it was given", async () => {
    const world = new World(STEPS);
    await world.claim.grant(0);
    world.take({ kind: "wake", delivering: new Set(), waiting: new Set([1]) });
    world.reload();
    const { fence } = world.claims[0] ?? world.claim;
    expect(world.call(STEPS, 1, { heard: fence })).toMatchObject({ busy: 0, wants: 1 });
    expect(world.delivered).toEqual([]);
    await world.claim.grant(1);
    expect(world.delivered).toEqual([1]);
    expect(world.run.state.jobs.get(1)).toMatchObject({ lined: false });
  });

  it("a call that was lost keeps its unit after another one has ended the run, and gives it back when it has had its time", async () => {
    const world = await started(STEPS);
    world.reply(1, [planned("a"), planned("b")]);
    await world.claim.grant(2);
    const [, a] = [...world.run.state.jobs.values()].map(fenceOf);
    world.reload();
    const { fence } = world.claim;
    if (a === undefined) throw new Error("Two steps are under way.");
    world.take({ kind: "checkpoint", fence: a, ops: [completed(null)] });
    expect(world.run.state.outcome?.status).toBe("completed");
    // Only the call that has said its last word is over.
    expect(world.call(STEPS, 2, { heard: fence })).toMatchObject({ busy: 1, wants: 0 });
    expect(world.claims).toHaveLength(2);
    expect(world.leases.owedAt(world.run.state)).toBe(T0 + CAPACITY.orphan);
    await vi.advanceTimersByTimeAsync(CAPACITY.orphan);
    expect(world.leases.owedAt(world.run.state)).toBe(Date.now());
    world.advance();
    expect(world.said.at(-1)).toEqual([0, 0]);
    expect(world.leases.owedAt(world.run.state)).toBe(Date.now());
    await world.claim.grant(0);
    expect(world.leases.owedAt(world.run.state)).toBeNull();
    expect(world.call(STEPS, 0)).toBeNull();
    expect(world.failures).toEqual([]);
  });

  it("calls that outlast their run keep their units when their instance is lost too", async () => {
    const world = await started(STEPS);
    world.reply(1, [planned("a"), planned("b"), planned("c")]);
    await world.claim.grant(3);
    world.reply(4, [ran("c")]);
    await world.claim.grant(2);
    world.take({ kind: "failed", error: { name: "E", message: "over" } });
    expect(world.leases.owedAt(world.run.state)).toBe(Number.POSITIVE_INFINITY);
    const { fence } = world.claim;
    await vi.advanceTimersByTimeAsync(60_000);
    world.reload();
    world.advance();
    expect(world.claims).toHaveLength(3);
    expect(world.call(STEPS, 2, { heard: fence })).toMatchObject({ busy: 2, wants: 0 });
    expect(world.leases.owedAt(world.run.state)).toBe(Date.now() + CAPACITY.orphan);
    await vi.advanceTimersByTimeAsync(CAPACITY.orphan);
    world.advance();
    expect(world.said.at(-1)).toEqual([0, 0]);
    await world.claim.grant(0);
    expect(world.leases.owedAt(world.run.state)).toBeNull();
    expect(world.failures).toEqual([]);
  });

  it("I5: a call that ended its run by a report, or is told to stop, gives its unit back although its instance is lost before it is answered", async () => {
    const ends: Input[][] = [
      [
        { kind: "cancel", cause: { by: "user" }, executing: new Set([1]) },
        { kind: "checkpoint", fence: FIRST, ops: [ran("a")] },
      ],
      [{ kind: "checkpoint", fence: FIRST, ops: [completed(null)] }],
    ];
    for (const inputs of ends) {
      const world = await started(STEPS);
      for (const input of inputs) world.take(input);
      expect(world.run.state.outcome).not.toBeNull();
      // Its reply will give it back.
      expect([world.claims.length, world.leases.owedAt(world.run.state)]).toEqual([1, Number.POSITIVE_INFINITY]);
      world.reload();
      world.advance();
      expect(world.leases.owedAt(world.run.state)).toBe(Date.now() + CAPACITY.orphan);
      await vi.advanceTimersByTimeAsync(CAPACITY.orphan);
      world.advance();
      expect(world.said.at(-1)).toEqual([0, 0]);
      await world.claim.grant(0);
      expect([world.leases.owedAt(world.run.state), world.failures]).toEqual([null, []]);
    }
  });

  it("an instance that finds its run ended tells every line, because an earlier one may not have", async () => {
    const world = new World(line("runs"), STEPS);
    await world.claim.grant(1);
    await world.claim.grant(1);
    world.reply(1, [completed(null)]);
    const told = world.claims.length;
    world.reload();
    world.advance();
    expect(world.said.slice(told)).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(world.claims.slice(told).every(({ known }) => known)).toBe(true);
  });
});

describe("a line that cannot be reached", () => {
  it("I4: a run whose listeners could not be registered yet stands in no line, which nobody has told of it", async () => {
    const run = new TestRun(limitedBy(STEPS));
    const leases = new Leases(
      { say: () => Promise.reject(new Error("Nothing is to be said.")) },
      { delivering: new Set(), deliver: () => undefined },
      { state: () => run.state, take: async () => undefined, advance: () => undefined, failed: () => undefined },
    );
    expect(leases.waiting(run.state)).toEqual(new Map());
  });

  it("is asked again, ever later, and nothing is delivered meanwhile", async () => {
    const world = new World(STEPS);
    await world.claim.fail();
    expect(world.failures).toHaveLength(1);
    expect(world.leases.waiting(world.run.state)).toEqual(new Map());
    await vi.advanceTimersByTimeAsync(CAPACITY.retry.first);
    expect(world.claims).toHaveLength(2);
    await world.claim.fail();
    await vi.advanceTimersByTimeAsync(CAPACITY.retry.first);
    expect(world.claims).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(CAPACITY.retry.first);
    expect(world.claims).toHaveLength(3);
    await world.claim.grant(1);
    expect(world.delivered).toEqual([1]);
  });

  it("I4, row 9: is told again what it took for old, because an earlier instance of the run had a clock that was ahead", async () => {
    vi.setSystemTime(T0 + 10_000);
    const world = new World(STEPS);
    await world.claim.grant(0);
    const before = world.claim.fence;
    vi.setSystemTime(T0 + 7000);
    world.reload();
    world.advance();
    expect(world.claim.fence.stamp).toBeLessThan(before.stamp);
    await world.claim.grant(0, false, before);
    expect(world.said).toEqual([
      [0, 1],
      [0, 1],
      [0, 1],
    ]);
    expect(world.claim.fence).toEqual({ sequence: 1, stamp: before.stamp + 1 });
    await world.claim.grant(1);
    expect(world.delivered).toEqual([1]);
    // One that has been replaced has less to say than its successor, and does not repeat it.
    const { sequence, stamp } = world.claim.fence;
    world.reply(1, [completed(null)]);
    await world.claim.grant(0, false, { sequence: sequence + 9, stamp });
    expect(world.claims).toHaveLength(4);
  });

  it("keeps the end of a run open until it has heard of it", async () => {
    const world = await started(STEPS);
    world.reply(1, [completed(null)]);
    await world.claim.fail();
    expect(world.failures).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(CAPACITY.retry.max);
    // Whoever reports the end repeats it.
    expect(world.claims).toHaveLength(2);
    const again = world.leases.release(world.run.state);
    await world.claim.grant(0);
    await expect(again).resolves.toBeUndefined();
    await world.leases.release(world.run.state);
    expect(world.claims).toHaveLength(3);
  });

  it("FC-12: a run that has stood in line for very long asks whether it still does", async () => {
    const world = new World(STEPS);
    await world.claim.grant(0);
    await vi.advanceTimersByTimeAsync(CAPACITY.look / 2 - 1);
    world.advance();
    expect(world.claims).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    world.advance();
    expect(world.said).toEqual([
      [0, 1],
      [0, 1],
    ]);
  });
});
