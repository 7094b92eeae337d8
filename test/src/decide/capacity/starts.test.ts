import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { placeInLine } from "../../../../src/decide/capacity/view.ts";
import type { WaitingLine } from "../../../../src/decide/capacity/waiting-line.ts";
import { CAPACITY } from "../../../../src/limits.ts";
import { aClaim, at, callsOf, chances, deliver, emptyLine, NOW, rate, SECOND, Store, says, told } from "./fixtures.ts";

/** Wakes the line whenever it is due, and notes who starts when, in seconds. */
function startsOf(line: WaitingLine, until: number): string[] {
  const starts: string[] = [];
  for (let due = line.dueAt(NOW); due !== null && due <= NOW + until; due = line.dueAt(due)) {
    line.wake(at(due));
    for (const text of deliver(line, due)) starts.push(`${text.split(" ")[0]} ${(due - NOW) / SECOND}`);
  }
  return starts;
}

describe("a throttle", () => {
  it("FC-15: starts runs one after the other, in their order, and loses none", () => {
    const line = emptyLine("starts");
    const limit = rate(1, 5);
    expect(says(line, aClaim("a", { limit, score: 1 })).held).toBe(1);
    expect(says(line, aClaim("c", { limit, score: 3 })).held).toBe(0);
    expect(says(line, aClaim("b", { limit, score: 2 })).held).toBe(0);
    expect(startsOf(line, 60 * SECOND)).toEqual(["b 5", "c 10"]);
    expect([line.dueAt(NOW), line.roster.size]).toEqual([null, 0]);
  });

  it("FC-16: lets a burst start at once after a quiet time", () => {
    const line = emptyLine("starts");
    const limit = rate(1, 5, 2);
    const held = [1, 2, 3, 4].map((score) => says(line, aClaim(`r${score}`, { limit, score })).held);
    expect(held).toEqual([1, 1, 0, 0]);
    expect(startsOf(line, 60 * SECOND)).toEqual(["r3 5", "r4 10"]);
  });

  it("FC-16: gives at most limit + burst − 1 starts in any period, to everybody in order", () => {
    const parameters = fc.record({
      limit: fc.integer({ min: 1, max: 5 }),
      period: fc.integer({ min: 1, max: 20 }),
      burst: fc.integer({ min: 1, max: 5 }),
      seed: fc.integer(),
    });
    fc.assert(
      fc.property(parameters, ({ limit, period, burst, seed }) => {
        const random = chances(seed);
        const line = emptyLine("starts");
        const given = rate(limit, period, burst);
        const starts: number[] = [];
        const order: number[] = [];
        let now = NOW;
        for (let i = 0; i < 40; i++) {
          now += Math.floor(random() * 2000);
          line.wake(at(now));
          for (const text of deliver(line, now)) {
            starts.push(now);
            order.push(Number(text.split(" ")[0]));
          }
          if (line.claim(aClaim(`${i}`, { limit: given, score: i }), at(now)).held === 1) {
            starts.push(now);
            order.push(i);
          }
        }
        for (const from of starts) {
          const within = starts.filter((time) => time >= from && time < from + period * SECOND);
          expect(within.length).toBeLessThanOrEqual(limit + burst - 1);
        }
        expect(order).toEqual(order.toSorted((a, b) => a - b));
      }),
    );
  });

  it("FC-17: a run that asks again does not use up another start, also when the line was lost meanwhile", () => {
    const store = new Store();
    const line = emptyLine("starts");
    const limit = rate(1, 5);
    says(line, aClaim("a", { limit }));
    store.save(line);
    expect([store.written, store.rows]).toEqual([1, 0]);
    expect(says(line, aClaim("a", { limit })).held).toBe(1);
    const other = store.load("starts");
    expect(says(other, aClaim("a", { limit }), NOW + SECOND).held).toBe(1);
    expect(says(other, aClaim("b", { limit }), NOW + 5 * SECOND).held).toBe(1);
  });

  it("I1: a start that was given outlives the instance, and is told until the run has answered", () => {
    const store = new Store();
    const line = emptyLine("starts");
    const limit = rate(1, 5);
    says(line, aClaim("a", { limit, score: 1 }));
    says(line, aClaim("b", { limit, score: 2 }));
    store.save(line);
    const before = store.written;
    line.wake(at(NOW + 5 * SECOND));
    store.save(line);
    // One row: the run's own goes when it has answered.
    expect(store.written - before).toBe(1);
    const other = store.load("starts", NOW + 5 * SECOND);
    const [call] = callsOf(other, NOW + 5 * SECOND);
    if (call === undefined) throw new Error("b was not called");
    expect(told([call])).toEqual(["b 1"]);
    other.unanswered(call, NOW + 5 * SECOND);
    expect(deliver(other, NOW + 6 * SECOND)).toEqual(["b 1"]);
    store.save(other);
    expect(store.rows).toBe(0);
  });

  it("FC-18: a run that is cancelled while it waits leaves, and the next one takes its turn", () => {
    const line = emptyLine("starts");
    const limit = rate(1, 10);
    for (const score of [1, 2, 3]) says(line, aClaim(`r${score}`, { limit, score }));
    says(line, aClaim("r2", { limit, score: 2, wants: 0 }));
    expect(startsOf(line, 60 * SECOND)).toEqual(["r3 10"]);
  });

  it("FC-11: a changed rate is that of those who wait", () => {
    const line = emptyLine("starts");
    for (const score of [1, 2, 3]) says(line, aClaim(`r${score}`, { limit: rate(1, 3600), score }));
    line.relimit("f", rate(1, 2, 1, 2), at(NOW));
    expect(startsOf(line, 60 * SECOND)).toEqual(["r2 2", "r3 4"]);
  });

  it("FC-11: a throttle that is taken away lets everybody go", () => {
    const line = emptyLine("starts");
    for (const score of [1, 2, 3]) says(line, aClaim(`r${score}`, { limit: rate(1, 3600), score }));
    line.relimit("f", rate(0, 0, 0, 2), at(NOW));
    expect(deliver(line)).toEqual(["r2 1", "r3 1"]);
  });

  it("BY-10: says when each run will start, and it is so", () => {
    const parameters = fc.record({
      limit: fc.integer({ min: 1, max: 5 }),
      period: fc.integer({ min: 1, max: 20 }),
      burst: fc.integer({ min: 1, max: 4 }),
    });
    fc.assert(
      fc.property(parameters, ({ limit, period, burst }) => {
        const line = emptyLine("starts");
        for (let i = 0; i < 12; i++) says(line, aClaim(`r${i}`, { limit: rate(limit, period, burst), score: i }));
        const estimates = Array.from({ length: 12 }, (_, i) => {
          const standing = placeInLine(line, { environmentId: "env", runId: `r${i}` }, NOW);
          return standing === null ? [] : [`r${i} ${((standing.startsAt ?? 0) - NOW) / SECOND}`];
        }).flat();
        expect(startsOf(line, 1000 * SECOND)).toEqual(estimates);
      }),
    );
    const line = emptyLine("starts");
    for (let i = 0; i < 5; i++) says(line, aClaim(`r${i}`, { limit: rate(1, 10), score: i }));
    const last = placeInLine(line, { environmentId: "env", runId: "r4" }, NOW);
    expect(last).toMatchObject({ ahead: 3, startsAt: NOW + 40 * SECOND });
  });

  it("remembers a bounded number of starts", () => {
    const line = emptyLine("starts");
    const store = new Store();
    for (let i = 0; i < 3 * CAPACITY.remembered.starts; i++)
      says(line, aClaim(`r${i}`, { limit: rate(1000, 1, 1000) }), NOW + i);
    const stored = line.takeChanges().starts;
    expect(stored?.recent).toHaveLength(CAPACITY.remembered.starts);
    store.save(line);
    says(line, aClaim("late", { limit: rate(1000, 1, 1000) }), NOW + 1000 + CAPACITY.remembered.age);
    expect(line.takeChanges().starts?.recent).toHaveLength(1);
  });
});
