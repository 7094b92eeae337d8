/**
 * Random damage to valid requests and replies (SE-15, faults 14), the same in every run of the suite: the seed is fixed, and a failure
 * names the mutant, which can then be made again.
 */
import * as fc from "fast-check";

/** Damage to one place of a text. */
interface Damage {
  readonly kind: "replace" | "delete" | "double" | "cut";
  /** Where, in characters. */
  readonly at: number;
  /** How many characters are deleted or doubled. */
  readonly length: number;
  /** What comes in place of one character. */
  readonly by: string;
}

function applied(text: string, { kind, at, length, by }: Damage): string {
  switch (kind) {
    case "replace":
      return text.slice(0, at) + by + text.slice(at + 1);
    case "delete":
      return text.slice(0, at) + text.slice(at + length);
    case "double":
      return text.slice(0, at + length) + text.slice(at);
    case "cut":
      return text.slice(0, at);
  }
}

/** A text with one to three places damaged, as a broken proxy, a bug or an attacker would. */
export function damaged(text: string): fc.Arbitrary<string> {
  const damage: fc.Arbitrary<Damage> = fc.record({
    kind: fc.constantFrom("replace", "delete", "double", "cut"),
    at: fc.nat({ max: Math.max(text.length - 1, 0) }),
    length: fc.integer({ min: 1, max: 40 }),
    by: fc.constantFrom(...`{}[]",:\\0-9eE.ntf \u0000é😀`),
  });
  return fc.array(damage, { minLength: 1, maxLength: 3 }).map((damages) => damages.reduce(applied, text));
}

/** Valid JSON in which one value, anywhere, has become another one. */
export function mistyped(text: string): fc.Arbitrary<string> {
  const value = fc.oneof(
    fc.constantFrom<unknown>(null, true, 0, -1, 1e21, "", "x", [], {}, [[]], { a: null }),
    fc.jsonValue(),
  );
  const places = paths(JSON.parse(text));
  return fc
    .tuple(fc.constantFrom(...places), value)
    .map(([path, other]) => JSON.stringify(replaced(JSON.parse(text), path, other)));
}

/** Keys and indexes that lead to a value. */
export type Path = readonly (string | number)[];

/** Where the values of a JSON value are, itself included. */
export function paths(value: unknown, base: Path = []): Path[] {
  const inner = typeof value === "object" && value !== null ? Object.entries(value) : [];
  return [base, ...inner.flatMap(([key, child]) => paths(child, [...base, Array.isArray(value) ? Number(key) : key]))];
}

/** A JSON value in which the one at a path has become another. */
export function replaced(value: unknown, [first, ...rest]: Path, other: unknown): unknown {
  if (first === undefined) return other;
  if (Array.isArray(value))
    return value.map((child, index) => (index === first ? replaced(child, rest, other) : child));
  return Object.fromEntries(
    Object.entries(value ?? {}).map(([key, child]) => [key, key === first ? replaced(child, rest, other) : child]),
  );
}

const SEED = 20_261_121;

/** So many mutants of JSON texts. */
export function mutantsOf(texts: readonly string[], count: number): string[] {
  const one = fc.constantFrom(...texts).chain((text) => fc.oneof(damaged(text), mistyped(text)));
  return fc.sample(one, { numRuns: count, seed: SEED });
}
