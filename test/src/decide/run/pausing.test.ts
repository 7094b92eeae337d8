import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { needs, passing } from "../../../../src/decide/run/acquisition.ts";
import { isGrantNews } from "../../../../src/decide/run/admission.ts";
import type { Input } from "../../../../src/decide/run/decide.ts";
import { isDormant, nextLook } from "../../../../src/decide/run/effects.ts";
import type { RunFlow } from "../../../../src/decide/run/flow.ts";
import { workOf } from "../../../../src/decide/run/lines.ts";
import { concerns, type Standing } from "../../../../src/decide/run/pausing.ts";
import { fenceOf, isStopped, memoOf } from "../../../../src/decide/run/state.ts";
import { PAUSE } from "../../../../src/limits.ts";
import type { Op } from "../../../../src/protocol/opcodes.ts";
import { limitedBy, line } from "./limited.ts";
import { completed, planned, ran, slept, T0, TestRun } from "./run.ts";

const step = (id: string) => ({ id, label: { name: id, type: null }, race: false, metadata: [] });
const waits = (id: string, until: string): Op => ({ op: "wait", event: "app/ok", condition: null, until, ...step(id) });
const invokes = (id: string): Op => ({ op: "invoke", functionId: "shop-child", payload: {}, until: null, ...step(id) });

const flow = (timeouts: Partial<RunFlow["timeouts"]>): RunFlow => ({
  lines: [],
  priority: 0,
  priorityError: null,
  singleton: null,
  timeouts: { start: null, finish: null, ...timeouts },
  cancelOn: [],
});

const paused = (since: number, running: "hold" | "cancel" = "hold"): Standing => ({
  paused: { since, running },
  resumed: null,
});
const resumed = (since: number, until: number, running: "hold" | "cancel" = "hold"): Standing => ({
  paused: null,
  resumed: { since, until, running },
});
const UNTOUCHED: Standing = { paused: null, resumed: null };

/** The run looks at its function; `executing` are the jobs in flight. */
const looks = (standing: Standing, executing: readonly number[] = []): Input => ({
  kind: "wake",
  delivering: new Set(executing),
  standing,
});

const CAUSE = { status: "cancelled", cause: { by: "pause" } };

