import { describe, expect, it } from "vitest";
import { CAPACITY } from "../../../../src/limits.ts";
import { aClaim, at, callsOf, deliver, emptyLine, NOW, SECOND, Store, says, told, units } from "./fixtures.ts";

const held = (count: number, yields = false) => ({ held: count, yields });

describe("units of a limit", () => {
  it("FC-1: are given out up to the limit; who comes later is called when one is given back", () => {
    const line = emptyLine();
    const limit = units(2);
    expect(says(line, aClaim("a", { score: 1, limit }))).toEqual(held(1));
    expect(says(line, aClaim("b", { score: 2, limit }))).toEqual(held(1));
    expect(says(line, aClaim("c", { score: 3, limit }))).toEqual(held(0));
    expect(deliver(line)).toEqual([]);
    expect(says(line, aClaim("a", { wants: 0, limit }))).toEqual(held(0));
    expect(deliver(line)).toEqual(["c 1"]);
  });

  it("FC-8: within a function the oldest run is served first, and its second step before the first of a younger one", () => {
    const line = emptyLine();
    says(line, aClaim("holder", { score: 0 }));
    for (const score of [5, 2, 9, 1]) says(line, aClaim(`r${score}`, { score }));
    says(line, aClaim("holder", { score: 0, wants: 0 }));
    expect(deliver(line)).toEqual(["r1 1"]);
    says(line, aClaim("r1", { score: 1, wants: 0 }));
    expect(deliver(line)).toEqual(["r2 1"]);
    says(line, aClaim("r1", { score: 1 }));
    says(line, aClaim("r2", { score: 2, wants: 0 }));
    expect(deliver(line)).toContain("r1 1");
  });

  it("FC-29: a run with a priority goes before those that are older by less", () => {
    const line = emptyLine();
    const clock = (text: string) => Date.parse(`2026-11-21T${text}Z`);
    says(line, aClaim("busy", { score: 0 }));
    const waiting = {
      A: [clock("12:00:10"), 0],
      B: [clock("12:00:40"), 0],
      C: [clock("12:02:10"), 0],
      X: [clock("12:02:30"), 0],
      Y: [clock("12:02:30"), 120],
    };
    for (const [runId, [created = 0, seconds = 0]] of Object.entries(waiting)) {
      says(line, aClaim(runId, { score: created - seconds * SECOND }));
    }
    const order = [];
    let current = aClaim("busy", { score: 0, wants: 0 });
    for (let i = 0; i < 5; i++) {
      says(line, current);
      const [next = ""] = deliver(line).map((text) => text.charAt(0));
      order.push(next);
      current = aClaim(next, { score: waiting[next as "A"]?.[0] ?? 0, wants: 0 });
    }
    expect(order.join("")).toBe("AYBCX");
  });

  it("a run with several parallel steps gets what there is, and the rest in its turn", () => {
    const line = emptyLine();
    const limit = units(3);
    says(line, aClaim("other", { score: 9, limit }));
    expect(says(line, aClaim("a", { wants: 5, score: 1, limit })).held).toBe(2);
    says(line, aClaim("b", { score: 2, limit }));
    says(line, aClaim("other", { score: 9, wants: 0, limit }));
    expect(deliver(line)).toEqual(["a 3"]);
  });

  it("FC-3: a limit of 0 is none, and counts honestly once it becomes one", () => {
    const line = emptyLine();
    for (let i = 0; i < 50; i++) expect(says(line, aClaim(`r${i}`, { limit: units(0) })).held).toBe(1);
    const limit = units(2, 2);
    expect(says(line, aClaim("next", { limit })).held).toBe(0);
    for (let i = 0; i < 48; i++) says(line, aClaim(`r${i}`, { wants: 0, limit }));
    expect(deliver(line)).not.toContain("next 1");
    says(line, aClaim("r48", { wants: 0, limit }));
    expect(deliver(line)).toContain("next 1");
  });

  it("FC-13: whole runs hold their unit while they say nothing, and are never told to yield", () => {
    const line = emptyLine("runs");
    expect(says(line, aClaim("young", { score: 9 }))).toEqual(held(1));
    expect(says(line, aClaim("old", { score: 1 }))).toEqual(held(0));
    expect(callsOf(line)).toEqual([]);
    says(line, aClaim("young", { score: 9, wants: 0 }));
    expect(deliver(line)).toEqual(["old 1"]);
  });
});

