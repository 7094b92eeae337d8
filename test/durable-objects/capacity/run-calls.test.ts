import { afterEach, describe, expect, it, vi } from "vitest";
import { RunCalls } from "../../../durable-objects/capacity/run-calls.ts";
import type { Bindings } from "../../../src/bindings.ts";
import type { Held, LineRef, Needs } from "../../../src/decide/capacity/line.ts";
import type { Call } from "../../../src/decide/capacity/waiting-line.ts";
import { CAPACITY } from "../../../src/limits.ts";

const line: LineRef = { counts: "steps", scope: "fn", functionId: "f", expression: null, key: "" };
const held: Held = { held: 1, yields: false, heard: { sequence: 1, stamp: 1 } };

afterEach(() => {
  vi.useRealTimers();
});

/** Calls these runs, whose behaviour is `capacity`; what came of it. */
function callAll(runIds: readonly string[], capacity: (runId: string) => Promise<Needs>) {
  const waiting = [...runIds];
  const came: string[] = [];
  const RUN = { getByName: (name: string) => ({ capacity: () => capacity(name.split(":")[1] ?? "") }) };
  // Only what a line needs of a member and of the bindings.
  const calls = new RunCalls({ RUN } as unknown as Bindings, {
    next: () => {
      const runId = waiting.shift();
      return runId === undefined ? null : { call: { member: { environmentId: "env", runId }, held } as Call, line };
    },
    answered: (call) => came.push(call.member.runId),
    failed: (call) => came.push(`${call.member.runId} failed`),
  });
  calls.advance();
  return came;
}

describe("RunCalls", () => {
  it("calls everybody, a bounded number at a time", async () => {
    let current = 0;
    let most = 0;
    const all = Array.from({ length: 3 * CAPACITY.parallel }, (_, i) => `r${i}`);
    const came = callAll(all, async (runId) => {
      most = Math.max(most, ++current);
      await scheduler.wait(1);
      current--;
      if (runId === "r1") throw new Error("gone");
      return null;
    });
    await vi.waitFor(() => expect(came).toHaveLength(all.length));
    expect(most).toBe(CAPACITY.parallel);
    expect(came.toSorted()).toEqual(all.map((runId) => (runId === "r1" ? "r1 failed" : runId)).toSorted());
  });

  it("I4: those that never answer keep no others waiting, and what they answer in the end still counts", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    let answer: () => void = () => {};
    const late = new Promise<Needs>((resolve) => {
      answer = () => resolve(null);
    });
    const mute = Array.from({ length: CAPACITY.parallel }, (_, i) => `mute${i}`);
    const came = callAll([...mute, "next"], (runId) => (runId === "next" ? Promise.resolve(null) : late));
    await vi.advanceTimersByTimeAsync(CAPACITY.patience - 1);
    expect(came).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(came).toEqual(["next"]);
    answer();
    await vi.advanceTimersByTimeAsync(0);
    expect(came).toHaveLength(mute.length + 1);
  });
});
