/**
 * The instructions of a WebAssembly function, as far as one must know them to find the next: where each begins and ends. Owns the table of
 * immediates. Throws on an instruction it does not know.
 */
import type { Reader } from "./leb.ts";

/** One instruction; `second` is the number that tells apart those which begin with 0xfc, 0 for all others. */
export interface Instruction {
  readonly code: number;
  readonly second: number;
  /** Offsets in the body: of the first byte, and of the first byte after it. */
  readonly start: number;
  readonly end: number;
}

/** The instructions that are left in `reader`. */
export function* instructions(reader: Reader): Generator<Instruction> {
  while (!reader.done) {
    const start = reader.at;
    const code = reader.byte();
    const second = code === 0xfc ? reader.unsigned() : 0;
    if (code === 0xfc) skipExtended(reader, second);
    else skipImmediates(reader, code);
    yield { code, second, start, end: reader.at };
  }
}

function skipImmediates(reader: Reader, code: number): void {
  if (code >= 0x45 && code <= 0xc4) return; // comparisons, arithmetic and conversions
  if (code >= 0x28 && code <= 0x3e) return skip(reader, 2); // loads and stores: alignment, offset
  switch (code) {
    case 0x00: // unreachable
    case 0x01: // nop
    case 0x05: // else
    case 0x0b: // end
    case 0x0f: // return
    case 0x1a: // drop
    case 0x1b: // select
      return;
    case 0x02: // block
    case 0x03: // loop
    case 0x04: // if
    case 0x0c: // br
    case 0x0d: // br_if
    case 0x10: // call
    case 0x20: // local.get
    case 0x21: // local.set
    case 0x22: // local.tee
    case 0x23: // global.get
    case 0x24: // global.set
    case 0x3f: // memory.size
    case 0x40: // memory.grow
    case 0x41: // i32.const
    case 0x42: // i64.const
      return skip(reader, 1);
    case 0x0e: // br_table: targets and the default
      return skip(reader, reader.unsigned() + 1);
    case 0x11: // call_indirect: type, table
      return skip(reader, 2);
    case 0x43: // f32.const
      reader.bytes(4);
      return;
    case 0x44: // f64.const
      reader.bytes(8);
      return;
    default:
      throw new Error(`instruction 0x${code.toString(16)} is not known`);
  }
}

function skipExtended(reader: Reader, second: number): void {
  if (second <= 7) return; // saturating conversions
  switch (second) {
    case 10: // memory.copy
      return skip(reader, 2);
    case 11: // memory.fill
      return skip(reader, 1);
    default:
      throw new Error(`instruction 0xfc ${second} is not known`);
  }
}

function skip(reader: Reader, numbers: number): void {
  for (let left = numbers; left > 0; left--) reader.skipNumber();
}