describe("what a run says", () => {
  it("is absolute: saying it again changes nothing and writes nothing", () => {
    const line = emptyLine();
    const store = new Store();
    const claim = aClaim("a");
    expect(says(line, claim)).toEqual(held(1));
    store.save(line);
    expect(store.written).toBe(1);
    expect(says(line, claim)).toEqual(held(1));
    expect(says(line, aClaim("a", { busy: 1, wants: 0 }))).toEqual(held(1));
    store.save(line);
    expect(store.written).toBe(1);
    says(line, aClaim("a", { wants: 0 }));
    store.save(line);
    expect([store.written, store.rows]).toEqual([2, 0]);
  });

  it("counts only if it is newer than everything else it has said", () => {
    const line = emptyLine();
    const [older, newer, newest] = [aClaim("a"), aClaim("a", { busy: 1, wants: 0 }), aClaim("a", { wants: 0 })];
    says(line, newer);
    expect(line.claim({ ...older, wants: 7 }, at(NOW))).toEqual({ held: 1, yields: false, heard: newer.fence });
    says(line, { ...newest, fence: { sequence: 2, stamp: 0 } });
    expect(says(line, newer)).toEqual(held(0));
    expect(line.roster.size).toBe(0);
  });

  it("I5: what comes late, after everything was given back, takes nothing", () => {
    const line = emptyLine();
    const early = aClaim("a");
    says(line, aClaim("a", { wants: 0 }));
    expect(says(line, early)).toEqual(held(0));
    expect(line.roster.size).toBe(0);
  });

  it("is believed when it uses more than the line knows of, and nothing is given out until there is room", () => {
    const line = emptyLine();
    const limit = units(2);
    for (const runId of ["a", "b", "c"]) expect(says(line, aClaim(runId, { busy: 1, wants: 0, limit })).held).toBe(1);
    says(line, aClaim("d", { limit, score: 9 }));
    says(line, aClaim("a", { wants: 0, limit }));
    expect(told(callsOf(line)).filter((text) => text.startsWith("d"))).toEqual([]);
    const other = emptyLine();
    for (const runId of ["a", "b", "c"]) says(other, aClaim(runId, { busy: 1, wants: 0, limit }));
    says(other, aClaim("d", { limit, score: 9 }));
    says(other, aClaim("a", { wants: 0, limit }));
    says(other, aClaim("b", { wants: 0, limit }));
    expect(deliver(other)).toContain("d 1");
  });
});

