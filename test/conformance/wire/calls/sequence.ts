/**
 * Which call follows which (protocol/03 §3.4): the tables of the protocol for both versions, and the rules for operations.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import type { Reply, Script } from "../../harness/scripted-app.ts";
import { shapeOf, type WireCase } from "../case.ts";
import { asV3, complete, done, planned, progress, run } from "../ops.ts";

const A = { a: { data: "result of a" } };
const AB = { ...A, b: { data: "result of b" } };

/** An app whose function is the given table: what it answers to a call for a step, or to a discovery after so many steps. */
function play(table: Readonly<Record<string, Reply>>): Script {
  return (call) => {
    const key = call.stepId === "step" ? `after ${call.body.ctx.stack.stack.length}` : call.stepId;
    const reply = table[key];
    if (reply === undefined) throw new Error(`Nothing to answer to ${key}.`);
    return reply;
  };
}

const parallel = play({
  "after 0": progress(planned("p1"), planned("p2")),
  p1: progress(run("p1")),
  p2: { ...progress(run("p2")), delayMs: 100 },
  "after 2": progress(run("after")),
  "after 3": done([1, 2, 3]),
});

const P1 = { p1: { data: "result of p1" } };
const P = { ...P1, p2: { data: "result of p2" } };
const ALL = { ...P, after: { data: "result of after" } };

