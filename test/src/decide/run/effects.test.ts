import { describe, expect, it } from "vitest";
import { restsBeyond } from "../../../../src/decide/run/effects.ts";
import type { Op } from "../../../../src/protocol/opcodes.ts";
import { errored, planned, ran, slept, T0, TestRun } from "./run.ts";

const wait: Op = {
  op: "wait",
  event: "app/ok",
  condition: null,
  until: "1h",
  id: "w",
  label: { name: "w", type: null },
  race: false,
  metadata: [],
};

describe("a run that rests", () => {
  const rests = (run: TestRun) => restsBeyond(run.state, T0 + 1000);

  it("was put off, sleeps, or waits for its next attempt, for longer than the given time", () => {
    expect(rests(new TestRun({ startAt: T0 + 1001 }))).toBe(true);
    expect(rests(new TestRun({ startAt: T0 + 1000 }))).toBe(false);
    const asleep = new TestRun();
    asleep.ops([slept("s", "2s"), slept("t", "1h")]);
    expect(rests(asleep)).toBe(true);
    const napping = new TestRun();
    napping.ops([slept("s", "1s"), slept("t", "1h")]);
    expect(rests(napping)).toBe(false);
    const retrying = new TestRun({}, { retryInterval: 5000 });
    retrying.ops([planned("a"), slept("s", "1h")]);
    expect(rests(retrying)).toBe(false);
    retrying.ops([errored("a")], { job: retrying.jobOf("a") });
    expect(rests(retrying)).toBe(true);
  });

  it("does not while it executes, or while somebody else may wake it", () => {
    const run = new TestRun();
    expect(rests(run)).toBe(false);
    run.ops([ran("a")]);
    expect(rests(run)).toBe(false);
    run.ops([wait, slept("s", "1h")]);
    expect(rests(run)).toBe(false);
  });

  it("does not once it is being cancelled, or has ended", () => {
    const run = new TestRun();
    const job = run.job();
    run.take({ kind: "cancel", cause: { by: "user" }, executing: new Set([job.id]) });
    expect(rests(run)).toBe(false);
    run.output(1, job);
    expect(rests(run)).toBe(false);
  });
});
