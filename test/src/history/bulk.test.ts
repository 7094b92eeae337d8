import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeRow, packRows, utf8Length, utf8Pieces } from "../../../src/history/bulk.ts";

const cell = fc.oneof(fc.string({ unit: "binary" }), fc.integer(), fc.constant(null));
const rows = fc.array(fc.array(cell, { minLength: 1, maxLength: 4 }), { maxLength: 30 });

describe("packRows", () => {
  test("keeps every row once and in order", () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 2, max: 500 }), (given, limit) => {
        const packed = packRows(given.map(encodeRow), limit);
        expect(packed.flatMap((parameter) => JSON.parse(parameter))).toEqual(given);
      }),
    );
  });

  test("no parameter exceeds the limit, unless it is one row that does so on its own", () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 2, max: 500 }), (given, limit) => {
        for (const parameter of packRows(given.map(encodeRow), limit)) {
          const alone = JSON.parse(parameter).length === 1;
          expect(alone || utf8Length(parameter) <= limit).toBe(true);
        }
      }),
    );
  });

  test("fills a parameter up to the very limit", () => {
    const row = encodeRow(["é"]);
    expect(packRows([row, row], row.bytes * 2 + 3)).toHaveLength(1);
    expect(packRows([row, row], row.bytes * 2 + 2)).toHaveLength(2);
  });

  test("no rows need no statement", () => {
    expect(packRows([], 100)).toEqual([]);
  });
});

describe("utf8Pieces", () => {
  test("EV-27: pieces join to the whole, and each fits", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), fc.integer({ min: 4, max: 40 }), (text, limit) => {
        const pieces = utf8Pieces(text, limit);
        expect(pieces.join("")).toBe(text);
        for (const piece of pieces) expect(utf8Length(piece)).toBeLessThanOrEqual(limit);
      }),
    );
  });

  test("cuts between characters, never inside one", () => {
    expect(utf8Pieces("aé€😀", 4)).toEqual(["aé", "€", "😀"]);
  });
});