/** Cases about the order of calls. */
export const SEQUENCE: readonly WireCase[] = [
  {
    id: "sequential-v2",
    proves: "EX-1, EX-3, protocol/03 §3.4: sequential steps, version 2",
    script: [progress(run("a")), progress(run("b")), done("end")],
    output: "end",
    calls: [
      { stepId: "step", stack: [], steps: {}, version: -1, planning: false, attempt: 0 },
      { stepId: "step", stack: ["a"], steps: A, version: 2, planning: false, attempt: 0 },
      { stepId: "step", stack: ["a", "b"], steps: AB, version: 2, planning: false, attempt: 0 },
    ],
  },
  {
    id: "sequential-v1",
    proves: "EX-1, protocol/03 §3.4: sequential steps, version 1",
    script: [asV3(progress(run("a"))), asV3(progress(run("b"))), asV3(done("end"))],
    output: "end",
    calls: [
      { stepId: "step", stack: [], steps: {}, version: -1, planning: false },
      { stepId: "step", stack: ["a"], steps: A, version: 1, planning: false },
      { stepId: "step", stack: ["a", "b"], steps: AB, version: 1, planning: false },
    ],
  },
  {
    id: "parallel-v2",
    proves:
      "EX-31, EX-33, protocol/03 §3.4: parallel steps, version 2: one discovery after the group, planning forced only meanwhile",
    script: parallel,
    output: [1, 2, 3],
    check: ({ calls }) => {
      const [first, ...rest] = calls.map(shapeOf);
      expect(first).toMatchObject({ stepId: "step", stack: [], planning: false });
      const targeted = rest.slice(0, 2).sort((one, other) => one.stepId.localeCompare(other.stepId));
      expect(targeted).toMatchObject([
        { stepId: "p1", attempt: 0, version: 2, planning: true },
        { stepId: "p2", attempt: 0, version: 2, planning: true },
      ]);
      expect(rest.slice(2)).toEqual([
        { stepId: "step", attempt: 0, stack: ["p1", "p2"], steps: P, version: 2, planning: false },
        { stepId: "step", attempt: 0, stack: ["p1", "p2", "after"], steps: ALL, version: 2, planning: false },
      ]);
    },
  },
  {
    id: "parallel-v1",
    proves:
      "EX-33, protocol/03 §3.4: parallel steps, version 1: a discovery after each step, planning forced to the end",
    script: parallelV1(),
    output: "end",
    check: ({ calls }) => {
      const discoveries = calls.map(shapeOf).filter((shape) => shape.stepId === "step");
      expect(discoveries).toEqual([
        { stepId: "step", attempt: 0, stack: [], steps: {}, version: -1, planning: false },
        { stepId: "step", attempt: 0, stack: ["p1"], steps: P1, version: 1, planning: true },
        { stepId: "step", attempt: 0, stack: ["p1", "p2"], steps: P, version: 1, planning: true },
        { stepId: "step", attempt: 0, stack: ["p1", "p2", "after"], steps: ALL, version: 1, planning: true },
      ]);
      const targeted = calls.map((call) => call.stepId).filter((stepId) => stepId !== "step");
      expect(targeted.sort()).toEqual(["after", "p1", "p2"]);
    },
  },
  {
    id: "version-kept",
    proves: "EX-63: the version is negotiated once and kept when another SDK answers later",
    script: [asV3(progress(run("a"))), progress(run("b")), done()],
    calls: [{ version: -1 }, { version: 1 }, { version: 1 }],
  },
  {
    id: "completion-order",
    proves: "EX-34, protocol/03 §3.1: the stack lists steps in the order in which they finished",
    script: play({
      "after 0": progress(planned("slow"), planned("fast")),
      slow: { ...progress(run("slow")), delayMs: 150 },
      fast: progress(run("fast")),
      "after 2": done(),
    }),
    check: ({ calls }) => expect(calls.at(-1)?.body.ctx.stack.stack).toEqual(["fast", "slow"]),
  },
  {
    id: "together",
    proves: "EX-31, EX-36: twelve planned steps are called for at the same time",
    script: (call) => {
      if (call.stepId !== "step") return { ...progress(run(call.stepId)), delayMs: 2_000 };
      return call.number === 1 ? progress(...steps(12).map((id) => planned(id))) : done();
    },
    check: ({ calls }) => {
      const targeted = calls.filter((call) => call.stepId !== "step").map((call) => call.at);
      expect(targeted).toHaveLength(12);
      expect(Math.max(...targeted) - Math.min(...targeted)).toBeLessThan(2_000);
    },
  },
  {
    id: "several-results",
    proves: "protocol/03 §3.4 rule 8: several results in one reply are all stored, in their order",
    script: [progress(run("b"), run("a")), done()],
    calls: [{ stack: [] }, { stepId: "step", stack: ["b", "a"], steps: AB }],
  },
  {
    id: "first-result-wins",
    proves: "EX-4: a second result for a step is ignored",
    script: [progress(run("a", 1)), progress(run("a", 2), run("b", 3)), done()],
    calls: [
      { steps: {} },
      { steps: { a: { data: 1 } } },
      { stack: ["a", "b"], steps: { a: { data: 1 }, b: { data: 3 } } },
    ],
  },
  {
    id: "planned-again",
    proves: "protocol/03 §3.4 rule 4: a plan repeated by a later discovery is a no-op",
    script: (call) => {
      if (call.stepId === "p1") return { ...progress(run("p1")), delayMs: 300 };
      if (call.stepId === "race") return progress(run("race"));
      const ids = call.body.ctx.stack.stack;
      if (ids.length === 2) return done();
      const race = { opts: { parallelMode: "race" } };
      return progress(planned("p1", race), ...(ids.includes("race") ? [] : [planned("race", race)]));
    },
    check: ({ calls }) => expect(calls.filter((call) => call.stepId === "p1")).toHaveLength(1),
  },
  {
    id: "finish-early",
    proves:
      "EX-34: a 200 while steps are open completes the run, drops what has not started and ignores what is in flight",
    script: (call) => {
      const race = { opts: { parallelMode: "race" } };
      if (call.stepId === "fast") return progress(run("fast"));
      if (call.stepId === "slow") return { ...progress(run("slow")), delayMs: 400 };
      return call.number === 1 ? progress(planned("fast", race), planned("slow", race)) : done("fast won");
    },
    output: "fast won",
    check: async ({ engine, run: ended, jobs }) => {
      expect(jobs).toEqual([]);
      await sleep(600);
      expect(await engine.run(ended.run_id)).toMatchObject({ status: "Completed", output: "fast won" });
    },
  },
  {
    id: "single-op",
    proves: "protocol/03 §3.2: a bare operation counts as an array of one",
    script: [{ status: 206, body: run("a") }, done()],
    calls: [{ stack: [] }, { stack: ["a"], steps: A }],
  },
  {
    id: "run-complete",
    proves: "protocol/04 RunComplete: ends the run with its data, after results in the same reply",
    script: [progress(run("a"), complete({ all: "done" }))],
    output: { all: "done" },
    calls: [{ stack: [] }],
  },
  {
    id: "run-complete-nothing",
    proves: "EX-7: RunComplete without data completes with null",
    script: [progress({ op: "RunComplete", id: "x" })],
    output: null,
  },
  {
    id: "any-case",
    proves: "protocol/04: operation names are read in any case",
    script: [progress({ ...run("a"), op: "stepRUN" }), done()],
    calls: [{ stack: [] }, { stack: ["a"] }],
  },
  {
    id: "surplus-fields",
    proves: "SE-15, protocol/04 §4.1: unknown fields and odd optional ones are ignored",
    script: [
      progress({ ...run("a"), opts: null, rawArgs: [1], promise: {}, userland: null, metadata: [{}], mode: "x" }),
      done(),
    ],
    calls: [{ stack: [] }, { stack: ["a"], steps: A }],
  },
  {
    id: "no-data",
    proves: "EX-7, protocol/03 §3.1: a result without data is stored as an explicit null",
    script: [progress({ op: "StepRun", id: "a" }), done()],
    calls: [{ steps: {} }, { steps: { a: { data: null } } }],
  },
  {
    id: "output-like-error",
    proves: "EX-12: a returned { status: 500 } is an ordinary output",
    script: [done({ status: 500, error: "not one" })],
    output: { status: 500, error: "not one" },
  },
  {
    id: "nothing-new",
    proves: "EX-73: a call that finds nothing is repeated once and then fails with no_progress",
    script: [progress(), progress({ op: "None", id: "" })],
    status: "Failed",
    error: { code: "no_progress" },
    calls: [
      { stepId: "step", attempt: 0 },
      { stepId: "step", attempt: 0 },
    ],
  },
  {
    id: "nothing-once",
    proves: "EX-73, protocol/03 §3.4 rule 7: a single empty reply does no harm",
    script: [progress(run("a")), progress(), done()],
    calls: [{ stack: [] }, { stack: ["a"] }, { stack: ["a"] }],
  },
  {
    id: "reentered",
    proves: "protocol/04 DiscoveryRequest: asks for another discovery and stores nothing",
    script: [
      progress({ op: "DiscoveryRequest", id: "random" }),
      progress({ op: "DiscoveryRequest", id: "other" }),
      done(),
    ],
    calls: [{ stack: [] }, { stack: [], steps: {} }, { stack: [], steps: {} }],
  },
];

function steps(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `s${index}`);
}

/** The second branch ends only after the discovery that follows the first, so that the order is certain. */
function parallelV1(): Script {
  let release = (): void => undefined;
  const discovered = new Promise<void>((resolve) => {
    release = resolve;
  });
  return async (call) => {
    if (call.stepId === "p2") await discovered;
    if (call.stepId !== "step") return asV3(progress(run(call.stepId)));
    switch (call.body.ctx.stack.stack.length) {
      case 0:
        return asV3(progress(planned("p1"), planned("p2")));
      case 1:
        release();
        return asV3(progress());
      case 2:
        return asV3(progress(planned("after")));
      default:
        return asV3(done("end"));
    }
  };
}
