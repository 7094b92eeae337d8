import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { meter } from "../../.ci/quickjs/meter.ts";

const IN_USE = resolve(import.meta.dirname, "../../src/webhooks/quickjs.wasm");
const PACKAGE = createRequire(import.meta.url).resolve("@jitl/quickjs-wasmfile-release-sync/wasm");

/** A module of one function, `f: (i32) -> i32`, with one memory and one global of its own, after one function and one global from outside. */
function moduleOf(...code: number[]): Uint8Array {
  const body = [0, ...code, 0x0b];
  return new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...[1, 6, 1, 0x60, 1, 0x7f, 1, 0x7f],
    ...[2, 14, 2, 1, 0x6d, 1, 0x69, 0, 0, 1, 0x6d, 1, 0x67, 3, 0x7f, 0],
    ...[3, 2, 1, 0],
    ...[5, 3, 1, 0, 1],
    ...[6, 6, 1, 0x7f, 1, 0x41, 7, 0x0b],
    ...[7, 5, 1, 1, 0x66, 0, 1],
    ...[10, body.length + 2, 1, body.length, ...body],
  ]);
}

interface Metered {
  readonly f: (n: number) => number;
  readonly fuel: { value: number };
}

function metered(...code: number[]): Metered {
  const module = new WebAssembly.Module(new Uint8Array(meter(moduleOf(...code))));
  const { exports } = new WebAssembly.Instance(module, { m: { i: (n: number) => n, g: 1 } });
  // The module is ours, and so we know what it exports.
  return exports as unknown as Metered;
}

/** Counts the argument down to zero, and gives what is left: `loop; n = n - 1; br_if 0 (n); end; n`. */
const COUNT_DOWN = [0x03, 0x40, 0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b, 0x20, 0];
/** `memory.fill(0, 0, n); n`. */
const FILL = [0x41, 0, 0x41, 0, 0x20, 0, 0xfc, 11, 0, 0x20, 0];

describe("SE-16: the meter in the interpreter", () => {
  it("the module in use is the package's with a meter, byte for byte", () => {
    expect(Buffer.compare(readFileSync(IN_USE), meter(readFileSync(PACKAGE)))).toBe(0);
  });

  it("is full at first, and counts calls and turns of loops", () => {
    const { f, fuel } = metered(...COUNT_DOWN);
    expect(fuel.value).toBe(2 ** 31 - 1);
    fuel.value = 1000;
    expect([f(1), fuel.value]).toEqual([0, 998]);
    expect([f(100), fuel.value]).toEqual([0, 897]);
  });

  it("traps when it is empty, and not before", () => {
    const { f, fuel } = metered(...COUNT_DOWN);
    fuel.value = 11;
    expect([f(10), fuel.value]).toEqual([0, 0]);
    fuel.value = 10;
    expect(() => f(10)).toThrow(WebAssembly.RuntimeError);
    expect(fuel.value).toBe(-1);
    expect(() => f(1)).toThrow(WebAssembly.RuntimeError);
  });

  it("counts the bytes of a fill", () => {
    const { f, fuel } = metered(...FILL);
    fuel.value = 1000;
    // The call, the function that charges, and one for every 32 bytes.
    expect([f(64), fuel.value]).toEqual([64, 1000 - 1 - 2]);
    expect(() => f(32_000)).toThrow(WebAssembly.RuntimeError);
  });

  it("a module with an instruction it does not know is refused", () => {
    expect(() => meter(moduleOf(0x20, 0, 0xfd, 0x0c))).toThrow("instruction 0xfd is not known");
    expect(() => meter(moduleOf(0x20, 0).subarray(0, 20))).toThrow("ends too early");
  });
});
