/**
 * Attempts (EX-9, EX-19 … EX-30, protocol/03 §3.5): who counts them, when the next one comes, and what the last one leads to.
 */
import { expect } from "vitest";
import type { AppCall } from "../../harness/scripted-app.ts";
import { between, SLACK, type WireCase } from "../case.ts";
import { done, failed, planned, progress, run, threw, threwInBody } from "../ops.ts";

const A = { a: { data: "result of a" } };

/** Cases about attempts. */
export const ATTEMPTS: readonly WireCase[] = [
  {
    id: "attempts-reset",
    proves: "EX-9, EX-20: attempts count up for one step and start at 0 for the next",
    retries: 2,
    script: [progress(threw("a")), progress(threw("a")), progress(run("a")), progress(run("b")), done()],
    calls: [
      { attempt: 0 },
      { attempt: 1 },
      { attempt: 2 },
      { attempt: 0, stack: ["a"] },
      { attempt: 0, stack: ["a", "b"] },
    ],
  },
  {
    id: "used-up",
    proves:
      "EX-26, protocol/03 §3.5: a StepError of the last attempt is final; its error is injected and may be caught",
    retries: 1,
    script: [progress(threw("a", "one")), progress(threw("a", "two")), progress(run("backup")), done("rescued")],
    output: "rescued",
    calls: [
      { attempt: 0, stack: [] },
      { attempt: 1, stack: [] },
      { attempt: 0, stack: ["a"], steps: { a: { error: expect.objectContaining({ name: "Error", message: "two" }) } } },
      { attempt: 0, stack: ["a", "backup"] },
    ],
  },
  {
    id: "uncaught",
    proves: "EX-27, EX-30: a final step error that is not caught fails the run with name, message and stack",
    script: [
      progress(failed("a", "gone")),
      {
        status: 400,
        headers: { "x-inngest-no-retry": "true" },
        body: { name: "TypeError", message: "gone", stack: "at a" },
      },
    ],
    status: "Failed",
    output: { name: "TypeError", message: "gone", stack: "at a" },
    calls: [{ stack: [] }, { stack: ["a"] }],
  },
  {
    id: "no-retry-header",
    proves: "EX-22: a StepError under x-inngest-no-retry: true is final at once",
    script: [{ ...progress(threw("a", "never")), headers: { "x-inngest-no-retry": "true" } }, done()],
    calls: [{ attempt: 0 }, { attempt: 0, stack: ["a"] }],
  },
  {
    id: "body-error-keeps-steps",
    proves: "EX-29: an error of the body is retried without repeating finished steps",
    script: [progress(run("a")), threwInBody("between"), done()],
    calls: [
      { attempt: 0, stack: [] },
      { attempt: 0, stack: ["a"] },
      { attempt: 1, stack: ["a"], steps: A },
    ],
  },
  {
    id: "body-error-used-up",
    proves: "EX-19, EX-29: an always failing body has retries + 1 attempts",
    retries: 1,
    script: [threwInBody("one"), threwInBody("two")],
    status: "Failed",
    error: { name: "Error", message: "two" },
    calls: [{ attempt: 0 }, { attempt: 1 }],
  },
  {
    id: "own-counters",
    proves: "EX-20, EX-35: each parallel step has attempts of its own, and one that fails does not stop the other",
    retries: 1,
    script: (call) => {
      if (call.stepId === "bad") return progress(threw("bad"));
      if (call.stepId === "good") return progress(call.body.ctx.attempt === 0 ? threw("good") : run("good"));
      return call.number === 1 ? progress(planned("bad"), planned("good")) : done();
    },
    check: ({ calls }) => {
      const attempts = (stepId: string) => calls.filter((call) => call.stepId === stepId).map(attemptOf);
      expect(attempts("bad")).toEqual([0, 1]);
      expect(attempts("good")).toEqual([0, 1]);
      expect(attempts("step")).toEqual([0, 0]);
      const { steps } = calls.at(-1)?.body ?? { steps: {} };
      expect(steps).toEqual({ bad: { error: expect.anything() }, good: { data: "result of good" } });
    },
  },
  {
    id: "interval",
    proves: "EX-21: a constant retry interval of 1 s is kept",
    script: [threwInBody("once"), done()],
    check: (seen) => {
      expect(between(seen, 0, 1)).toBeGreaterThanOrEqual(1_000);
      expect(between(seen, 0, 1)).toBeLessThan(1_100 + SLACK);
    },
  },
  {
    id: "retry-after-short",
    proves: "EX-23: a Retry-After of 2 s is kept, and one of 0 s becomes 1 s",
    script: [threwInBody("busy", { "retry-after": "2" }), threwInBody("busy", { "retry-after": "0" }), done()],
    check: (seen) => {
      expect(between(seen, 0, 1)).toBeGreaterThanOrEqual(2_000);
      expect(between(seen, 0, 1)).toBeLessThan(2_000 + SLACK);
      expect(between(seen, 1, 2)).toBeGreaterThanOrEqual(1_000);
      expect(between(seen, 1, 2)).toBeLessThan(1_000 + SLACK);
    },
  },
  {
    id: "retry-after-used-up",
    proves: "EX-23: Retry-After adds no attempt",
    retries: 0,
    script: [threwInBody("busy", { "retry-after": "1" })],
    status: "Failed",
    calls: [{ attempt: 0 }],
  },
  {
    id: "retry-after-rubbish",
    proves: "EX-21, SE-15: a Retry-After that says nothing leaves the wait to the table",
    script: [threwInBody("busy", { "retry-after": "soon-ish, maybe" }), done()],
    calls: [{ attempt: 0 }, { attempt: 1 }],
  },
];

function attemptOf(call: AppCall): number {
  return call.body.ctx.attempt;
}
