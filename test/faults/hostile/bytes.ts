/**
 * Damage to bytes: what a broken proxy, a bad disk or an attacker does to a reply (faults.md row 14). Generators only; the seed is fixed, so
 * that a failure can be made again.
 */
import * as fc from "fast-check";

interface Damage {
  readonly kind: "flip" | "replace" | "delete" | "double" | "swap" | "cut";
  /** Where, from 0 to 1. */
  readonly at: number;
  /** How many bytes are deleted or doubled. */
  readonly length: number;
  /** What a byte becomes, or which of its bits are flipped. */
  readonly by: number;
}

const BYTES = [
  0x00, 0x22, 0x2c, 0x2d, 0x30, 0x39, 0x3a, 0x5b, 0x5c, 0x5d, 0x65, 0x7b, 0x7d, 0x80, 0xbf, 0xc0, 0xed, 0xf5, 0xff,
];

const damage: fc.Arbitrary<Damage> = fc.record({
  kind: fc.constantFrom("flip", "flip", "replace", "delete", "double", "swap", "cut"),
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  length: fc.integer({ min: 1, max: 40 }),
  by: fc.oneof(fc.constantFrom(...BYTES), fc.integer({ min: 1, max: 255 })),
});

function applied(bytes: Buffer, { kind, at, length, by }: Damage): Buffer {
  const place = Math.floor(at * bytes.byteLength);
  const before = bytes.subarray(0, place);
  const [here = 0x20, next = here] = bytes.subarray(place);
  switch (kind) {
    case "flip":
      return Buffer.concat([before, Buffer.of(here ^ (1 << (by % 8))), bytes.subarray(place + 1)]);
    case "replace":
      return Buffer.concat([before, Buffer.of(by), bytes.subarray(place + 1)]);
    case "delete":
      return Buffer.concat([before, bytes.subarray(place + length)]);
    case "double":
      return Buffer.concat([bytes.subarray(0, place + length), bytes.subarray(place)]);
    case "swap":
      return Buffer.concat([before, Buffer.of(next, here), bytes.subarray(place + 2)]);
    case "cut":
      return before;
  }
}

/** The bytes with one to four places damaged. */
export function damagedBytes(bytes: Uint8Array): fc.Arbitrary<Buffer> {
  return fc.array(damage, { minLength: 1, maxLength: 4 }).map((all) => all.reduce(applied, Buffer.from(bytes)));
}
