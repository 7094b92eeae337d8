import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { covers, hull, type Span, spansOf } from "../../../../src/decide/window/repeats.ts";
import { seededId } from "../../../../src/events/seed.ts";
import { newUlid } from "../../../../src/ids.ts";

const T = 1_700_000_000_000;

/** Ids of one request, as the engine makes them. */
function idsOfRequest(count: number, time = T): string[] {
  return Array.from({ length: count }, () => newUlid(time));
}

describe("spansOf", () => {
  it("FC-36: a whole send is one span, whoever made its ids", () => {
    const seed = { time: T, entropy: new Uint8Array(10) };
    const seeded = Array.from({ length: 300 }, (_, i) => seededId(seed, i + 1));
    for (const ids of [idsOfRequest(300), seeded]) {
      const spans = spansOf(ids);
      expect(spans).toEqual([[ids[0], ids[299]]]);
      expect(ids.every((id) => covers(spans, id))).toBe(true);
    }
  });

  it("a part of a send covers nothing before or after it", () => {
    const ids = idsOfRequest(30);
    const spans = spansOf(ids.slice(10, 20));
    expect(ids.map((id) => covers(spans, id))).toEqual(ids.map((_, i) => i >= 10 && i < 20));
  });

  it("ids of different times, or that do not rise, stay single", () => {
    const [a = "", b = ""] = [newUlid(T), newUlid(T + 60_000)];
    const between = newUlid(T + 30_000);
    expect(covers(spansOf([a, b]), between)).toBe(false);
    expect(spansOf([b, a])).toEqual([
      [b, b],
      [a, a],
    ]);
    const seed = { time: T, entropy: new Uint8Array(10).fill(255) };
    const wrapped = [seededId(seed, 0), seededId(seed, 1)];
    expect(spansOf(wrapped)).toHaveLength(2);
  });

  it("no ids give no span", () => {
    expect(spansOf([])).toEqual([]);
    expect(covers([], "01")).toBe(false);
  });
});

const id = fc.integer({ min: 0, max: 99 }).map((n) => `01HF7YAT00AAAAAAAAAAAAAA${String(n).padStart(2, "0")}`);

it("covers what was put in, nothing outside the hull, and the hull holds every span", () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(id, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 6 }),
      id,
      (calls, other) => {
        const spans: Span[] = calls.flatMap((ids) => spansOf(ids));
        const [first, last] = hull(spans);
        for (const known of calls.flat()) {
          expect(covers(spans, known)).toBe(true);
          expect(first <= known && known <= last).toBe(true);
        }
        if (covers(spans, other)) expect(first <= other && other <= last).toBe(true);
      },
    ),
  );
});
