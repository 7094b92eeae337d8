import { describe, expect, it } from "vitest";
import type { Json } from "../../../src/json.ts";
import { faultOf, resultOf } from "./samples.ts";

describe("XP-7, protocol 7.2: functions on text", () => {
  it.each<[string, unknown, Json?]>([
    ["event.data.email.contains('gmail.com')", true, { email: "x@gmail.com" }],
    ["'abc'.contains('')", true],
    ["'abc'.contains('B')", false],
    ["'abc'.startsWith('ab')", true],
    ["'abc'.startsWith('b')", false],
    ["'abc'.endsWith('bc')", true],
    ["'abc'.endsWith('b')", false],
    ["lowercase(event.data.e) == 'a@b'", true, { e: "A@B" }],
    ["'ÀB'.lowercase()", "àb"],
    ["uppercase('straße')", "STRASSE"],
    ["b64decode('aMOpbGxv')", "héllo"],
    ["b64decode('aGk')", "hi"],
    ["json_parse('{\"a\":[1,null]}').a[0]", 1],
    ["json_parse(event.data.j).n == 5", true, { j: '{"n":5}' }],
    ["json_parse('null') == null", true],
    ["size('abc')", 3n],
    ["'abc'.size()", 3n],
    ["size('\\U0001F600é')", 2n],
    ["size([1, 2])", 2n],
    ["size({'a': 1})", 1n],
    ["event.data.l.size() == 2", true, { l: [1, 2] }],
    ["size(event.data.x)", 0n],
    ["size(event.data.x) > 0", false],
    ["event.data.x.size()", 0n],
  ])("%s is %s", (source, expected, data = {}) => {
    expect(resultOf(source, data)).toEqual(expected);
  });
  it.each(["x.contains('a')", "x.startsWith('a')", "x.endsWith('a')", "x.matches('a')", "a.contains(event.data.x)"])(
    "XP-12: event.data.%s is false when x is missing",
    (call) => {
      expect(resultOf(`event.data.${call} == false`, { a: "a" })).toBe(true);
    },
  );
  it.each<[string, string, Json?]>([
    ["event.data.n.contains('1')", '"contains" wants text, not a number', { n: 1 }],
    ["'a'.startsWith(1)", '"startsWith" wants text, not a number'],
    ["lowercase(event.data.l)", '"lowercase" wants text, not a list', { l: [] }],
    ["size(1)", '"size" wants text, not a number'],
    ["b64decode('***')", "b64decode wants base64"],
    ["json_parse('{secret')", "json_parse wants JSON"],
  ])("%s is a runtime error that quotes no data", (source, error, data = {}) => {
    expect(faultOf(source, data)).toBe(error);
  });
});