describe("FC-10: what a run may have been told of is given to nobody else", () => {
  it("until it has answered, whatever it says meanwhile", () => {
    const line = emptyLine();
    says(line, aClaim("a", { score: 1 }));
    says(line, aClaim("b", { score: 2 }));
    says(line, aClaim("c", { score: 3 }));
    says(line, aClaim("a", { score: 1, wants: 0 }));
    const [call] = callsOf(line);
    if (call === undefined) throw new Error("b was not called");
    expect(told([call])).toEqual(["b 1"]);
    expect(says(line, aClaim("b", { score: 2, wants: 0 }))).toEqual(held(0));
    expect(callsOf(line)).toEqual([]);
    // What it answers is older than what it said since: it knew then what the call had told.
    line.answered(call, { fence: { sequence: 0, stamp: 0 }, busy: 1, wants: 0 }, at(NOW));
    expect(deliver(line)).toEqual(["c 1"]);
  });

  it("also when the call failed, and the calls go on ever more rarely", () => {
    const line = emptyLine();
    says(line, aClaim("a", { score: 1 }));
    says(line, aClaim("b", { score: 2 }));
    says(line, aClaim("c", { score: 3 }));
    says(line, aClaim("a", { score: 1, wants: 0 }));
    const waits: number[] = [];
    let [failedAt, now] = [NOW, NOW];
    while (waits.length < 9) {
      line.wake(at(now));
      const [call] = callsOf(line, now);
      if (call !== undefined) {
        waits.push(now - failedAt);
        line.unanswered(call, now);
        failedAt = now;
      }
      expect(line.dueAt(now)).toBeGreaterThan(now);
      now += SECOND;
    }
    expect(waits.slice(0, 5)).toEqual([0, 1, 2, 4, 8].map((seconds) => seconds * SECOND));
    expect(Math.max(...waits)).toBe(CAPACITY.retry.max);
    expect(line.roster.inUse).toBe(1);
  });

  it("a run that has ended or never was gives back what it was called for", () => {
    const line = emptyLine();
    says(line, aClaim("a", { score: 1 }));
    says(line, aClaim("b", { score: 2 }));
    says(line, aClaim("c", { score: 3 }));
    says(line, aClaim("a", { score: 1, wants: 0 }));
    const [call] = callsOf(line);
    if (call === undefined) throw new Error("b was not called");
    line.answered(call, null, at(NOW));
    expect(deliver(line)).toEqual(["c 1"]);
  });

  it("what it is given while it is called is told by another call", () => {
    const line = emptyLine();
    const limit = units(2);
    for (const score of [1, 2]) says(line, aClaim(`r${score}`, { score, limit }));
    says(line, aClaim("b", { score: 3, wants: 2, limit }));
    says(line, aClaim("r1", { score: 1, wants: 0, limit }));
    const [call] = callsOf(line);
    if (call === undefined) throw new Error("b was not called");
    says(line, aClaim("r2", { score: 2, wants: 0, limit }));
    expect(callsOf(line)).toEqual([]);
    line.answered(call, { fence: aClaim("b").fence, busy: 1, wants: 1 }, at(NOW));
    expect(deliver(line)).toEqual(["b 2"]);
    expect(line.roster.owed).toBe(0);
  });

  it("I5: a run that says its last word while it is called is called by the next instance too", () => {
    const line = emptyLine();
    const store = new Store();
    says(line, aClaim("a", { score: 2 }));
    store.save(line);
    says(line, aClaim("b", { score: 1 }));
    store.save(line);
    expect(told(callsOf(line))).toEqual(["a 1 yields"]);
    expect(says(line, aClaim("b", { score: 1, wants: 0 }))).toEqual(held(0));
    expect(says(line, aClaim("a", { score: 2, wants: 0 }))).toEqual(held(0));
    store.save(line);
    expect(store.rows).toBe(1);
    const other = store.load();
    for (const call of callsOf(other)) other.answered(call, null, at(NOW));
    store.save(other);
    expect(store.rows).toBe(0);
  });

  it("a run that waits for another limit keeps what it has for the step it is meant for", () => {
    const line = emptyLine();
    says(line, aClaim("a", { score: 1 }));
    says(line, aClaim("b", { score: 2 }));
    says(line, aClaim("a", { score: 1, wants: 0 }));
    const [call] = callsOf(line);
    if (call === undefined) throw new Error("b was not called");
    line.answered(call, { fence: aClaim("b").fence, busy: 0, wants: 1 }, at(NOW));
    expect(callsOf(line)).toEqual([]);
    expect(line.roster.inUse).toBe(1);
  });

  it("a run that spoke while it was called is called again, because it may have disregarded the call", () => {
    const line = emptyLine();
    says(line, aClaim("a", { score: 1 }));
    says(line, aClaim("b", { score: 2 }));
    says(line, aClaim("a", { score: 1, wants: 0 }));
    const [call] = callsOf(line);
    if (call === undefined) throw new Error("b was not called");
    const claim = aClaim("b", { score: 2 });
    expect(line.claim(claim, at(NOW))).toEqual({ held: 1, yields: false, heard: claim.fence });
    const { fence } = aClaim("b");
    line.answered(call, { fence, busy: 0, wants: 1 }, at(NOW));
    expect(callsOf(line).map(({ held }) => held)).toEqual([{ held: 1, yields: false, heard: fence }]);
  });
});

