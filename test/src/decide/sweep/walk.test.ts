import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { resumed, type Walk, walked } from "../../../../src/decide/sweep/walk.ts";
import { RETENTION } from "../../../../src/limits.ts";

const T0 = 1_800_000_000_000;
const ids = (from: number, count: number) => Array.from({ length: count }, (_, i) => String(from + i).padStart(9, "0"));

describe("a pass over a table", () => {
  it("OB-24: goes on where it stopped, and comes to every row of a table of any size", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4 * RETENTION.rows }), fc.integer({ min: 1, max: 3 }), (size, pages) => {
        const table = ids(0, size);
        const seen: string[] = [];
        let walk: Walk | null = null;
        for (let sweep = 0; sweep === 0 || walk?.atEnd !== true; sweep++) {
          walk = resumed(walk, T0 + sweep);
          for (let page = 0; page < pages && !walk.atEnd; page++) {
            const cursor: string = walk.cursor;
            const rows = table.filter((id) => id > cursor).slice(0, RETENTION.rows);
            seen.push(...rows);
            walk = walked(walk, rows);
          }
        }
        expect(seen).toEqual(table);
      }),
      { numRuns: 50 },
    );
  });

  it("stays at the end for what is new, and begins anew after a while for what could not go", () => {
    const end = walked(resumed(null, T0), ids(0, 3));
    expect(end).toEqual({ cursor: "000000002", beganAt: T0, atEnd: true });
    expect(resumed(end, T0 + RETENTION.pass - 1)).toBe(end);
    expect(walked(end, [])).toBe(end);
    expect(walked(end, ids(3, 1))).toMatchObject({ cursor: "000000003", beganAt: T0, atEnd: true });
    expect(resumed(end, T0 + RETENTION.pass)).toEqual({ cursor: "", beganAt: T0 + RETENTION.pass, atEnd: false });
  });

  it("does not begin anew before it has come to the end, however long that takes", () => {
    const far = walked(resumed(null, T0), ids(0, RETENTION.rows));
    expect(far.atEnd).toBe(false);
    expect(resumed(far, T0 + 100 * RETENTION.pass)).toBe(far);
  });

  it("a clock that was set back makes no pass wait", () => {
    const end = walked(resumed(null, T0), []);
    expect(resumed(end, T0 - 1)).toEqual({ cursor: "", beganAt: T0 - 1, atEnd: false });
  });
});
