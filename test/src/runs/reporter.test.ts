import { describe, expect, it } from "vitest";
import type { Bindings } from "../../../src/bindings.ts";
import type { Change } from "../../../src/decide/run/change.ts";
import { replay } from "../../../src/decide/run/evolve.ts";
import type { RunState } from "../../../src/decide/run/state.ts";
import type { HistoryMessage } from "../../../src/history/message.ts";
import type { Leases } from "../../../src/runs/leases.ts";
import type { Registrations } from "../../../src/runs/registrations.ts";
import { Reporter } from "../../../src/runs/reporter.ts";
import { identity } from "../decide/run/run.ts";

const T = 1_735_689_600_000;

/** A run whose end announces no events: such an event began it. */
function runWith(...changes: readonly Change[]): RunState {
  const base = identity();
  const [first] = base.events;
  if (first === undefined) throw new Error("a run has an event");
  const payload = { ...first.event.payload, name: "inngest/function.finished" };
  const own = { ...base, events: [{ ...first, event: { ...first.event, payload } }] };
  const log = [{ at: T, changes: [{ is: "created", identity: own, bytes: 2 } as const] }];
  const state = replay([...log, ...changes.map((change) => ({ at: T, changes: [change] }))]);
  if (state === null) throw new Error("a log makes a run");
  return state;
}

/** A reporter, and how often each of its messages says that it was sent before. */
function reporter() {
  const repeats: (number | undefined)[] = [];
  const send = async (message: HistoryMessage) => {
    if (message.kind === "report") repeats.push(message.report.run.repeats);
  };
  // Only these of their methods are used.
  const bindings = { HISTORY: { send } } as unknown as Bindings;
  const registrations = { isSettled: () => true, forget: async () => undefined } as unknown as Registrations;
  const leases = { release: async () => undefined } as unknown as Leases;
  const owner = { state: () => null, failed: () => undefined };
  return { reporter: new Reporter(bindings, registrations, leases, owner), repeats };
}

describe("OB-19: a report that is sent again", () => {
  const queued = runWith({ is: "queued", stepId: null, due: T });
  const ended = runWith({ is: "ended", status: "completed", output: null, at: T });

  it("says how often it was sent before, and a newer one begins anew", async () => {
    const { reporter: one, repeats } = reporter();
    for (const state of [runWith(), queued, queued, queued, runWith({ is: "branched" }, { is: "branched" })]) {
      await one.report(state);
    }
    expect(repeats).toEqual([undefined, undefined, 1, 2, undefined]);
  });

  it("was sent by the instance before, when that is how the run has ended", async () => {
    for (const [state, expected] of [
      [ended, [1, 2]],
      [queued, [undefined, 1]],
    ] as const) {
      const { reporter: one, repeats } = reporter();
      one.inherit(state);
      await one.report(state);
      await one.report(state);
      expect(repeats).toEqual(expected);
    }
  });
});
