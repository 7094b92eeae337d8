import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  claimSignal,
  receiverOf,
  type SignalClaim,
  type SignalState,
  type SignalWait,
} from "../../../../src/decide/waits/signal.ts";
import { NOW } from "./fixtures.ts";

function aClaim(runId: string, conflict: "fail" | "replace", stepId = "s"): SignalClaim {
  return { runId, stepId, expiresAt: NOW + 1000, conflict };
}

function known(runId: string, state: SignalState, expiresAt = NOW + 1000, stepId = "s"): SignalWait {
  return { runId, stepId, state, expiresAt };
}

describe("claimSignal", () => {
  const registered = (replaced: SignalWait | null) => ({ kind: "registered", replaced });

  it.each<[string, SignalWait[], SignalClaim, object]>([
    ["EX-48: a free name", [], aClaim("a", "fail"), registered(null)],
    ["EX-49: `fail` against another run", [known("a", "waiting")], aClaim("b", "fail"), { kind: "conflict" }],
    ["EX-49: `replace`", [known("a", "waiting")], aClaim("b", "replace"), registered(known("a", "waiting"))],
    ["the same step again", [known("a", "waiting")], aClaim("a", "fail"), { kind: "settled" }],
    ["the same step after it was served", [known("a", "told")], aClaim("a", "fail"), { kind: "settled" }],
    [
      "EX-49: the same step after it was replaced, which can only time out",
      [known("a", "replaced"), known("b", "waiting")],
      aClaim("a", "replace"),
      { kind: "settled" },
    ],
    [
      "another step of the same run",
      [known("a", "waiting")],
      aClaim("a", "fail", "t"),
      registered(known("a", "waiting")),
    ],
    ["a name whose wait has timed out", [known("a", "waiting", NOW)], aClaim("b", "fail"), registered(null)],
    ["a name whose wait was served", [known("a", "sent")], aClaim("b", "fail"), registered(null)],
    ["a wait that has timed out already", [], { ...aClaim("a", "fail"), expiresAt: NOW }, { kind: "settled" }],
  ])("%s", (_, waits, claim, decision) => {
    expect(claimSignal(waits, claim, NOW)).toEqual(decision);
  });

  it("EX-49: whatever happens, at most one wait can receive, and it is the last that was registered", () => {
    const step = fc.record({
      runId: fc.constantFrom("a", "b", "c"),
      stepId: fc.constantFrom("s", "t"),
      conflict: fc.constantFrom("fail" as const, "replace" as const),
      expiresAt: fc.integer({ min: NOW - 5, max: NOW + 50 }),
      send: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        let waits: SignalWait[] = [];
        let last: string | null = null;
        steps.forEach((claim, i) => {
          const now = NOW + i;
          const is = (wait: SignalWait, other: { runId: string; stepId: string } | null) =>
            wait.runId === other?.runId && wait.stepId === other.stepId;
          const decision = claimSignal(waits, claim, now);
          if (decision.kind === "registered") {
            waits = waits.map((wait) => (is(wait, decision.replaced) ? { ...wait, state: "replaced" } : wait));
            waits.push({ runId: claim.runId, stepId: claim.stepId, expiresAt: claim.expiresAt, state: "waiting" });
            last = `${claim.runId} ${claim.stepId}`;
          }
          const receivers = waits.filter(({ state, expiresAt }) => state === "waiting" && expiresAt > now);
          expect(receivers.length).toBeLessThanOrEqual(1);
          const receiver = receiverOf(waits, now);
          if (receiver !== null) expect(`${receiver.runId} ${receiver.stepId}`).toBe(last);
          if (claim.send) waits = waits.map((wait) => (is(wait, receiver) ? { ...wait, state: "sent" } : wait));
        });
      }),
    );
  });
});

describe("receiverOf", () => {
  it("EX-48: is the wait that has not timed out", () => {
    expect(receiverOf([], NOW)).toBeNull();
    expect(receiverOf([known("a", "replaced"), known("b", "waiting")], NOW)?.runId).toBe("b");
    expect(receiverOf([known("a", "waiting", NOW)], NOW)).toBeNull();
    expect(receiverOf([known("a", "sent"), known("b", "told")], NOW)).toBeNull();
  });
});
