/**
 * Sleeps (EX-37 … EX-39) and the forms in which SDKs write their length (protocol/04 §4.3).
 */
import { expect } from "vitest";
import { between, SLACK, type WireCase } from "../case.ts";
import { asV3, done, nap, planned, progress, run } from "../ops.ts";

/** A sleep that must be over at once, as SDKs may write it. */
function noSleep(id: string, length: string): WireCase {
  return {
    id: `at-once-${id}`,
    proves: `EX-38: a sleep of "${length}" continues at once with null`,
    script: [progress(nap("nap", length)), done()],
    calls: [{ stack: [] }, { stack: ["nap"], steps: { nap: null }, attempt: 0 }],
    check: (seen) => expect(between(seen, 0, 1)).toBeLessThan(SLACK),
  };
}

/** A sleep of so many seconds. */
function longSleep(id: string, op: ReturnType<typeof nap>, seconds: number): WireCase {
  return {
    id: `long-${id}`,
    proves: `EX-37, API-9: a sleep written as ${id} shows its wake-up time`,
    script: [progress(op)],
    at: "rest",
    calls: [{ stack: [] }],
    check: ({ jobs, calls: [first] }) => {
      expect(jobs).toMatchObject([{ kind: "sleep", attempt: 0, step: "nap" }]);
      const due = Date.parse(jobs[0]?.at ?? "") - (first?.at ?? 0);
      expect(due / 1000).toBeGreaterThanOrEqual(seconds - 0.01);
      expect(due / 1000).toBeLessThan(seconds + SLACK / 1000);
    },
  };
}

/** Cases about sleeps. */
export const SLEEPS: readonly WireCase[] = [
  {
    id: "one-second",
    proves: "EX-37: a sleep of 1 s resumes after 1 s and never before, with null as its result",
    script: [progress(nap("nap", "1s")), done()],
    calls: [{ stack: [] }, { stepId: "step", stack: ["nap"], steps: { nap: null }, attempt: 0, planning: false }],
    check: (seen) => {
      expect(between(seen, 0, 1)).toBeGreaterThanOrEqual(1_000);
      expect(between(seen, 0, 1)).toBeLessThanOrEqual(1_000 + SLACK);
    },
  },
  noSleep("empty", ""),
  noSleep("zero", "0s"),
  noSleep("past", "2023-02-01T16:30:00.000Z"),
  longSleep("1d1h1m1s", nap("nap", "1d1h1m1s"), 90_061),
  longSleep("1h 30m", nap("nap", "1h 30m"), 5_400),
  longSleep("2.5d", nap("nap", "2.5d"), 216_000),
  longSleep("opts.duration", { ...nap("nap", "nap"), opts: { duration: "10m" } }, 600),
  longSleep("366d", nap("nap", "366d"), 366 * 86_400),
  {
    id: "too-long",
    proves: "EX-38: a sleep of 400 days fails the run with timeout_too_long, naming the limit",
    script: [progress(nap("nap", "400d"))],
    status: "Failed",
    error: { code: "timeout_too_long", message: expect.stringContaining("366 days") },
    calls: [{ stack: [] }],
  },
  {
    id: "too-far",
    proves: "EX-38: so does a sleep until the year 9999",
    script: [progress(nap("nap", "9999-01-01T00:00:00.000Z"))],
    status: "Failed",
    error: { code: "timeout_too_long" },
  },
  {
    id: "beside-v2",
    proves: "EX-31, protocol/03 §3.4: a sleep beside a step, version 2: one discovery after both",
    script: (call) => {
      if (call.stepId === "p") return progress(run("p"));
      return call.number === 1 ? progress(planned("p"), nap("nap", "1s")) : done();
    },
    calls: [
      { stepId: "step", stack: [], planning: false },
      { stepId: "p", planning: true },
      { stepId: "step", stack: ["p", "nap"], steps: { p: { data: "result of p" }, nap: null }, planning: false },
    ],
  },
  {
    id: "beside-v1",
    proves: "protocol/03 §3.4: the same, version 1: a discovery after each, planning forced",
    script: (call) => {
      if (call.stepId === "p") return asV3(progress(run("p")));
      if (call.body.ctx.stack.stack.length === 2) return asV3(done());
      return asV3(call.number === 1 ? progress(planned("p"), nap("nap", "1s")) : progress());
    },
    calls: [
      { stepId: "step", stack: [], planning: false },
      { stepId: "p", planning: true },
      { stepId: "step", stack: ["p"], planning: true },
      { stepId: "step", stack: ["p", "nap"], planning: true },
    ],
  },
  {
    id: "planned-sleep",
    proves: "protocol/03 §3.4: a planned step may turn out to be a sleep",
    script: (call) => {
      if (call.stepId === "nap") return progress(nap("nap", "1s"));
      return call.number === 1 ? progress(planned("nap")) : done();
    },
    calls: [{ stepId: "step" }, { stepId: "nap" }, { stepId: "step", stack: ["nap"], steps: { nap: null } }],
  },
  {
    id: "finished-asleep",
    proves: "EX-34: a run that ends while a branch sleeps keeps no timer",
    script: (call) => {
      const race = { opts: { parallelMode: "race" } };
      if (call.stepId === "fast") return progress(run("fast"));
      return call.number === 1 ? progress(planned("fast", race), { ...nap("nap", "1h"), ...race }) : done("fast");
    },
    output: "fast",
    check: ({ jobs }) => expect(jobs).toEqual([]),
  },
  {
    id: "nonsense",
    proves: "SE-15: a length that is neither duration nor date never sleeps; the run ends with bad_reply",
    retries: 0,
    script: [progress(nap("nap", "a while"))],
    status: "Failed",
    error: { code: "bad_reply", message: expect.stringContaining("a while") },
  },
];
