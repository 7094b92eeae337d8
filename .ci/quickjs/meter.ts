/**
 * Builds a meter into a WebAssembly module: a global `fuel` that each function entry and each turn of a loop lowers by one, each copy or
 * fill of memory by one per `BYTES_PER_UNIT` bytes; below zero the module traps. Owns where the meter goes; the host sets and reads it.
 * Pure: bytes in, bytes out. Throws on any instruction it does not know, so that nothing goes unmetered.
 */
import { type Instruction, instructions } from "./instructions.ts";
import { concat, Reader, signed, unsigned } from "./leb.ts";

/** The name under which the meter is exported. */
const EXPORT = "fuel";
/** Memory that costs as much to move as one turn of a loop, as a power of two. */
const BYTES_PER_UNIT_SHIFT = 5;

const SECTION = { type: 1, import: 2, function: 3, global: 6, export: 7, code: 10 } as const;
const KIND = { function: 0, table: 1, memory: 2, global: 3 } as const;
const I32 = 0x7f;
const OP = {
  unreachable: 0x00,
  loop: 0x03,
  if: 0x04,
  end: 0x0b,
  call: 0x10,
  localGet: 0x20,
  globalGet: 0x23,
  globalSet: 0x24,
  i32Const: 0x41,
  i32LessSigned: 0x48,
  i32Subtract: 0x6b,
  i32ShiftRight: 0x76,
} as const;
const NO_RESULT = 0x40;
/** Second bytes of `memory.copy` and `memory.fill`, which follow 0xfc; their length lies on top of the stack. */
const BULK = { copy: 10, fill: 11 } as const;

interface Section {
  readonly id: number;
  readonly content: Uint8Array;
}

/** The module with a meter, full when it is instantiated. */
export function meter(module: Uint8Array): Uint8Array {
  const sections = sectionsOf(module);
  const imports = countImports(contentOf(sections, SECTION.import));
  const fuel = imports.globals + countOf(sections, SECTION.global);
  const charge = imports.functions + countOf(sections, SECTION.function);
  const chargeType = countOf(sections, SECTION.type);
  const added: Readonly<Record<number, Uint8Array>> = {
    [SECTION.type]: new Uint8Array([0x60, 1, I32, 1, I32]),
    [SECTION.function]: unsigned(chargeType),
    [SECTION.global]: new Uint8Array([I32, 1, OP.i32Const, ...signed(0x7fffffff), OP.end]),
    [SECTION.export]: concat([
      unsigned(EXPORT.length),
      new TextEncoder().encode(EXPORT),
      new Uint8Array([KIND.global]),
      unsigned(fuel),
    ]),
  };
  const parts = sections.map(({ id, content }) => {
    if (id === SECTION.code) return section(id, meteredCode(content, fuel, charge));
    const entry = added[id];
    return section(id, entry === undefined ? content : appended(content, entry));
  });
  return concat([module.subarray(0, 8), ...parts]);
}

function sectionsOf(module: Uint8Array): Section[] {
  const reader = new Reader(module, 8);
  const sections: Section[] = [];
  while (!reader.done) sections.push({ id: reader.byte(), content: reader.bytes(reader.unsigned()) });
  return sections;
}

function contentOf(sections: readonly Section[], id: number): Uint8Array {
  const found = sections.find((each) => each.id === id);
  if (found === undefined) throw new Error(`the module has no section ${id}`);
  return found.content;
}

function countOf(sections: readonly Section[], id: number): number {
  return new Reader(contentOf(sections, id)).unsigned();
}

function countImports(content: Uint8Array): { functions: number; globals: number } {
  const reader = new Reader(content);
  const counts = { functions: 0, globals: 0 };
  for (let left = reader.unsigned(); left > 0; left--) {
    reader.bytes(reader.unsigned());
    reader.bytes(reader.unsigned());
    const kind = reader.byte();
    switch (kind) {
      case KIND.function:
        reader.unsigned();
        counts.functions++;
        break;
      case KIND.memory:
        if ((reader.unsigned() & 1) === 1) reader.unsigned();
        reader.unsigned();
        break;
      case KIND.global:
        reader.bytes(2);
        counts.globals++;
        break;
      default:
        throw new Error(`imports of kind ${kind} are not known`);
    }
  }
  return counts;
}

function section(id: number, content: Uint8Array): Uint8Array {
  return concat([new Uint8Array([id]), unsigned(content.length), content]);
}

/** A vector with one more element. */
function appended(content: Uint8Array, entry: Uint8Array): Uint8Array {
  const reader = new Reader(content);
  const count = reader.unsigned();
  return concat([unsigned(count + 1), reader.rest(), entry]);
}

function meteredCode(content: Uint8Array, fuel: number, charge: number): Uint8Array {
  const reader = new Reader(content);
  const count = reader.unsigned();
  const tick = use(fuel, new Uint8Array([OP.i32Const, 1]));
  const bulk = concat([new Uint8Array([OP.call]), unsigned(charge)]);
  const bodies: Uint8Array[] = [];
  for (let left = count; left > 0; left--) bodies.push(sized(meteredBody(reader.bytes(reader.unsigned()), tick, bulk)));
  return concat([unsigned(count + 1), ...bodies, sized(chargeBody(fuel))]);
}

function sized(body: Uint8Array): Uint8Array {
  return concat([unsigned(body.length), body]);
}

function meteredBody(body: Uint8Array, tick: Uint8Array, bulk: Uint8Array): Uint8Array {
  const reader = new Reader(body);
  for (let groups = reader.unsigned(); groups > 0; groups--) {
    reader.unsigned();
    reader.byte();
  }
  const parts = [body.subarray(0, reader.at), tick];
  let from = reader.at;
  const insert = (at: number, code: Uint8Array): void => {
    parts.push(body.subarray(from, at), code);
    from = at;
  };
  for (const instruction of instructions(reader)) {
    if (instruction.code === OP.loop) insert(instruction.end, tick);
    else if (isBulk(instruction)) insert(instruction.start, bulk);
  }
  parts.push(body.subarray(from));
  return concat(parts);
}

function isBulk({ code, second }: Instruction): boolean {
  return code === 0xfc && (second === BULK.copy || second === BULK.fill);
}

/** Lowers the meter by the i32 that `amount` computes, and traps below zero. */
function use(fuel: number, amount: Uint8Array): Uint8Array {
  const index = unsigned(fuel);
  return concat([
    new Uint8Array([OP.globalGet, ...index]),
    amount,
    new Uint8Array([OP.i32Subtract, OP.globalSet, ...index]),
    new Uint8Array([OP.globalGet, ...index, OP.i32Const, 0, OP.i32LessSigned]),
    new Uint8Array([OP.if, NO_RESULT, OP.unreachable, OP.end]),
  ]);
}

/** A function that takes a length in bytes, charges for it and gives it back. */
function chargeBody(fuel: number): Uint8Array {
  const amount = new Uint8Array([OP.localGet, 0, OP.i32Const, BYTES_PER_UNIT_SHIFT, OP.i32ShiftRight]);
  return concat([new Uint8Array([0]), use(fuel, amount), new Uint8Array([OP.localGet, 0, OP.end])]);
}
