import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { start } from "../../../../src/decide/run/decide.ts";
import { dueJobs } from "../../../../src/decide/run/effects.ts";
import { replay } from "../../../../src/decide/run/evolve.ts";
import { bytesAtBirth, type CopiedStep, copiesOf, originOf } from "../../../../src/decide/run/fork.ts";
import { hasPendingSteps, isGroupFinished, isHeld, memoOf } from "../../../../src/decide/run/state.ts";
import { RERUN } from "../../../../src/limits.ts";
import { errored, failed, identity, planned, ran, slept, T0, TestRun } from "./run.ts";

const ORIGINAL = "01JD00000000000000000000RN";

/** A run whose steps a, b and c have ended, in this order, and whose step d sleeps. */
function original(): TestRun {
  const run = new TestRun();
  run.ops([ran("a", { n: 1 })]);
  run.ops([planned("b"), planned("c")]);
  run.ops([ran("b", [2])], { job: run.jobOf("b") });
  run.ops([failed("c", "caught")], { job: run.jobOf("c") });
  run.ops([slept("d", "1h")]);
  return run;
}

const all = (run: TestRun) => copiesOf(run.state, 0, run.state.stack.length);

describe("going on from another run's results", () => {
  it("CR-26: a step that ended keeps what ended before it, one that did not keeps everything", () => {
    const { state } = original();
    const cuts = ["a", "b", "c", "d"].map((name) => originOf(state, [name]).cut);
    expect(cuts).toMatchObject([
      { stepId: "a", results: 0 },
      { stepId: "b", results: 1 },
      { stepId: "c", results: 2 },
      { stepId: "d", results: 3 },
    ]);
    expect(originOf(state, ["nobody", "c"]).cut).toMatchObject({ stepId: "c" });
    expect(originOf(state, ["nobody"]).cut).toBeNull();
    expect(originOf(state, [])).toEqual({ identity: state.identity, cut: null });
  });

  it("CR-26: what is taken over stays what it was, whatever the original does meanwhile", () => {
    const run = original();
    const { cut } = originOf(run.state, ["d"]);
    run.wake(3_600_000);
    run.ops([ran("e")]);
    expect(run.state.stack).toEqual(["a", "b", "c", "d", "e"]);
    expect(copiesOf(run.state, 0, cut?.results ?? 0).map(({ id }) => id)).toEqual(["a", "b", "c"]);
  });

  it("CR-26: the new run has the results in their order, and enters the function once", () => {
    const copies = all(original());
    const fork = { stepId: "d", results: 3 };
    const born = start(identity({ runId: "new", originalRunId: ORIGINAL, fork }), new TestRun().moment(), copies);
    const { state } = born;
    expect(state.stack).toEqual(["a", "b", "c"]);
    expect(memoOf(state)).toEqual({
      a: { data: { n: 1 } },
      b: { data: [2] },
      c: { error: { name: "NonRetriableError", message: "caught" } },
    });
    expect(hasPendingSteps(state)).toBe(false);
    expect(state).toMatchObject({ sequence: 1, startedAt: T0, protocol: -1, branched: false });
    expect(dueJobs(state, new Set(), T0)).toMatchObject([{ id: 1, stepId: null, attempt: 0 }]);
    expect(replay(JSON.parse(JSON.stringify([born.decision])))).toEqual(state);
  });

  it("EX-14: what is taken over counts as the run's own", () => {
    const copies = all(original());
    const mine = identity({ originalRunId: ORIGINAL });
    const { state } = start(mine, new TestRun().moment(), copies);
    expect(state.bytes).toBe(bytesAtBirth(mine, copies));
    const edit = { of: "arguments", input: ["x".repeat(1000)] } as const;
    const edited = identity({ originalRunId: ORIGINAL, fork: { stepId: "d", results: 3, edit } });
    expect(start(edited, new TestRun().moment(), copies).state.bytes).toBe(state.bytes + 1004);
  });

  it("the steps taken over are of no group that the new run announces", () => {
    const run = new TestRun();
    const copies: CopiedStep[] = [{ id: "a", label: { name: "a", type: null }, race: false, memo: null, at: T0 }];
    const { state } = start(identity({ originalRunId: ORIGINAL }), run.moment(), copies);
    run.state = state;
    run.log.splice(0, 1, start(identity({ originalRunId: ORIGINAL }), run.moment(), copies).decision);
    run.ops([planned("b"), planned("c")]);
    expect(isGroupFinished(run.state, 1)).toBe(false);
    run.ops([ran("b")], { job: run.jobOf("b") });
    expect(run.due().map(({ stepId }) => stepId)).toEqual(["c"]);
    run.ops([ran("c")], { job: run.jobOf("c") });
    expect(run.job().stepId).toBeNull();
  });

  it("EX-68: a run of the app's own handler is called by the engine when it is run again", () => {
    const endpoint = {
      method: "GET",
      url: "http://app/x",
      contentType: "",
      version: 2,
      sdk: "inngest-js",
      lease: 5000,
    };
    const own = start(identity({ endpoint }), new TestRun().moment());
    expect(isHeld(own.state)).toBe(true);
    const again = start(identity({ endpoint, originalRunId: ORIGINAL }), new TestRun().moment());
    expect(isHeld(again.state)).toBe(false);
    expect(dueJobs(again.state, new Set(), T0)).toMatchObject([{ id: 1, generation: 2 }]);
  });

  it("results travel in answers of bounded size, each at least one, none left out", () => {
    const sizes = fc.array(fc.integer({ min: 0, max: RERUN.pageBytes }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(sizes, (bytes) => {
        const run = new TestRun();
        for (const [i, size] of bytes.entries()) run.ops([ran(`s${i}`, "x".repeat(Math.min(size, 4_000_000)))]);
        const ids: string[] = [];
        while (ids.length < bytes.length) {
          const page = copiesOf(run.state, ids.length, bytes.length);
          expect(page.length).toBeGreaterThan(0);
          const size = page.slice(0, -1).reduce((sum, { memo }) => sum + JSON.stringify(memo).length, 0);
          expect(size).toBeLessThanOrEqual(RERUN.pageBytes);
          ids.push(...page.map(({ id }) => id));
        }
        expect(ids).toEqual(run.state.stack);
      }),
      { numRuns: 15 },
    );
  });

  it("CR-26: a step that is being tried again has no result to take over", () => {
    const run = new TestRun();
    run.ops([ran("a")]);
    run.ops([planned("b"), planned("c")]);
    run.ops([errored("b")], { job: run.jobOf("b") });
    expect(originOf(run.state, ["b"]).cut).toMatchObject({ results: 1 });
    expect(copiesOf(run.state, 0, 9).map(({ id }) => id)).toEqual(["a"]);
  });
});
