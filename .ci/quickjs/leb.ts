/**
 * Numbers of WebAssembly's binary form (LEB128), and reading bytes one after the other. Owns nothing of what they mean.
 */

/** Reads bytes in order; throws past the end. */
export class Reader {
  readonly #bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }

  get done(): boolean {
    return this.at >= this.#bytes.length;
  }

  byte(): number {
    const byte = this.#bytes[this.at++];
    if (byte === undefined) throw new Error("the module ends too early");
    return byte;
  }

  bytes(count: number): Uint8Array {
    const end = this.at + count;
    if (end > this.#bytes.length) throw new Error("the module ends too early");
    const bytes = this.#bytes.subarray(this.at, end);
    this.at = end;
    return bytes;
  }

  rest(): Uint8Array {
    return this.bytes(this.#bytes.length - this.at);
  }

  /** An unsigned number below 2 ** 32. */
  unsigned(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  /** Passes over a number of any kind. */
  skipNumber(): void {
    while (this.byte() >= 0x80);
  }
}

/** An unsigned number. */
export function unsigned(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return new Uint8Array([...bytes, rest]);
}

/** A signed 32-bit number. */
export function signed(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0))
      return new Uint8Array([...bytes, low]);
    bytes.push(low | 0x80);
  }
}

/** All of the bytes, one part after the other. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
