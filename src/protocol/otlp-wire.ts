/**
 * OTLP traces in protobuf (opentelemetry-proto, trace/v1): read into the very form that OTLP has in JSON, so that one schema judges both. Pure.
 * Owns the wire format and the field numbers of the few messages a trace export has; fields it does not name are skipped. Throws `RangeError` for
 * bytes that are no such message; nesting is bounded.
 */
import { hex } from "../ids.ts";
import { USERLAND } from "../limits.ts";

/** How a field is read: a scalar, or a message of its own; `many` of them make an array. */
interface Field {
  readonly name: string;
  readonly read: "text" | "hex" | "varint" | "bool" | "double" | "time" | (() => Message);
  readonly many?: true;
}

type Message = Readonly<Record<number, Field>>;

const ATTRIBUTES: Field = { name: "attributes", read: () => KEY_VALUE, many: true };
const ANY_VALUE: Message = {
  1: { name: "stringValue", read: "text" },
  2: { name: "boolValue", read: "bool" },
  3: { name: "intValue", read: "varint" },
  4: { name: "doubleValue", read: "double" },
  5: { name: "arrayValue", read: () => VALUES },
  6: { name: "kvlistValue", read: () => KEY_VALUES },
  7: { name: "bytesValue", read: "hex" },
};
const VALUES: Message = { 1: { name: "values", read: () => ANY_VALUE, many: true } };
const KEY_VALUE: Message = { 1: { name: "key", read: "text" }, 2: { name: "value", read: () => ANY_VALUE } };
const KEY_VALUES: Message = { 1: { name: "values", read: () => KEY_VALUE, many: true } };
const EVENT: Message = { 1: { name: "timeUnixNano", read: "time" }, 2: { name: "name", read: "text" }, 3: ATTRIBUTES };
const STATUS: Message = { 2: { name: "message", read: "text" }, 3: { name: "code", read: "varint" } };
const SPAN: Message = {
  1: { name: "traceId", read: "hex" },
  2: { name: "spanId", read: "hex" },
  4: { name: "parentSpanId", read: "hex" },
  5: { name: "name", read: "text" },
  6: { name: "kind", read: "varint" },
  7: { name: "startTimeUnixNano", read: "time" },
  8: { name: "endTimeUnixNano", read: "time" },
  9: ATTRIBUTES,
  11: { name: "events", read: () => EVENT, many: true },
  15: { name: "status", read: () => STATUS },
};
const SCOPE: Message = { 1: { name: "name", read: "text" }, 2: { name: "version", read: "text" } };
const SCOPE_SPANS: Message = {
  1: { name: "scope", read: () => SCOPE },
  2: { name: "spans", read: () => SPAN, many: true },
};
const RESOURCE: Message = { 1: ATTRIBUTES };
const RESOURCE_SPANS: Message = {
  1: { name: "resource", read: () => RESOURCE },
  2: { name: "scopeSpans", read: () => SCOPE_SPANS, many: true },
};
const REQUEST: Message = { 1: { name: "resourceSpans", read: () => RESOURCE_SPANS, many: true } };

/** Levels of messages around the values of a span's attributes. */
const LEVELS = 8;

/** An `ExportTraceServiceRequest`, as its JSON form has it. Throws `RangeError`. */
export function decodeTraceRequest(bytes: Uint8Array): unknown {
  return readMessage(new Reader(bytes), REQUEST, LEVELS + 2 * USERLAND.depth);
}

/** An `ExportTraceServiceResponse` that says how many spans were not kept, and why; empty when all were. */
export function encodeTraceResponse(rejected: number, message: string): Uint8Array<ArrayBuffer> {
  if (rejected === 0) return new Uint8Array();
  const text = new TextEncoder().encode(message);
  const partial = [0x08, ...varint(rejected), 0x12, ...varint(text.byteLength), ...text];
  return Uint8Array.from([0x0a, ...varint(partial.length), ...partial]);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) + 128);
  }
}

function readMessage(reader: Reader, message: Message, levels: number): Record<string, unknown> {
  if (levels === 0) throw new RangeError("values are nested too deep");
  const value: Record<string, unknown> = {};
  while (!reader.atEnd) {
    const key = Number(reader.varint());
    const [field, wire] = [message[key >>> 3], key & 7];
    if (field === undefined) reader.skip(wire);
    else if (field.many === true) {
      const known = value[field.name];
      const list = Array.isArray(known) ? known : [];
      list.push(readField(reader, field, wire, levels));
      value[field.name] = list;
    } else value[field.name] = readField(reader, field, wire, levels);
  }
  return value;
}

function readField(reader: Reader, { name, read }: Field, wire: number, levels: number): unknown {
  const expected = read === "varint" || read === "bool" ? 0 : read === "time" || read === "double" ? 1 : 2;
  if (wire !== expected) throw new RangeError(`field ${name} has wire type ${wire}`);
  switch (read) {
    case "varint":
      return String(BigInt.asIntN(64, reader.varint()));
    case "bool":
      return reader.varint() !== 0n;
    case "time":
      return String(reader.fixed64());
    case "double":
      return reader.double();
    case "text":
      return new TextDecoder().decode(reader.bytes());
    case "hex":
      return hex(reader.bytes());
    default:
      return readMessage(new Reader(reader.bytes()), read(), levels - 1);
  }
}

/** Reads one message's bytes from front to end. */
class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.byteLength;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#take(1)[0] ?? 0;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError("a number is longer than 64 bits");
  }

  fixed64(): bigint {
    const at = this.#at;
    this.#take(8);
    return this.#view.getBigUint64(at, true);
  }

  double(): number {
    const at = this.#at;
    this.#take(8);
    return this.#view.getFloat64(at, true);
  }

  bytes(): Uint8Array {
    return this.#take(Number(this.varint()));
  }

  skip(wire: number): void {
    if (wire === 0) this.varint();
    else if (wire === 1) this.#take(8);
    else if (wire === 2) this.bytes();
    else if (wire === 5) this.#take(4);
    else throw new RangeError(`wire type ${wire} does not exist`);
  }

  #take(count: number): Uint8Array {
    const end = this.#at + count;
    if (end > this.#bytes.byteLength) throw new RangeError("the bytes end in the middle of a field");
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}