describe("yielding", () => {
  it("FC-8: a younger holder is told once that an older run waits, and in the answer when it claims itself", () => {
    const line = emptyLine();
    says(line, aClaim("young", { score: 5 }));
    says(line, aClaim("old", { score: 1 }));
    expect(deliver(line)).toEqual(["young 1 yields"]);
    says(line, aClaim("older", { score: 0 }));
    expect(deliver(line)).toEqual([]);
    // At the end of its step it stands in line again.
    expect(says(line, aClaim("young", { score: 5 }))).toEqual(held(0));
    expect(deliver(line)).toEqual(["older 1"]);
    const other = emptyLine();
    says(other, aClaim("old", { score: 1, wants: 2 }));
    expect(says(other, aClaim("young", { score: 5, busy: 1, wants: 0 }))).toEqual(held(1, true));
  });

  it("FC-8: a holder that is told at the end of its step does not get its unit back before the older run", () => {
    const line = emptyLine();
    says(line, aClaim("young", { score: 5 }));
    says(line, aClaim("old", { score: 1 }));
    const [call] = callsOf(line);
    if (call === undefined) throw new Error("the holder was not told");
    const answer = { fence: aClaim("young").fence, busy: 1, wants: 0 };
    // Its answer is overtaken by its next claim.
    expect(says(line, aClaim("young", { score: 5 }))).toEqual(held(0));
    line.answered(call, answer, at(NOW));
    expect(deliver(line)).toEqual(["old 1"]);
    expect(line.roster.inUse).toBe(1);
  });

  it("FC-7: nor when more is in use than its own function's limit", () => {
    const line = emptyLine();
    const a = { functionId: "a", limit: units(1) };
    says(line, aClaim("a", a));
    says(line, aClaim("b", { functionId: "b", limit: units(3) }));
    const [call] = callsOf(line);
    if (call === undefined) throw new Error("the holder was not told");
    const answer = { fence: aClaim("a").fence, busy: 1, wants: 0 };
    expect(says(line, aClaim("a", a))).toEqual(held(0));
    line.answered(call, answer, at(NOW));
    expect(deliver(line)).toEqual(["b 1 yields"]);
    says(line, aClaim("b", { functionId: "b", limit: units(3), wants: 0 }));
    expect(deliver(line)).toEqual(["a 1"]);
  });

  it("a unit that is kept for a run alone is given to it when it is the next one anyway", () => {
    const line = emptyLine();
    says(line, aClaim("a", { score: 1 }));
    says(line, aClaim("b", { score: 2 }));
    says(line, aClaim("a", { score: 1, wants: 0 }));
    expect(told(callsOf(line))).toEqual(["b 1"]);
    expect(says(line, aClaim("b", { score: 2, wants: 2 }))).toEqual(held(1));
    expect(line.roster.inUse).toBe(1);
  });

  it("an older holder keeps its unit from step to step while only younger runs wait", () => {
    const line = emptyLine();
    says(line, aClaim("old", { score: 1 }));
    says(line, aClaim("young", { score: 5 }));
    expect(callsOf(line)).toEqual([]);
    expect(says(line, aClaim("old", { score: 1, busy: 1, wants: 0 }))).toEqual(held(1));
  });

  it("FC-9: on a shared line every other function that waits goes first", () => {
    const line = emptyLine();
    says(line, aClaim("a", { functionId: "f", score: 1 }));
    says(line, aClaim("b", { functionId: "g", score: 9 }));
    expect(deliver(line)).toEqual(["a 1 yields"]);
    expect(says(line, aClaim("a", { functionId: "f", score: 1 }))).toEqual(held(0));
    expect(deliver(line)).toEqual(["b 1 yields"]);
  });

  it("FC-7: but not a function that could not have the unit", () => {
    const line = emptyLine();
    for (let i = 0; i < 7; i++) says(line, aClaim(`b${i}`, { functionId: "b", limit: units(50) }));
    says(line, aClaim("a", { functionId: "a", limit: units(5) }));
    expect(callsOf(line)).toEqual([]);
  });
});

describe("FC-7: one shared key with different limits", () => {
  it("each function compares what all use with its own limit", () => {
    const line = emptyLine();
    const a = (runId: string) => aClaim(runId, { functionId: "a", limit: units(5) });
    const b = (runId: string, wants = 1) => aClaim(runId, { functionId: "b", limit: units(50), wants });
    for (let i = 0; i < 5; i++) expect(says(line, b(`b${i}`)).held).toBe(1);
    expect(says(line, a("a")).held).toBe(0);
    expect(says(line, b("b5")).held).toBe(1);
    says(line, b("b5", 0));
    expect(deliver(line)).not.toContain("a 1");
    says(line, b("b4", 0));
    expect(deliver(line)).toEqual(["a 1"]);
  });
});

