import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Claimant,
  claimSingleton,
  heard,
  isOpen,
  type SingletonAnswer,
  type SingletonMode,
} from "../../../../src/decide/window/singleton.ts";
import { EVENT } from "../../../../src/limits.ts";

const T = 1_700_000_000_000;

const go = (...replaced: { runId: string; since: number }[]) => ({ verdict: "go", replaced });
const skip = { verdict: "skip" };

/** A window as its object keeps it, among runs that exist or not. */
class World {
  readonly rows = new Map<string, Claimant>();
  readonly runs = new Map<string, "alive" | "ended">();
  now = T;

  claim(runId: string, mode: SingletonMode): SingletonAnswer {
    const alive = new Set<string>();
    for (;;) {
      const view = {
        own: this.rows.get(runId) ?? null,
        open: [...this.rows.values()].filter(isOpen),
        isAlive: (other: string) => alive.has(other),
      };
      const decision = claimSingleton(view, runId, mode, this.now);
      if ("answer" in decision) {
        for (const claimant of decision.changed) this.rows.set(claimant.runId, claimant);
        return decision.answer;
      }
      const asked = this.rows.get(decision.ask);
      if (asked === undefined) throw new Error("only claimants are asked");
      alive.add(decision.ask);
      this.rows.set(decision.ask, heard(asked, this.runs.get(decision.ask) ?? "unknown", this.now));
    }
  }

  /** The run ends and says so. */
  end(runId: string): void {
    this.runs.set(runId, "ended");
    const row = this.rows.get(runId);
    if (row !== undefined) this.rows.set(runId, heard(row, "ended", this.now));
  }
}

describe("mode skip", () => {
  it("FC-37: the first run goes, others are skipped until it has ended", () => {
    const world = new World();
    expect(world.claim("a", "skip")).toEqual(go());
    world.runs.set("a", "alive");
    world.now += 3_600_000;
    expect(world.claim("b", "skip")).toEqual(skip);
    world.end("a");
    expect(world.claim("c", "skip")).toEqual(go());
  });

  it("each run is answered as before when it asks again, whatever happened meanwhile", () => {
    const world = new World();
    world.claim("a", "skip");
    world.runs.set("a", "alive");
    world.claim("b", "skip");
    world.end("a");
    world.claim("c", "skip");
    world.runs.set("c", "alive");
    expect(world.claim("a", "skip")).toEqual(go());
    expect(world.claim("b", "skip")).toEqual(skip);
    expect(world.claim("c", "skip")).toEqual(go());
  });

  it("a run whose send died before it existed keeps nobody out after the grace, and comes too late then", () => {
    const world = new World();
    world.claim("a", "skip");
    world.now += EVENT.claimGrace - 1;
    expect(world.claim("b", "skip")).toEqual(skip);
    world.now += 1;
    expect(world.claim("c", "skip")).toEqual(go());
    expect(world.claim("a", "skip")).toEqual(skip);
  });

  it("a run that has ended keeps nobody out, even before it said so", () => {
    const world = new World();
    world.claim("a", "skip");
    world.runs.set("a", "ended");
    expect(world.claim("b", "skip")).toEqual(go());
  });

  it("a function that no longer cancels waits for those that were to be cancelled", () => {
    const world = new World();
    world.claim("a", "cancel");
    world.claim("b", "cancel");
    world.runs.set("a", "alive");
    world.runs.set("b", "alive");
    world.end("b");
    expect(world.claim("c", "skip")).toEqual(skip);
    world.end("a");
    expect(world.claim("d", "skip")).toEqual(go());
  });
});

describe("mode cancel", () => {
  it("FC-38: each run goes and has the one before it cancelled", () => {
    const world = new World();
    expect(world.claim("a", "cancel")).toEqual(go());
    expect(world.claim("b", "cancel")).toEqual(go({ runId: "a", since: T }));
    world.end("a");
    expect(world.claim("c", "cancel")).toEqual(go({ runId: "b", since: T }));
  });

  it("a claim that is repeated names those that have not ended yet", () => {
    const world = new World();
    world.claim("a", "cancel");
    world.claim("b", "cancel");
    expect(world.claim("b", "cancel")).toEqual(go({ runId: "a", since: T }));
    world.end("a");
    expect(world.claim("b", "cancel")).toEqual(go());
  });

  it("when the send of the one before died, those that it was to cancel are named too", () => {
    const world = new World();
    world.claim("a", "cancel");
    world.claim("b", "cancel");
    world.now += EVENT.claimGrace;
    const { verdict, ...rest } = world.claim("c", "cancel");
    expect(verdict).toBe("go");
    const names = "replaced" in rest ? rest.replaced.map(({ runId }) => runId).sort() : [];
    expect(names).toEqual(["a", "b"]);
  });

  it("a run that was replaced and then turned out not to exist is skipped when it is tried again", () => {
    const world = new World();
    world.claim("a", "cancel");
    world.claim("b", "cancel");
    world.now += EVENT.claimGrace;
    const row = world.rows.get("a");
    if (row !== undefined) world.rows.set("a", heard(row, "unknown", world.now));
    expect(world.claim("a", "cancel")).toEqual(skip);
  });
});

it("FC-43: a run that a user asked for is neither skipped nor takes another's place", () => {
  const world = new World();
  world.claim("a", "skip");
  world.runs.set("a", "alive");
  expect(world.claim("rerun", "wait")).toEqual({ verdict: "busy" });
  expect(world.rows.has("rerun")).toBe(false);
  world.end("a");
  expect(world.claim("rerun", "wait")).toEqual(go());
  expect(world.claim("rerun", "wait")).toEqual(go());
});

// What runs and their senders may do, in any order; a sender may die between its claim and the start of its run.
const action = fc.record({
  run: fc.constantFrom("a", "b", "c", "d", "e"),
  does: fc.constantFrom("claim", "claim", "start", "end"),
  pause: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: EVENT.claimGrace * 2 })),
});

it("FC-37: at most one run holds the key, everybody keeps its answer, and whoever was skipped met another", () => {
  fc.assert(
    fc.property(
      fc.constantFrom("skip" as const, "cancel" as const),
      fc.array(action, { maxLength: 60 }),
      (mode, actions) => {
        const world = new World();
        const answers = new Map<string, string>();
        for (const { run, does, pause } of actions) {
          world.now += pause;
          const row = world.rows.get(run);
          if (does === "claim") {
            const others = [...world.rows.values()].filter((other) => isOpen(other) && other.runId !== run);
            const { verdict } = world.claim(run, mode);
            const before = answers.get(run);
            // The only answer that changes: somebody was let in, did not come, and comes too late now.
            if (before !== undefined && world.rows.get(run)?.standing !== "void") expect(verdict).toBe(before);
            if (before === undefined && verdict === "skip") expect(others.length).toBeGreaterThan(0);
            answers.set(run, verdict);
          } else if (does === "start" && row !== undefined && isOpen(row) && !world.runs.has(run)) {
            world.runs.set(run, "alive");
          } else if (does === "end" && world.runs.get(run) === "alive") {
            world.end(run);
          }
          expect([...world.rows.values()].filter(({ standing }) => standing === "holds").length).toBeLessThanOrEqual(1);
          // In mode skip nobody is replaced: whoever exists and has not ended is the one that holds.
          if (mode === "skip") {
            for (const [id, is] of world.runs) if (is === "alive") expect(world.rows.get(id)?.standing).toBe("holds");
          }
        }
      },
    ),
    { numRuns: 500 },
  );
});
