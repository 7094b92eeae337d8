/**
 * Protobuf as an exporter writes it: fields by number, for requests of a test's own making. Knows no message.
 */

type Value =
  | string
  | Uint8Array
  | readonly Field[]
  | { readonly varint: number | bigint }
  | { readonly fixed64: bigint }
  | { readonly double: number };

/** A field and its value: text and bytes as they are, a message as its fields. */
export type Field = readonly [number: number, value: Value];

/** The bytes of a message. */
export function message(fields: readonly Field[]): Uint8Array {
  return Uint8Array.from(fields.flatMap(([number, value]) => [...field(number, value)]));
}

/** 16 hex digits, and more, as bytes. */
export function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** An attribute with a text. */
export function attribute(key: string, value: string): readonly Field[] {
  return [
    [1, key],
    [2, [[1, value]]],
  ];
}

function field(number: number, value: Value): number[] {
  if (typeof value === "string") return delimited(number, new TextEncoder().encode(value));
  if (value instanceof Uint8Array) return delimited(number, value);
  if (isMessage(value)) return delimited(number, message(value));
  if ("varint" in value) return [...varint(BigInt(number * 8)), ...varint(BigInt.asUintN(64, BigInt(value.varint)))];
  const view = new DataView(new ArrayBuffer(8));
  if ("fixed64" in value) view.setBigUint64(0, value.fixed64, true);
  else view.setFloat64(0, value.double, true);
  return [...varint(BigInt(number * 8 + 1)), ...new Uint8Array(view.buffer)];
}

function isMessage(value: Exclude<Value, string | Uint8Array>): value is readonly Field[] {
  return Array.isArray(value);
}

function delimited(number: number, bytes: Uint8Array): number[] {
  return [...varint(BigInt(number * 8 + 2)), ...varint(BigInt(bytes.byteLength)), ...bytes];
}

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    if (rest < 128n) return [...bytes, Number(rest)];
    bytes.push(Number(rest & 127n) | 128);
  }
}