describe("FC-11: a changed limit", () => {
  it("lets waiting runs go at once when it is raised, and when it is taken away", () => {
    const line = emptyLine();
    for (let i = 0; i < 5; i++) says(line, aClaim(`r${i}`, { score: i }));
    line.relimit("f", units(3, 2), at(NOW));
    expect(deliver(line)).toEqual(["r1 1", "r2 1"]);
    line.relimit("f", units(0, 3), at(NOW));
    expect(deliver(line)).toEqual(["r3 1", "r4 1"]);
  });

  it("gives nothing out while more is in use, and every holder asks before its next step", () => {
    const line = emptyLine();
    for (let i = 0; i < 10; i++) says(line, aClaim(`r${i}`, { score: i, limit: units(10) }));
    line.relimit("f", units(2, 2), at(NOW));
    expect(deliver(line)).toHaveLength(10);
    const stale = { limit: units(10) };
    for (let i = 0; i < 8; i++) expect(says(line, aClaim(`r${i}`, { score: i, ...stale })).held).toBe(0);
    expect(deliver(line)).toEqual([]);
    // Two are left: the next one who gives back makes room for the oldest.
    says(line, aClaim("r9", { score: 9, ...stale }));
    expect(deliver(line)).toEqual(["r0 1"]);
    expect(line.roster.inUse).toBe(2);
  });

  it("of two limits the one of the higher version counts, whoever brings it, also for another instance", () => {
    const line = emptyLine();
    const store = new Store();
    says(line, aClaim("a", { limit: units(1, 7), score: 1 }));
    says(line, aClaim("b", { limit: units(9, 3), score: 2 }));
    expect(line.roster.inUse).toBe(1);
    says(line, aClaim("c", { limit: units(2, 8), score: 3 }));
    expect(deliver(line)).toEqual(["b 1"]);
    says(line, aClaim("c", { limit: units(2, 8), score: 3, wants: 0 }));
    store.save(line);
    const other = store.load();
    expect(says(other, aClaim("d", { limit: units(9, 7), score: 4 })).held).toBe(0);
    deliver(other);
    for (const runId of ["d", "a", "b"]) says(other, aClaim(runId, { wants: 0 }));
    deliver(other);
    store.save(other);
    expect(store.rows).toBe(0);
  });
});

describe("another instance", () => {
  it("knows everything that was stored, and calls those again that have not answered", () => {
    const line = emptyLine();
    const store = new Store();
    for (let i = 0; i < 4; i++) says(line, aClaim(`r${i}`, { score: i, limit: units(2) }));
    says(line, aClaim("r0", { score: 0, wants: 0, limit: units(2) }));
    store.save(line);
    expect(told(callsOf(line))).toEqual(["r2 1"]);
    const other = store.load();
    expect(deliver(other)).toEqual(["r2 1"]);
    says(other, aClaim("r1", { score: 1, wants: 0, limit: units(2) }));
    expect(deliver(other)).toEqual(["r3 1"]);
  });

  it("I3: takes nothing from a run that may still use what it was told of", () => {
    const line = emptyLine();
    const store = new Store();
    for (let i = 0; i < 3; i++) says(line, aClaim(`r${i}`, { score: i }));
    says(line, aClaim("r0", { score: 0, wants: 0 }));
    store.save(line);
    deliver(line);
    const other = store.load();
    expect(says(other, aClaim("r1", { score: 1, wants: 0 }))).toEqual(held(0));
    expect(told(callsOf(other))).toEqual(["r1 0"]);
  });
});