describe("a run whose function is paused", () => {
  it("CR-15: begins no call, keeps what is in flight, and goes on with the next step when it is resumed", () => {
    const run = new TestRun();
    run.ops([planned("a"), planned("b")]);
    const [a, b] = [run.jobOf("a"), run.jobOf("b")];
    // `b` waits for a free place when the run looks; `a` is in flight.
    expect(run.take(looks(paused(T0), [a.id]))).toBe(true);
    expect(run.due()).toEqual([]);
    run.ops([ran("a", 1)], { job: a });
    expect(memoOf(run.state)).toEqual({ a: { data: 1 } });
    expect(run.due()).toEqual([]);
    run.now += 1000;
    run.take(looks(resumed(T0, run.now)));
    run.ops([ran("b", 2)], { job: run.jobOf("b") });
    expect(memoOf(run.state)).toEqual({ a: { data: 1 }, b: { data: 2 } });
    run.output("end");
    expect(run.state.outcome).toMatchObject({ status: "completed" });
    expect(b.generation).toBe(1);
  });

  it("CR-15: a run that ends with the call in flight has ended", () => {
    const run = new TestRun();
    const job = run.job();
    run.take(looks(paused(T0), [job.id]));
    run.output("done", job);
    expect(run.state.outcome).toMatchObject({ status: "completed", output: "done" });
  });

  it("CR-15: sleeps that fall due are noted and go on at once when it is resumed", () => {
    const run = new TestRun();
    run.ops([slept("s", "1h")]);
    run.now += 3_600_000;
    run.take(looks(paused(T0 + 5)));
    expect(memoOf(run.state)).toEqual({ s: null });
    expect(run.due()).toEqual([]);
    run.take(looks(resumed(T0 + 5, run.now)));
    expect(run.job().stepId).toBeNull();
  });

  it("CR-15: waits accept events and answers meanwhile", () => {
    const run = new TestRun();
    run.ops([waits("w", "1d"), invokes("i")]);
    run.take(looks(paused(T0)));
    const payload = { name: "app/ok", data: {}, id: "e", ts: T0, user: {} };
    const event = { internalId: "e", receivedAt: T0, source: "test", deduplicationId: null, payload };
    expect(run.take({ kind: "event", stepId: "w", event })).toBe(true);
    expect(run.take({ kind: "resolved", stepId: "i", memo: { data: 5 } })).toBe(true);
    expect(run.due()).toEqual([]);
    run.take(looks(resumed(T0, T0)));
    expect(run.job().stepId).toBeNull();
    expect(memoOf(run.state)).toMatchObject({ w: { id: "e" }, i: { data: 5 } });
  });

  it("CR-15: a retry that falls due waits, and keeps its attempt", () => {
    const run = new TestRun();
    run.error();
    run.now += 1000;
    run.take(looks(paused(T0)));
    expect(run.due()).toEqual([]);
    run.take(looks(resumed(T0, run.now)));
    expect(run.job()).toMatchObject({ attempt: 1 });
  });

  it("EX-66: a checkpoint is kept, its call is told to stop, and nothing it says afterwards counts", () => {
    const run = new TestRun();
    const fence = fenceOf(run.job());
    const halted = { standing: paused(T0), executing: new Set([fence.job]) };
    run.take({ kind: "checkpoint", fence, ops: [ran("a")], pause: halted });
    expect(memoOf(run.state)).toEqual({ a: { data: "a" } });
    expect(isStopped(run.state)).toBe(true);
    const stale = { name: "StaleDispatchError", message: "stale" };
    expect(run.reply({ kind: "error", error: stale, version: 2, noRetry: true, retryAt: null }, fence)).toBe(false);
    run.take(looks(resumed(T0, T0)));
    run.output("end");
    expect(run.state.outcome).toMatchObject({ status: "completed" });
  });

  it("EX-66: a checkpoint while the function is not paused goes on", () => {
    const run = new TestRun();
    const fence = fenceOf(run.job());
    const look = { standing: UNTOUCHED, executing: new Set([fence.job]) };
    run.take({ kind: "checkpoint", fence, ops: [ran("a")], pause: look });
    expect(isStopped(run.state)).toBe(false);
    expect(run.reply({ kind: "output", output: 1, version: 2 }, fence)).toBe(true);
  });

  it("CR-16: is cancelled when the pause says so; what executes ends first", () => {
    const idle = new TestRun();
    idle.ops([slept("s", "1h")]);
    idle.take(looks(paused(T0, "cancel")));
    expect(idle.state.outcome).toMatchObject(CAUSE);
    const busy = new TestRun();
    const job = busy.job();
    busy.take(looks(paused(T0, "cancel"), [job.id]));
    expect(busy.state.outcome).toBeNull();
    busy.ops([ran("a")], { job });
    expect(busy.state.outcome).toMatchObject(CAUSE);
  });

  it("CR-16: a run that slept through a pause that cancels does not come back; one born later is none of its runs", () => {
    const run = new TestRun();
    run.ops([slept("s", "1h")]);
    run.take(looks(resumed(T0, T0 + 10, "cancel")));
    expect(run.state.outcome).toMatchObject(CAUSE);
    const later = new TestRun();
    expect(concerns(later.state, resumed(T0 - 10, T0 + 5, "cancel"))).toBe(false);
    later.take(looks(resumed(T0 - 10, T0 + 5, "cancel")));
    expect(later.state.outcome).toBeNull();
  });

  it("CR-15: a run that slept through more than 7 days of a pause does not come back either", () => {
    const run = new TestRun();
    run.ops([slept("s", "30d")]);
    run.take(looks(resumed(T0, T0 + PAUSE.hold - 1)));
    expect(run.state.outcome).toBeNull();
    run.take(looks(resumed(T0 + PAUSE.hold, T0 + 2 * PAUSE.hold)));
    expect(run.state.outcome).toMatchObject(CAUSE);
  });

  it("CR-16: a held run is cancelled when the pause becomes one that cancels", () => {
    const run = new TestRun();
    run.take(looks(paused(T0)));
    expect(concerns(run.state, paused(T0, "cancel"))).toBe(true);
    run.take(looks(paused(T0, "cancel")));
    expect(run.state.outcome).toMatchObject(CAUSE);
  });

  it("CR-16: a checkpoint of a run to be cancelled ends it at once", () => {
    const run = new TestRun();
    const fence = fenceOf(run.job());
    const halted = { standing: paused(T0, "cancel"), executing: new Set([fence.job]) };
    run.take({ kind: "checkpoint", fence, ops: [ran("a")], pause: halted });
    expect(run.state.outcome).toMatchObject(CAUSE);
  });

  it("CR-15: is cancelled after 7 days, whether it met the pause early or late, and whoever forgot to tell it", () => {
    const early = new TestRun();
    early.take(looks(paused(T0)));
    early.now = T0 + PAUSE.hold - 1;
    expect(early.take(looks(paused(T0)))).toBe(false);
    early.now++;
    early.take(looks(UNTOUCHED));
    expect(early.state.outcome).toMatchObject(CAUSE);
    const late = new TestRun({ startAt: T0 + 8 * 86_400_000 });
    late.now = T0 + 8 * 86_400_000;
    late.take(looks(paused(T0)));
    expect(late.state.outcome).toMatchObject(CAUSE);
  });

  it("CR-15: the finish time-out does not run while the function is paused", () => {
    const run = new TestRun({ flow: flow({ finish: 30_000 }) });
    run.ops([slept("s", "1h")]);
    run.now = T0 + 30_000;
    run.take(looks(paused(T0 + 10_000)));
    expect(run.state.outcome).toBeNull();
    run.now = T0 + 100_000;
    run.take(looks(resumed(T0 + 10_000, run.now)));
    expect(nextLook(run.state, run.now, 10_000)).toBe(T0 + 120_000);
    run.wake(19_999);
    expect(run.state.outcome).toBeNull();
    run.wake(1);
    expect(run.state.outcome).toMatchObject({ cause: { by: "finish_timeout" } });
  });

  it("CR-15: nor while the run slept through the pause; told twice, it gets the time once", () => {
    const run = new TestRun({ flow: flow({ finish: 30_000 }) });
    run.ops([slept("s", "1h")]);
    run.now = T0 + 25_000;
    expect(run.take(looks(resumed(T0 + 10_000, T0 + 20_000)))).toBe(true);
    expect(run.take(looks(resumed(T0 + 10_000, T0 + 20_000)))).toBe(false);
    expect(nextLook(run.state, run.now, 10_000)).toBe(T0 + 40_000);
  });

  it("CR-15: a pause that ended before the first call gives no time", () => {
    const run = new TestRun({ flow: flow({ finish: 30_000 }) });
    expect(concerns(run.state, resumed(T0 - 10_000, T0))).toBe(false);
    expect(concerns(run.state, resumed(T0 - 10_000, T0 + 1))).toBe(true);
  });

  it("CR-5: the start time-out runs on", () => {
    const run = new TestRun({ startAt: T0 + 1000, flow: flow({ start: 5000 }) });
    run.now = T0 + 1000;
    run.take(looks(paused(T0)));
    run.now = T0 + 6000;
    run.take(looks(paused(T0)));
    expect(run.state.outcome).toMatchObject({ cause: { by: "start_timeout" } });
  });
});

