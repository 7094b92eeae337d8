import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Choice } from "../../../../src/decide/capacity/choice.ts";
import { type Group, newGroup } from "../../../../src/decide/capacity/group.ts";
import { CAPACITY } from "../../../../src/limits.ts";
import { aClaim, at, chances, deliver, emptyLine, NOW, SECOND, says, units } from "./fixtures.ts";

function aGroup(functionId: string, backlog: number, rank = 0, passedSince = NOW): Group {
  return { ...newGroup(functionId, { place: { rank, score: 0, tie: "" }, limit: units(1) }), backlog, passedSince };
}

/** Serves one step after the other, each as long as `took` (ms), for as long as `total`; who was served, in order. */
function serveAll(groups: readonly Group[], { took, total, seed }: { took: number; total: number; seed: number }) {
  const choice = new Choice();
  const random = chances(seed);
  const served: { now: number; functionId: string }[] = [];
  for (let now = NOW; now < NOW + total; now += took) {
    const group = choice.next(groups, { now, random });
    if (group === null) throw new Error("nobody was chosen");
    group.passedSince = now;
    served.push({ now, functionId: group.functionId });
  }
  return served;
}

describe("FC-9: functions that compete", () => {
  it("are served in proportion to what waits", () => {
    const groups = [aGroup("a", 700), aGroup("b", 200), aGroup("c", 100)];
    const served = serveAll(groups, { took: 1, total: 20_000, seed: 7 });
    const share = (id: string) => served.filter(({ functionId }) => functionId === id).length / served.length;
    expect(share("a")).toBeCloseTo(0.7, 1);
    expect(share("b")).toBeCloseTo(0.2, 1);
    expect(share("c")).toBeCloseTo(0.1, 1);
  });

  it("none is passed over for 60 s, whatever the proportions and whatever chance says", () => {
    const others = fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(others, fc.integer({ min: 10, max: 1000 }), fc.integer(), (backlogs, took, seed) => {
        const groups = [aGroup("small", 1), ...backlogs.map((backlog, i) => aGroup(`f${i}`, backlog))];
        const served = serveAll(groups, { took, total: 120 * SECOND, seed });
        for (const { functionId } of groups) {
          const times = [
            NOW,
            ...served.filter((one) => one.functionId === functionId).map(({ now }) => now),
            NOW + 120 * SECOND,
          ];
          const longest = Math.max(...times.slice(1).map((time, i) => time - (times[i] ?? 0)));
          expect(longest).toBeLessThan(60 * SECOND);
        }
      }),
      { numRuns: 30 },
    );
  });

  it("a backlog of 1,000 lets the one run of another function start within 60 s", () => {
    const line = emptyLine();
    let now = NOW;
    for (let i = 0; i < 1000; i++) says(line, aClaim(`a${i}`, { functionId: "a", score: i }), now);
    says(line, aClaim("b", { functionId: "b", score: 0 }), now);
    let current = "a0";
    const served: string[] = [];
    while (!served.includes("b")) {
      now += SECOND;
      // Chance never speaks for it.
      line.claim(aClaim(current, { functionId: "a", wants: 0 }), at(now, 0));
      current =
        deliver(line, now)
          .map((text) => text.split(" ")[0] ?? "")
          .find((runId) => runId !== current) ?? "";
      served.push(current);
    }
    expect(now - NOW).toBeLessThanOrEqual(60 * SECOND);
    expect(served.length).toBeGreaterThan(20);
  });
});

describe("FC-14: production", () => {
  it("is served before other environments, however much waits there", () => {
    const groups = [aGroup("staging", 1000, 1), aGroup("production", 1, 0)];
    const served = serveAll(groups, { took: 1, total: CAPACITY.starvation - 1, seed: 1 });
    expect(new Set(served.map(({ functionId }) => functionId))).toEqual(new Set(["production"]));
  });

  it("lets one unit in 30 s go to the others, so that they are not starved", () => {
    const groups = [aGroup("s1", 1000, 1), aGroup("s2", 1000, 1), aGroup("production", 1, 0)];
    const served = serveAll(groups, { took: 100, total: 10 * CAPACITY.starvation, seed: 1 });
    const staging = served.filter(({ functionId }) => functionId !== "production");
    expect(staging.map(({ functionId }) => functionId).slice(0, 4)).toEqual(["s1", "s2", "s1", "s2"]);
    expect(staging).toHaveLength(9);
  });

  it("freed units of the account's ceiling go to it first", () => {
    const line = emptyLine();
    const limit = units(2);
    const work = { staging: { functionId: "s", rank: 1, limit }, production: { functionId: "p", rank: 0, limit } };
    says(line, aClaim("s1", work.staging));
    says(line, aClaim("s2", work.staging));
    says(line, aClaim("s3", work.staging));
    says(line, aClaim("p1", work.production));
    expect(deliver(line).sort()).toEqual(["s1 1 yields", "s2 1 yields"]);
    says(line, aClaim("s1", work.staging));
    expect(deliver(line)).toEqual(["p1 1"]);
  });
});
