import { describe, expect, it } from "vitest";
import { evaluateCondition } from "../../../src/expressions/evaluate.ts";
import type { Json } from "../../../src/json.ts";
import { compileSearch, linesOf } from "../../../src/search/source.ts";

function matches(source: string, event: Json): boolean {
  const compiled = compileSearch(source, "event_search");
  if (!compiled.ok) throw new Error(compiled.error.message);
  const result = evaluateCondition(compiled.expression, { event }, 0);
  return result.ok && result.matched;
}

describe("OB-1: a new line means &&", () => {
  it.each<[string, string[]]>([
    [
      'event.data.hello == "world"\nevent.name != "billing"',
      ['event.data.hello == "world"', 'event.name != "billing"'],
    ],
    ["a\r\n\n  b  \n", ["a\r", "  b  "]],
    ["a == [\n1,\n2]\nb", ["a == [\n1,\n2]", "b"]],
    ["a &&\nb\n|| c", ["a &&\nb\n|| c"]],
    ['a == """x\ny"""\nb', ['a == """x\ny"""', "b"]],
    ["a // && \nb", ["a // && ", "b"]],
    ["// nothing\n\n", []],
    ['"a\nb', ['"a', "b"]],
  ])("%j", (source, lines) => {
    expect(linesOf(source).map(({ text }) => text)).toEqual(lines);
  });

  it("holds all lines against an event, each as if in brackets", () => {
    const source = 'event.data.a == 1 || event.data.b == 1 // either\nevent.name != "billing"';
    expect(matches(source, { name: "shop", data: { b: 1 } })).toBe(true);
    expect(matches(source, { name: "billing", data: { a: 1 } })).toBe(false);
    expect(matches(source, { name: "shop", data: {} })).toBe(false);
  });

  it.each<[string, number, number]>([
    ["event.data.a == 1\n  event.data.b ==", 2, 18],
    ["event.data.a == 1\n\nfoo == 1", 3, 1],
    ["(event.data.a\n== )", 2, 4],
    ["", 1, 1],
    [" \n ", 1, 1],
  ])("an error in %j is at line %i, column %i", (source, line, column) => {
    expect(compileSearch(source, "event_search")).toMatchObject({ ok: false, error: { line, column } });
  });
});