describe("what a run knows of pauses", () => {
  it("an old catalog neither ends a pause nor begins one that is over", () => {
    const run = new TestRun();
    run.take(looks(paused(T0 + 10)));
    for (const stale of [UNTOUCHED, resumed(T0 + 1, T0 + 5), paused(T0 + 1)]) {
      expect(run.take(looks(stale))).toBe(false);
    }
    run.now += 20;
    run.take(looks(resumed(T0 + 10, T0 + 20)));
    for (const stale of [paused(T0 + 10), paused(T0 + 1), paused(T0 + 10, "cancel")]) {
      expect(concerns(run.state, stale)).toBe(false);
      run.take(looks(stale));
      expect(run.state).toMatchObject({ suspended: null, outcome: null });
    }
  });

  it("a newer pause takes over from one that ended unnoticed, with its own 7 days", () => {
    const run = new TestRun();
    run.take(looks(paused(T0)));
    run.now = T0 + PAUSE.hold - 1;
    run.take(looks(paused(T0 + PAUSE.hold - 2)));
    run.now = T0 + PAUSE.hold + 10;
    run.take(looks(paused(T0 + PAUSE.hold - 2)));
    expect(run.state).toMatchObject({ suspended: { since: T0 + PAUSE.hold - 2 }, outcome: null });
  });

  it("a later pause that is over ends every earlier one", () => {
    const run = new TestRun();
    run.take(looks(paused(T0)));
    run.take(looks(resumed(T0 + 50, T0 + 60)));
    expect(run.state).toMatchObject({ suspended: null, pausesOver: T0 + 50 });
  });

  it("a held run looks again after as long as it was held, and at the end of the 7 days", () => {
    const run = new TestRun();
    run.take(looks(paused(T0)));
    const { first, max } = PAUSE.look;
    const look = (after: number) => (nextLook(run.state, T0 + after, 10_000) ?? 0) - T0 - after;
    expect(look(0)).toBe(first);
    expect(look(60_000)).toBe(60_000);
    expect(look(PAUSE.hold / 2)).toBe(max);
    expect(look(PAUSE.hold - 1000)).toBe(1000);
    expect(isDormant(run.state, true, T0 + 60_000)).toBe(true);
  });

  it("a held run still wakes for its sleeps and time-outs", () => {
    const run = new TestRun();
    run.ops([waits("w", "3s")]);
    run.take(looks(paused(T0)));
    expect(nextLook(run.state, T0, 10_000)).toBe(T0 + 3000);
  });
});

