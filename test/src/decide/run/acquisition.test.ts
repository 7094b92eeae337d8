import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { needs, passing, type Standing } from "../../../../src/decide/run/acquisition.ts";
import type { Work } from "../../../../src/decide/run/lines.ts";
import { line } from "./limited.ts";

const steps = (over: Partial<Standing> = {}): Standing => ({
  line: line("steps"),
  held: 0,
  told: 0,
  doubtful: false,
  asking: false,
  yields: false,
  gone: false,
  ...over,
});
const starts = (over: Partial<Standing> = {}) => steps({ line: line("starts"), ...over });
const runs = (over: Partial<Standing> = {}) => steps({ line: line("runs"), ...over });
const work = (over: Partial<Work> = {}): Work => ({
  executing: 0,
  due: 1,
  lost: 0,
  started: true,
  released: false,
  admitted: true,
  ended: false,
  ...over,
});
const fresh = work({ started: false, admitted: false });

describe("asking a line", () => {
  it("FC-1: a unit per executing job and one per due job is asked for, once", () => {
    expect(needs([steps()], work({ executing: 2, due: 3 }))).toEqual([{ busy: 2, wants: 3, tell: true }]);
    expect(needs([steps({ told: 5, held: 2 })], work({ executing: 2, due: 3 }))[0]?.tell).toBe(false);
  });

  it("a unit that passes from one job to the next asks nobody", () => {
    const kept = steps({ held: 1, told: 1 });
    expect(passing([kept], work({ executing: 0, due: 1 }))).toEqual([1]);
    expect(needs([kept], work({ executing: 1, due: 0 }))[0]?.tell).toBe(false);
  });

  it("FC-2: what no job needs is given back", () => {
    const idle = steps({ held: 2, told: 2 });
    expect(needs([idle], work({ executing: 1, due: 0 }))).toEqual([{ busy: 1, wants: 0, tell: true }]);
    expect(needs([idle], work({ due: 0 }))).toEqual([{ busy: 0, wants: 0, tell: true }]);
  });

  it("FC-8: a unit that yields is offered to the line before it does another step", () => {
    const yielding = steps({ held: 1, told: 1, yields: true });
    expect(passing([yielding], work())).toEqual([0]);
    expect(needs([yielding], work())).toEqual([{ busy: 0, wants: 1, tell: true }]);
  });

  it("until a claim is answered only what executes is certain", () => {
    for (const over of [{ asking: true }, { doubtful: true }]) {
      expect(passing([steps({ held: 2, told: 2, ...over })], work({ executing: 1 }))).toEqual([0]);
    }
    expect(needs([steps({ held: 1, told: 1, doubtful: true })], work({ due: 0, executing: 1 }))[0]?.tell).toBe(true);
  });

  it("FC-10: while lost calls may be executing, a new instance neither asks nor delivers", () => {
    const unknown = steps({ told: null });
    expect(passing([unknown], work({ lost: 1 }))).toEqual([0]);
    expect(needs([unknown], work({ lost: 1 }))[0]?.tell).toBe(false);
    expect(needs([unknown], work({ lost: 0 }))[0]?.tell).toBe(true);
  });

  it("FC-11: a limit that is gone lets everything past", () => {
    const standings = [steps({ gone: true }), steps({ held: 1, told: 1 })];
    expect(passing(standings, work({ due: 4 }))).toEqual([4, 1]);
    expect(needs(standings, work({ due: 4, executing: 1 }))[0]).toEqual({ busy: 0, wants: 0, tell: false });
  });
});

describe("several lines", () => {
  it("the next one is asked only for jobs that hold a unit of the one before", () => {
    const second = steps({ line: line("steps", "A") });
    expect(needs([steps({ told: 3, held: 0 }), second], work({ due: 3 }))[1]).toMatchObject({ wants: 0, tell: false });
    expect(needs([steps({ told: 3, held: 2 }), second], work({ due: 3 }))[1]).toMatchObject({ wants: 2, tell: true });
  });

  it("behind a line that has not answered, nothing grows and nothing that may be needed is given back", () => {
    const asking = steps({ held: 1, told: 2, asking: true });
    const behind = needs([asking, steps({ held: 1, told: 1 })], work({ due: 2 }))[1];
    expect(behind).toEqual({ busy: 0, wants: 1, tell: false });
    expect(needs([asking, steps({ held: 3, told: 3 })], work({ due: 2 }))[1]?.tell).toBe(true);
  });

  it("when a line in front takes its unit back, so do those behind it", () => {
    expect(needs([steps({ told: 1, held: 0 }), steps({ held: 1, told: 1 })], work())[1]).toEqual({
      busy: 0,
      wants: 0,
      tell: true,
    });
  });

  it("FC-15, FC-13: a start is asked for once, a whole run's unit is kept to the end", () => {
    const lines = [starts(), runs(), steps()];
    expect(needs(lines, { ...fresh, due: 2 }).map(({ wants, tell }) => [wants, tell])).toEqual(
      [
        [1, true],
        [1, false],
        [2, false],
      ].map(([wants, tell]) => (tell === true ? [wants, tell] : [0, false])),
    );
    const begun = [starts({ held: 1, told: 1 }), runs({ held: 1, told: 1 }), steps({ held: 1, told: 1 })];
    expect(passing(begun, fresh)).toEqual([1, 1, 1]);
    const going = needs(begun, work({ due: 0 }));
    expect(going).toEqual([
      { busy: 0, wants: 0, tell: false },
      { busy: 1, wants: 0, tell: false },
      { busy: 0, wants: 0, tell: true },
    ]);
    const ended = needs(begun, work({ due: 0, ended: true, executing: 1 }));
    expect(ended).toEqual([
      { busy: 0, wants: 0, tell: false },
      { busy: 0, wants: 0, tell: true },
      { busy: 1, wants: 0, tell: false },
    ]);
  });

  it("a run that has ended tells every line at once, also those that may know it from an earlier instance", () => {
    const lines = [starts({ told: null }), runs({ told: null }), steps({ told: null }), steps({ told: 0 })];
    const ended = { ...fresh, due: 0, ended: true };
    expect(needs(lines, ended).map(({ tell }) => tell)).toEqual([true, true, true, false]);
  });
});

