import { describe, expect, it } from "vitest";
import { parseJson } from "../../src/json.ts";

const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

describe("JSON from outside (SE-15)", () => {
  it("100 levels are accepted, 101 are refused by name", () => {
    expect(parseJson(nested(100)).ok).toBe(true);
    expect(parseJson(nested(101))).toEqual({ ok: false, reason: "JSON is nested deeper than 100 levels" });
  });

  it("a depth bomb neither throws nor parses", () => {
    expect(parseJson(nested(1_000_000)).ok).toBe(false);
    expect(parseJson('{"a":'.repeat(500_000)).ok).toBe(false);
  });

  it("brackets inside strings, also after escapes, do not count", () => {
    const text = JSON.stringify({ s: `\\"${"[{".repeat(500)}`, t: "]" });
    expect(parseJson(text)).toEqual({ ok: true, value: JSON.parse(text) });
  });

  it.each(["", "{", "nope", "[1,]", "\u0000"])("%j is refused with a reason", (text) => {
    const parsed = parseJson(text);
    expect(parsed.ok ? "" : parsed.reason).not.toBe("");
    expect(parsed.ok).toBe(false);
  });

  it("EX-7: numbers, Unicode and order of keys survive", () => {
    const text = '{"z":1e+21,"a":"ü\\u0000","n":[null,-0.5]}';
    const parsed = parseJson(text);
    expect(JSON.stringify(parsed.ok ? parsed.value : null)).toBe(text);
  });
});