describe("the places of a held run", () => {
  const runs = line("runs", "k", "env");
  const standing = (held: number, told: number | null = held) => {
    return { line: runs, held, told, doubtful: false, asking: false, yields: false, gone: false };
  };
  const work = (run: TestRun, executing = 0) => workOf(run.state, executing, run.due().length, run.now);

  it("CR-18: its place among the whole runs goes back, is asked for again afterwards, and then kept as before", () => {
    const run = new TestRun(limitedBy(runs));
    run.take({ kind: "granted", jobs: [1], admitted: false });
    expect(needs([standing(1)], work(run, 1))).toEqual([{ busy: 1, wants: 0, tell: false }]);
    run.ops([slept("s", "1h")]);
    run.take(looks(paused(T0)));
    expect(needs([standing(1)], work(run))).toEqual([{ busy: 0, wants: 0, tell: true }]);
    // An instance that does not know what an earlier one held tells the line as well, once.
    expect(needs([standing(0, null)], work(run))[0]?.tell).toBe(true);
    expect(needs([standing(0, 0)], work(run))[0]?.tell).toBe(false);
    run.now += 3_600_000;
    run.take(looks(resumed(T0, run.now)));
    expect(passing([standing(0)], work(run))).toEqual([0]);
    expect(needs([standing(0)], work(run))).toEqual([{ busy: 0, wants: 1, tell: true }]);
    expect(passing([standing(1)], work(run))).toEqual([1]);
    const jobs = run.due();
    expect(isGrantNews(run.state, jobs, false)).toBe(true);
    run.take({ kind: "granted", jobs: jobs.map(({ id }) => id), admitted: false });
    expect(isGrantNews(run.state, jobs, false)).toBe(false);
    expect(passing([standing(0, null)], work(run))).toEqual([1]);
    expect(run.state.startedAt).toBe(T0);
  });

  it("CR-18: it keeps its place while something of it executes", () => {
    const run = new TestRun(limitedBy(runs));
    run.take({ kind: "granted", jobs: [1], admitted: false });
    run.take(looks(paused(T0), [1]));
    expect(needs([standing(1)], work(run, 1))).toEqual([{ busy: 1, wants: 0, tell: false }]);
    expect(needs([standing(1)], work(run))).toEqual([{ busy: 0, wants: 0, tell: true }]);
  });

  it("CR-18: units of executing steps go back too, and a job that stood in a line asks again afterwards", () => {
    const steps = { ...standing(1), line: line("steps") };
    const run = new TestRun(limitedBy(steps.line));
    run.take({ kind: "granted", jobs: [1], admitted: false });
    run.ops([slept("s", "1s")]);
    run.now += 1000;
    run.take(looks(paused(T0)));
    expect(needs([steps], work(run))).toEqual([{ busy: 0, wants: 0, tell: true }]);
    run.take(looks(resumed(T0, run.now)));
    expect(needs([{ ...steps, held: 0, told: 0 }], work(run))).toEqual([{ busy: 0, wants: 1, tell: true }]);
  });
});