const standing = fc.record({
  line: fc.constantFrom(line("steps"), line("steps", "A"), line("steps", "B", "account")),
  held: fc.nat(5),
  told: fc.option(fc.nat(6), { freq: 5 }),
  doubtful: fc.boolean(),
  asking: fc.boolean(),
  yields: fc.boolean(),
  gone: fc.boolean(),
});
const anyWork = fc
  .record({ executing: fc.nat(4), due: fc.nat(4), lost: fc.nat(1) })
  .map((counts) => work({ ...counts, due: counts.due }));

describe("whatever a run knows of its lines", () => {
  it("FC-1: nothing is delivered beyond what every line has given and still stands by", () => {
    fc.assert(
      fc.property(fc.array(standing, { minLength: 1, maxLength: 4 }), anyWork, (standings, now) => {
        const past = passing(standings, now);
        const delivered = past.at(-1) ?? 0;
        expect(delivered).toBeLessThanOrEqual(now.due);
        for (const [index, one] of standings.entries()) {
          if (one.gone) continue;
          if (delivered > 0) expect(one.asking || one.doubtful || one.yields).toBe(false);
          if (delivered > 0) expect(now.executing + delivered).toBeLessThanOrEqual(one.held);
          expect(past[index]).toBeLessThanOrEqual(past[index - 1] ?? now.due);
        }
      }),
    );
  });

  it("no line is asked for more than the line before lets past, and none to give up what executes", () => {
    fc.assert(
      fc.property(fc.array(standing, { minLength: 1, maxLength: 4 }), anyWork, (standings, now) => {
        const past = passing(standings, now);
        for (const [index, { busy, wants, tell }] of needs(standings, now).entries()) {
          if (!tell) continue;
          expect(busy).toBe(now.executing);
          const allowed = index === 0 ? now.due : (past[index - 1] ?? 0);
          const kept = Math.max(0, (standings[index]?.held ?? 0) - now.executing);
          expect(wants).toBeLessThanOrEqual(Math.max(allowed, kept));
        }
      }),
    );
  });

  it("whatever lines answer, a run comes to rest, and with enough room all its jobs are delivered", () => {
    const answers = fc.array(fc.nat(6), { minLength: 40, maxLength: 40 });
    fc.assert(
      fc.property(fc.array(standing, { minLength: 1, maxLength: 4 }), anyWork, answers, (standings, begun, given) => {
        for (const generous of [false, true]) {
          const lines = standings.map((one) => {
            const least = Math.max(one.held, begun.executing);
            return { ...one, asking: false, held: generous ? Math.max(least, one.told ?? 0) : least };
          });
          let now = { ...begun, lost: 0 };
          let told = 0;
          for (;;) {
            const delivered = passing(lines, now).at(-1) ?? 0;
            if (delivered > 0) {
              now = { ...now, due: now.due - delivered, executing: now.executing + delivered };
              continue;
            }
            const [index, need] = [...needs(lines, now).entries()].find(([, { tell }]) => tell) ?? [];
            const one = lines[index ?? -1];
            if (index === undefined || need === undefined || one === undefined) break;
            const units = need.busy + need.wants;
            const held = generous ? units : Math.max(need.busy, Math.min(units, given[told % given.length] ?? 0));
            lines[index] = { ...one, told: units, held, doubtful: false, yields: false };
            expect(++told).toBeLessThan(40);
          }
          if (generous) expect(now.due).toBe(0);
          for (const one of lines) {
            if (one.gone) continue;
            expect(one.held).toBeGreaterThanOrEqual(now.executing);
            // What is kept beyond that has not got past another line.
            expect(one.held).toBeLessThanOrEqual(now.executing + now.due);
          }
        }
      }),
    );
  });
});
