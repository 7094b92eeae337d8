import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Claim, claimId, settleClaim } from "../../../../src/decide/window/claim.ts";
import { EVENT } from "../../../../src/limits.ts";

const DAY = 24 * 60 * 60 * 1000;
const T = 1_700_000_000_000;

/** A claim made by `first` at T. */
const held = (): Claim => claimId(null, "first", T).claim;

/** The same, settled. */
function settled(): Claim {
  const claim = settleClaim(held(), "first");
  if (claim === null) throw new Error("settling a claim keeps it");
  return claim;
}

describe("claimId", () => {
  it("EV-15: the first event with an id owns it", () => {
    expect(claimId(null, "first", T)).toEqual({
      claim: { owner: "first", holder: "first", heldAt: T, expiresAt: T + DAY, settled: false },
      answer: { standing: "owner", settled: false },
    });
  });

  it("EV-7: the owner's own claim, repeated, changes nothing and lets it act again", () => {
    const before = held();
    const { claim, answer } = claimId(before, "first", T + 60_000);
    expect(claim).toBe(before);
    expect(answer).toEqual({ standing: "owner", settled: false });
    expect(claimId(settled(), "first", T + 1).answer).toEqual({ standing: "owner", settled: true });
  });

  it("EV-15: until 24 h have passed another event is a duplicate, then the id is new", () => {
    const before = settled();
    expect(claimId(before, "second", T + DAY - 1)).toEqual({ claim: before, answer: { standing: "duplicate" } });
    const { claim, answer } = claimId(before, "second", T + DAY);
    expect(answer).toEqual({ standing: "owner", settled: false });
    expect(claim).toMatchObject({ owner: "second", expiresAt: T + 2 * DAY });
  });

  it("EV-16: while the first is still being started, another event waits and changes nothing", () => {
    const before = held();
    const until = T + EVENT.claimGrace;
    expect(claimId(before, "second", until - 1)).toEqual({ claim: before, answer: { standing: "wait", until } });
  });

  it("EV-8: an id whose first send died is acted on by the next event, under the first one's internal id", () => {
    const now = T + EVENT.claimGrace;
    const { claim, answer } = claimId(held(), "second", now);
    expect(answer).toEqual({ standing: "stand_in", owner: "first", settled: false });
    expect(claim).toMatchObject({ owner: "first", holder: "second", heldAt: now, expiresAt: T + DAY });
    expect(claimId(claim, "second", now + 1).answer).toEqual(answer);
    expect(claimId(claim, "first", now + 1).answer).toEqual({ standing: "owner", settled: false });
    expect(claimId(claim, "third", now + 1).answer).toEqual({ standing: "wait", until: now + EVENT.claimGrace });
  });

  it("a clock that went back makes nobody wait", () => {
    expect(claimId(held(), "second", T - 1000).answer.standing).toBe("stand_in");
  });
});

describe("settleClaim", () => {
  it.each(["first", "second"])("the owner and its stand-in both settle the claim (%s)", (claimant) => {
    const { claim } = claimId(held(), "second", T + EVENT.claimGrace);
    expect(settleClaim(claim, claimant)).toEqual({ ...claim, settled: true });
  });

  it("anybody else settles nothing, and there may be no claim any more", () => {
    const before = held();
    expect(settleClaim(before, "other")).toBe(before);
    expect(settleClaim(null, "first")).toBeNull();
    const done = settled();
    expect(settleClaim(done, "first")).toBe(done);
  });
});

// Any interleaving of claims and settles by a few events, with time passing or jumping back in between.
const action = fc.record({
  event: fc.constantFrom("a", "b", "c", "d"),
  settle: fc.boolean(),
  pause: fc.oneof(fc.integer({ min: -1000, max: EVENT.claimGrace * 2 }), fc.integer({ min: 0, max: DAY / 4 })),
});

it("EV-15, EV-16: within 24 h all who act do so under one internal id, and after settling nobody new acts", () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      let claim: Claim | null = null;
      let now = T;
      let acting = new Set<string>();
      for (const { event, settle, pause } of actions) {
        now += pause;
        const before: Claim | null = claim;
        const decided = claimId(before, event, now);
        claim = decided.claim;
        const { answer } = decided;
        if (before === null || now >= before.expiresAt) {
          acting = new Set([event]);
          expect(answer).toEqual({ standing: "owner", settled: false });
        } else {
          expect(claim.owner).toBe(before.owner);
          expect(claim.expiresAt).toBe(before.expiresAt);
          const acts = answer.standing === "owner" || answer.standing === "stand_in";
          if (answer.standing === "owner") expect(event).toBe(before.owner);
          if (answer.standing === "stand_in") expect(answer.owner).toBe(before.owner);
          if (before.settled) expect(answer.standing === "duplicate" || acting.has(event)).toBe(true);
          else expect(answer.standing).not.toBe("duplicate");
          if (acts) acting.add(event);
        }
        if (answer.standing === "wait") expect(answer.until).toBeGreaterThan(now);
        if (settle) claim = settleClaim(claim, event);
      }
    }),
  );
});
