/**
 * Hostile input (SE-15): texts, JSON fragments and bytes that parsers are known to stumble over, and ways to put them into a valid
 * request. Generators only; what must hold is each test's.
 */
import * as fc from "fast-check";
import { damaged, mistyped, paths, replaced } from "../conformance/wire/faults/mutations.ts";

/** Texts that are names of something, too long, not well formed, or that speak another language than the parser. */
const TEXTS = [
  "",
  " ",
  "\u0000",
  "a\u0000b",
  "\ud800",
  "\udfff\ud800",
  "\u202egnp.exe",
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "valueOf",
  "toJSON",
  "then",
  "length",
  "inngest/function.invoked",
  "INNGEST/function.failed",
  "😀".repeat(256),
  "é".repeat(512),
  "€".repeat(512),
  "a".repeat(1025),
  "a:b:c",
  "../../etc/passwd",
  "'; DROP TABLE events; --",
  `" OR ""="`,
  "<img src=x onerror=alert(1)>",
  "a\r\nset-cookie: b=c",
  "%",
  "%00",
  "%zz",
  "NaN",
  "-0",
  "1e999",
  "9".repeat(400),
  "null",
  "undefined",
  "[object Object]",
  "2026-11-21T02:00:00Z",
  "9999-12-31T23:59:59.999+23:59",
  "0000-01-01T00:00:00Z",
  "01ARZ3NDEKTSV4RRFFQ69G5FAV",
  "7ZZZZZZZZZZZZZZZZZZZZZZZZZ",
  "8ZZZZZZZZZZZZZZZZZZZZZZZZZ",
  "01arz3ndektsv4rrffq69g5fav",
  "366d",
  "-1s",
  "99999999999999999999d",
  "TZ=Mars/Olympus * * * * *",
];

/** Any text, well formed or not. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...TEXTS) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
  { weight: 1, arbitrary: fc.uint16Array({ maxLength: 8 }).map((units) => String.fromCharCode(...units)) },
  { weight: 1, arbitrary: fc.integer({ min: 200, max: 5000 }).map((length) => "x".repeat(length)) },
);

const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;
const nestedObjects = (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;

/** JSON texts of values that are legal and rarely expected. */
const VALUES = [
  "null",
  "true",
  "0",
  "-0",
  "-1",
  "0.5",
  "1e21",
  "1e999",
  "-1e999",
  "1e-999",
  "9007199254740993",
  "253402300800000",
  "[]",
  "{}",
  "[[]]",
  '[null,{"a":[]}]',
  '{"":""}',
  '{"__proto__":{"admin":true}}',
  '{"__proto__":null,"constructor":{"prototype":{"x":1}}}',
  '{"toString":1,"valueOf":2}',
  '{"toString":null,"valueOf":null,"toJSON":1}',
  '{"length":4294967295}',
  '{"then":1}',
  '{"a":1,"a":2}',
  '{"a":1,"\\u0061":2}',
  '"\\ud800"',
  '"\\udfff\\ud800"',
  '"\\u0000"',
  nested(50),
  nested(98),
  nestedObjects(98),
];

/** Fragments that are no JSON, or too much of it. */
const BROKEN = [
  "NaN",
  "Infinity",
  "undefined",
  "01",
  "1.",
  ".5",
  "+1",
  "0x10",
  "'a'",
  "[1,]",
  '{"a":1,}',
  "{a:1}",
  '"\\x41"',
  '"\\u00zz"',
  '"a\nb"',
  "/* c */ 1",
  "1 2",
  "]",
  "}",
  '"',
  nested(101),
  nested(20_000),
  nestedObjects(101),
  "[".repeat(50_000),
  '{"a":'.repeat(20_000),
];

/** A fragment of JSON: mostly legal. */
const fragment: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...VALUES) },
  { weight: 4, arbitrary: hostileText.map((text) => JSON.stringify(text)) },
  { weight: 2, arbitrary: fc.json({ maxDepth: 3 }) },
  { weight: 1, arbitrary: fc.constantFrom(...BROKEN) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 1, max: 3000 }).map((count) => `[${Array.from({ length: count }, (_, n) => n)}]`),
  },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 1, max: 3000 })
      .map((count) => `{${Array.from({ length: count }, (_, n) => `"k${n}":${n}`).join(",")}}`),
  },
);

const MARK = "a mark that occurs nowhere";

/** A valid JSON text in which one value has become a fragment. */
function implanted(text: string): fc.Arbitrary<string> {
  const valid: unknown = JSON.parse(text);
  return fc
    .tuple(fc.constantFrom(...paths(valid)), fragment)
    .map(([path, other]) => JSON.stringify(replaced(valid, path, MARK)).replace(JSON.stringify(MARK), () => other));
}

/** A valid JSON text in which one object has one more field, before or after its own: perhaps a second one of a name. */
function extended(text: string): fc.Arbitrary<string> {
  const valid: unknown = JSON.parse(text);
  const places = paths(valid).flatMap((path) => {
    const value = path.reduce<unknown>((at, part) => Object(at)[part], valid);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? [{ path, value }] : [];
  });
  if (places.length === 0) return implanted(text);
  return fc
    .tuple(fc.constantFrom(...places), fc.option(hostileText), fc.nat(), fragment, fc.boolean())
    .map(([{ path, value }, name, at, other, first]) => {
      const own = Object.keys(value);
      const field = `${JSON.stringify(name ?? own[at % Math.max(own.length, 1)] ?? "a")}:${other}`;
      const inner = JSON.stringify(value).slice(1, -1);
      const fields = [field, inner].filter((part) => part !== "");
      const whole = `{${(first ? fields : fields.reverse()).join(",")}}`;
      return JSON.stringify(replaced(valid, path, MARK)).replace(JSON.stringify(MARK), () => whole);
    });
}

/** A mutant of one of these valid JSON texts. */
export function hostileJson(texts: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof(
    ...texts.map((text) =>
      fc.oneof(
        { weight: 4, arbitrary: implanted(text) },
        { weight: 2, arbitrary: extended(text) },
        { weight: 2, arbitrary: mistyped(text) },
        { weight: 2, arbitrary: damaged(text) },
        { weight: 1, arbitrary: fragment },
      ),
    ),
  );
}

const utf8 = new TextEncoder();
const OPENINGS = [
  [0xef, 0xbb, 0xbf],
  [0xff, 0xfe],
  [0x1f, 0x8b, 0x08, 0],
  [0xff],
  [0xc0, 0x80],
  [0xed, 0xa0, 0x80],
  [0],
];

/** The bytes of a text, now and then preceded, interrupted or ended by bytes that are no UTF-8. */
export function hostileBytes(text: fc.Arbitrary<string>): fc.Arbitrary<Uint8Array<ArrayBuffer>> {
  return fc
    .tuple(text, fc.option(fc.tuple(fc.constantFrom(...OPENINGS), fc.constantFrom(0, 0.5, 1)), { freq: 6 }))
    .map(([written, noise]) => {
      const bytes = Uint8Array.from(utf8.encode(written));
      if (noise === null) return bytes;
      const at = Math.floor(bytes.length * noise[1]);
      return Uint8Array.from([...bytes.subarray(0, at), ...noise[0], ...bytes.subarray(at)]);
    });
}