describe("silence", () => {
  it("I5: while somebody waits, holders that were silent are asked, and give back what they do not need", () => {
    const line = emptyLine();
    const limit = units(2);
    says(line, aClaim("a", { score: 1, limit }));
    says(line, aClaim("b", { score: 2, limit }));
    says(line, aClaim("c", { score: 3, limit }), NOW + 1);
    const due = NOW + 1 + CAPACITY.lease;
    expect(line.dueAt(NOW + 1)).toBe(due);
    says(line, aClaim("b", { score: 2, limit, busy: 1, wants: 0 }), NOW + 5000);
    line.wake(at(due));
    const calls = callsOf(line, due);
    expect(told(calls)).toEqual(["a 1"]);
    expect(line.dueAt(due)).toBe(due + CAPACITY.lease);
    for (const call of calls) line.answered(call, null, at(due));
    expect(deliver(line, due)).toEqual(["c 1"]);
  });

  it("nobody is asked, and nothing is ever due, while nobody waits", () => {
    const line = emptyLine();
    says(line, aClaim("a"));
    expect(line.dueAt(NOW)).toBeNull();
    line.wake(at(NOW + CAPACITY.lease));
    expect(callsOf(line)).toEqual([]);
  });

  it("an instance that is woken without having heard anything asks everybody", () => {
    const line = emptyLine();
    const store = new Store();
    for (let i = 0; i < 3; i++) says(line, aClaim(`r${i}`, { score: i, limit: units(2) }));
    store.save(line);
    const other = store.load();
    other.wake(at(NOW));
    expect(told(callsOf(other))).toEqual(["r0 1", "r1 1"]);
  });

  it("I5: a claim that was said long before its line was loaded is asked about by itself: its run may have left meanwhile", () => {
    const late = aClaim("a");
    const loaded = NOW + 20 * SECOND;
    const store = new Store();
    const line = store.load("steps", loaded);
    expect(says(line, late, loaded)).toEqual(held(1));
    store.save(line);
    const due = loaded + CAPACITY.lease;
    expect(line.dueAt(loaded)).toBe(due);
    line.wake(at(due - 1));
    expect(callsOf(line, due - 1)).toEqual([]);
    line.wake(at(due));
    const calls = callsOf(line, due);
    expect(told(calls)).toEqual(["a 1"]);
    for (const call of calls) line.answered(call, null, at(due));
    expect([line.roster.inUse, line.dueAt(due)]).toEqual([0, null]);
    // Should the line be lost before, the next instance knows whom to ask.
    const other = store.load("steps", due);
    for (const call of callsOf(other, due)) other.answered(call, null, at(due));
    store.save(other);
    expect(store.rows).toBe(0);
  });

  it("I5: nobody asks a run that speaks again, or whose claim is asked about and true", () => {
    const late = aClaim("a");
    const loaded = NOW + 20 * SECOND;
    const store = new Store();
    const line = store.load("steps", loaded);
    says(line, late, loaded);
    says(line, { ...late, fence: { sequence: 1, stamp: loaded }, busy: 1, wants: 0 }, loaded + 1);
    store.save(line);
    expect([line.dueAt(loaded + 1), line.roster.owed, store.written]).toEqual([null, 0, 1]);
    says(line, { ...late, fence: { sequence: 1, stamp: loaded + 2 }, wants: 0 }, loaded + 2);
    store.save(line);
    expect(store.rows).toBe(0);
    const other = store.load("steps", loaded);
    says(other, late, loaded);
    other.wake(at(loaded + CAPACITY.lease));
    const [call] = callsOf(other, loaded + CAPACITY.lease);
    if (call === undefined) throw new Error("a was not asked");
    const fence = { sequence: 2, stamp: loaded };
    other.answered(call, { fence, busy: 1, wants: 0 }, at(loaded + CAPACITY.lease));
    expect([other.roster.inUse, other.dueAt(loaded + CAPACITY.lease)]).toEqual([1, null]);
  });

  it("I5: so is one that more runs have left since than a line remembers", () => {
    const late = aClaim("late");
    const line = emptyLine();
    says(line, aClaim("late", { wants: 0 }));
    for (let i = 0; i <= CAPACITY.departed; i++) says(line, aClaim(`r${i}`, { wants: 0 }));
    expect(line.dueAt(NOW)).toBeNull();
    expect(says(line, late)).toEqual(held(1));
    expect(line.dueAt(NOW)).toBe(NOW + CAPACITY.lease);
  });

  it("whole runs are woken less often", () => {
    const line = emptyLine("runs");
    for (let i = 0; i < 2; i++) says(line, aClaim(`r${i}`, { score: i }));
    expect(line.dueAt(NOW)).toBe(NOW + CAPACITY.runLease);
  });
});
