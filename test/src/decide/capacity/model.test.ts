/**
 * The line against a model that sorts everybody anew after every word, and that has neither lists nor sums to keep.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Call, WaitingLine } from "../../../../src/decide/capacity/waiting-line.ts";
import { aClaim, at, callsOf, emptyLine, NOW, Store, units } from "./fixtures.ts";

interface Known {
  held: number;
  /** Of these, units that it may have been told of by a call, but not by the newest answer. */
  spare: number;
  wants: number;
  /** It was called, or has to be, and has not answered. */
  owed: boolean;
}

/** Runs 0 … 7 of one function; the lower number is the older run. */
class Model {
  limit = 1;
  readonly runs = new Map<number, Known>();

  says(run: number, busy: number, wants: number): number {
    const known = this.runs.get(run) ?? { held: 0, spare: 0, wants: 0, owed: false };
    this.runs.set(run, known);
    known.held = known.owed ? Math.max(known.held, busy) : busy;
    known.spare = known.held - busy;
    known.wants = wants;
    this.serve(run);
    const held = known.held - known.spare;
    this.clear();
    return held;
  }

  answers(run: number, told: number, crossed: boolean, busy: number, wants: number): void {
    const known = this.runs.get(run);
    if (known === undefined) return;
    const untold = crossed ? 0 : known.held - known.spare - told;
    known.held = Math.max(busy, Math.min(crossed ? known.held : told, busy + wants)) + untold;
    known.spare = 0;
    known.owed = known.held > 0 && (crossed || untold > 0);
    known.wants = Math.max(0, busy + wants - known.held);
    this.clear();
    this.serve(null);
  }

  ends(run: number): void {
    this.runs.delete(run);
    this.serve(null);
  }

  serve(speaker: number | null): void {
    for (;;) {
      const inUse = [...this.runs.values()].reduce((sum, { held }) => sum + held, 0);
      const [next] = [...this.runs].filter(([, { wants }]) => wants > 0).sort(([a], [b]) => a - b);
      if (next === undefined || (this.limit > 0 && inUse - next[1].spare >= this.limit)) return;
      if (next[1].spare > 0) next[1].spare--;
      else next[1].held++;
      next[1].wants--;
      if (next[0] !== speaker) next[1].owed = true;
    }
  }

  /** Those that have to give their unit back at the end of their step. */
  yielding(): number[] {
    const inUse = [...this.runs.values()].reduce((sum, { held }) => sum + held, 0);
    const oldest = Math.min(...[...this.runs].filter(([, { wants }]) => wants > 0).map(([run]) => run));
    const holders = [...this.runs].filter(([, { held, spare }]) => held > spare).map(([run]) => run);
    return holders.filter((run) => oldest < run || (this.limit > 0 && inUse > this.limit)).sort();
  }

  clear(): void {
    for (const [run, { held, wants, owed }] of this.runs) if (held + wants === 0 && !owed) this.runs.delete(run);
  }
}

type Step =
  | { readonly is: "says"; readonly run: number; readonly busy: number; readonly wants: number }
  | { readonly is: "answers"; readonly busy: number; readonly wants: number }
  | { readonly is: "ends" }
  | { readonly is: "fails" }
  | { readonly is: "limit"; readonly limit: number }
  | { readonly is: "reload" };

const few = fc.integer({ min: 0, max: 3 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ is: fc.constant("says" as const), run: fc.nat(7), busy: few, wants: few }) },
  { weight: 4, arbitrary: fc.record({ is: fc.constant("answers" as const), busy: few, wants: few }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant("ends" as const) }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant("fails" as const) }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant("limit" as const), limit: fc.integer({ min: 0, max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant("reload" as const) }) },
);

function state(line: WaitingLine): Record<number, Pick<Known, "held" | "wants">> {
  return Object.fromEntries(
    [...line.roster.members()].map(({ runId, held, wants }) => [Number(runId), { held, wants }]),
  );
}

function expected(model: Model): Record<number, Pick<Known, "held" | "wants">> {
  return Object.fromEntries([...model.runs].map(([run, { held, wants }]) => [run, { held, wants }]));
}

describe("a line of one function", () => {
  it("FC-8, FC-10, FC-11: holds, waits, serves and warns like the model, across instances", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const store = new Store();
        const model = new Model();
        let line = emptyLine();
        let version = 1;
        let open: Call[] = [];
        let now = NOW;
        for (const one of steps) {
          now += 100_000;
          if (one.is === "says") {
            const { run, busy, wants } = one;
            const limit = units(model.limit, version);
            const held = model.says(run, busy, wants);
            const fence = { sequence: 1, stamp: now };
            expect(line.claim(aClaim(`${run}`, { fence, busy, wants, score: run, limit }), at(now)).held).toBe(held);
          } else if (one.is === "limit") {
            // A line nobody is in knows no limits.
            model.limit = one.limit;
            line.relimit("f", units(one.limit, ++version), at(now));
            model.serve(null);
          } else if (one.is === "reload") {
            store.save(line);
            line = store.load("steps", now);
            open = [];
            for (const { runId, owed } of line.roster.members()) {
              const known = model.runs.get(Number(runId));
              if (known !== undefined) Object.assign(known, { owed, spare: 0 });
            }
            line.wake(at(now));
          } else {
            const call = open.shift();
            if (call === undefined) continue;
            const run = Number(call.member.runId);
            if (one.is === "fails") line.unanswered(call, now);
            else if (one.is === "ends") {
              line.answered(call, null, at(now));
              model.ends(run);
            } else {
              const fence = { sequence: 1, stamp: now };
              // What it said while it was called makes it be called again.
              const crossed = call.held.heard !== call.member.fence;
              line.answered(call, { fence, busy: one.busy, wants: one.wants }, at(now));
              model.answers(run, call.held.held, crossed, one.busy, one.wants);
            }
          }
          for (const call of callsOf(line, now)) {
            open.push(call);
            const known = model.runs.get(Number(call.member.runId));
            if (known !== undefined) known.owed = true;
            expect(call.held.yields).toBe(model.yielding().includes(Number(call.member.runId)));
          }
          expect(state(line)).toEqual(expected(model));
          const warned = [...line.roster.members()].filter((member) => member.held > 0 && member.warned);
          expect(warned.map(({ runId }) => Number(runId))).toEqual(expect.arrayContaining(model.yielding()));
        }
      }),
      { numRuns: 500 },
    );
  });
});
