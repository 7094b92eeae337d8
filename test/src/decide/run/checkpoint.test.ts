import { describe, expect, it } from "vitest";
import { fenceOf, fenceOfCheckpoint } from "../../../../src/decide/run/state.ts";
import { completed, TestRun } from "./run.ts";

const call = { functionId: "fn-uuid", job: 1, generation: 1 };

describe("EX-66: the call a checkpoint belongs to", () => {
  it("is the one under way, for an SDK that names no generation too", () => {
    const run = new TestRun();
    expect(fenceOfCheckpoint(run.state, call)).toEqual(fenceOf(run.job()));
    expect(fenceOfCheckpoint(run.state, { ...call, functionId: null, generation: null })).toEqual(fenceOf(run.job()));
  });

  it("EX-11: is stale once another delivery has taken its place, or the run has ended", () => {
    const run = new TestRun();
    run.wake(0);
    expect(fenceOfCheckpoint(run.state, call)).toBe("stale");
    run.ops([completed(1)]);
    expect(fenceOfCheckpoint(run.state, { ...call, generation: null })).toBe("stale");
  });

  it("is unknown without a run, or in one of another function", () => {
    expect(fenceOfCheckpoint(null, call)).toBe("unknown");
    expect(fenceOfCheckpoint(new TestRun().state, { ...call, functionId: "other" })).toBe("unknown");
  });
});