describe("a pause against everything else, in both orders", () => {
  type Happening = (run: TestRun) => void;
  const PAIRS: Record<string, { open: (run: TestRun) => void; happens: Happening; leads: object }> = {
    "a step's success": {
      open: () => {},
      happens: (run) => run.ops([ran("a")], { job: jobNow(run) }),
      leads: { due: 1, steps: ["a"] },
    },
    "a step's failure": {
      open: () => {},
      happens: (run) =>
        run.reply({ kind: "error", error: ERROR, version: 2, noRetry: false, retryAt: T0 }, fenceNow(run)),
      leads: { due: 1, steps: [] },
    },
    "a retry that falls due": {
      open: (run) => run.error(),
      happens: (run) => run.wake(1000),
      leads: { due: 1, steps: [] },
    },
    "a match": {
      open: (run) => run.ops([waits("w", "1h")]),
      happens: (run) => run.take({ kind: "resolved", stepId: "w", memo: { id: "e" } }),
      leads: { due: 1, steps: ["w"] },
    },
    "a wait's time-out": {
      open: (run) => run.ops([waits("w", "1s")]),
      happens: (run) => run.wake(1000),
      leads: { due: 1, steps: ["w"] },
    },
    "a child's end": {
      open: (run) => run.ops([invokes("i")]),
      happens: (run) => run.take({ kind: "resolved", stepId: "i", memo: { data: 1 } }),
      leads: { due: 1, steps: ["i"] },
    },
    "a cancellation": {
      open: (run) => run.ops([slept("s", "1h")]),
      happens: (run) => run.take({ kind: "cancel", cause: { by: "api" }, executing: new Set() }),
      leads: { due: 0, status: "cancelled" },
    },
    "the end": {
      open: () => {},
      happens: (run) => run.ops([completed(1)], { job: jobNow(run) }),
      leads: { due: 0, status: "completed" },
    },
  };
  const ERROR = { name: "Error", message: "boom" };
  const jobNow = (run: TestRun) => [...run.state.jobs.values()][0] ?? run.job();
  const fenceNow = (run: TestRun) => fenceOf(jobNow(run));
  const inFlight = (run: TestRun) =>
    [...run.state.jobs.values()].filter((job) => job.due <= run.now).map(({ id }) => id);
  const outcome = (run: TestRun) => ({
    due: run.due().length,
    ...(run.state.outcome === null ? { steps: [...run.state.stack] } : { status: run.state.outcome.status }),
  });

  it.each(Object.entries(PAIRS))("CR-15: pausing against %s", (_, { open, happens, leads }) => {
    for (const pausedFirst of [true, false]) {
      const run = new TestRun();
      open(run);
      const pause = () => run.take(looks(paused(T0), inFlight(run)));
      if (pausedFirst) pause();
      happens(run);
      if (!pausedFirst) pause();
      expect(run.due()).toEqual([]);
      run.take(looks(resumed(T0, run.now)));
      expect(outcome(run)).toEqual(leads);
    }
  });

  it("CR-15: whatever old catalogs it saw, after a fresh one it is held exactly while its function is paused", () => {
    // What catalogs say as time passes: nothing, the first pause, its end, the second pause, …
    const catalog = (age: number): Standing => {
      const since = T0 + 10 * Math.ceil(age / 2);
      if (age === 0) return UNTOUCHED;
      return age % 2 === 1 ? paused(since) : resumed(since, since + 5);
    };
    const ages = fc.array(fc.integer({ min: 0, max: 8 }), { maxLength: 12 });
    fc.assert(
      fc.property(ages, fc.integer({ min: 0, max: 8 }), (seen, newest) => {
        const run = new TestRun({ flow: flow({ finish: 1_000_000 }) });
        for (const age of [...seen.map((one) => Math.min(one, newest)), newest]) {
          run.now++;
          const known = ({ state: { suspended, pausesOver, pausedFor } }: TestRun) => ({
            suspended,
            pausesOver,
            pausedFor,
          });
          const before = known(run);
          const needed = concerns(run.state, catalog(age));
          run.take(looks(catalog(age)));
          if (!needed) expect(known(run)).toEqual(before);
        }
        expect(run.state.suspended === null).toBe(newest % 2 === 0);
        expect(run.due().length).toBe(newest % 2 === 0 ? 1 : 0);
      }),
    );
  });
});
