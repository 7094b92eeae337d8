/**
 * QuickJS as WebAssembly, with a meter built in (`.ci/quickjs.ts`). Owns its one instance per isolate, which is made when the first transform
 * runs, and made anew after one broke it; and how much memory an instance may take. Knows nothing of transforms.
 */
import type { QuickJSWASMModule, Scope } from "quickjs-emscripten-core";
import { WEBHOOK } from "../limits.ts";

/** An instance. */
export interface Interpreter {
  readonly quickjs: QuickJSWASMModule;
  /** What is managed by a scope is freed with it, last first. */
  newScope(): Scope;
  /** Falls with all the instance does; below zero it traps. */
  readonly fuel: { value: number };
  readonly memory: BoundedMemory;
}

/** What the meter holds at most: enough for anything the engine itself does, such as cleaning up. */
export const FULL = 2 ** 31 - 1;

/**
 * The memory of an instance. QuickJS has a limit of its own, which in WebAssembly counts each allocation by itself and not their sum; so the
 * growth of the memory is what is bounded.
 */
export class BoundedMemory {
  readonly memory = new WebAssembly.Memory({
    initial: WEBHOOK.memory / PAGE,
    maximum: WEBHOOK.room.crossing / PAGE,
  });
  /** Bytes it may grow to. */
  limit: number = WEBHOOK.room.crossing;
  /** Whether it had to stay as it was when it should have grown. */
  refused = false;

  constructor() {
    const grow = this.memory.grow.bind(this.memory);
    // The instance asks for more by this method, and makes do when it throws.
    Object.defineProperty(this.memory, "grow", {
      value: (pages: number): number => {
        if (this.bytes + pages * PAGE <= this.limit) return grow(pages);
        this.refused = true;
        throw new RangeError(`more than ${this.limit} bytes of memory`);
      },
    });
  }

  /** Bytes it takes now. It never takes less than it once did. */
  get bytes(): number {
    return this.memory.buffer.byteLength;
  }

  /** Makes it as it was at first, but for its size. */
  clear(): void {
    new Uint8Array(this.memory.buffer).fill(0);
    this.refused = false;
  }
}

const PAGE = 64 * 1024;

let current: Promise<Interpreter> | null = null;
/** The memory of the latest instance. The next one takes it over: of what is broken in a row, no collector is fast enough to get rid. */
let latest: BoundedMemory | null = null;

/**
 * Calls `use` with the isolate's instance. `use` waits for nothing, so that nobody else meets the meter as it left it, and calls
 * {@link discardInterpreter} when the instance cannot be used again.
 */
export async function withInterpreter<T>(use: (interpreter: Interpreter) => T): Promise<T> {
  for (;;) {
    current ??= instantiate();
    const loading = current;
    const loaded = await loading.catch((error: unknown) => {
      if (current === loading) current = null;
      throw error;
    });
    // Somebody who waited for the same instance may have broken it a moment ago.
    if (current === loading) return use(loaded);
  }
}

/** Forgets the instance: something in it stopped half-way, or it has become too large to keep. */
export function discardInterpreter(): void {
  current = null;
}

/** The memory that is there, unless it has grown beyond what a transform may have. */
function clearedMemory(): BoundedMemory {
  if (latest === null || latest.bytes > WEBHOOK.room.telling) latest = new BoundedMemory();
  else latest.clear();
  return latest;
}

async function instantiate(): Promise<Interpreter> {
  const [{ newQuickJSWASMModuleFromVariant, newVariant, Scope }, { default: variant }, { default: module }] =
    await Promise.all([
      import("quickjs-emscripten-core"),
      import("@jitl/quickjs-wasmfile-release-sync"),
      import("./quickjs.wasm"),
    ]);
  const memory = clearedMemory();
  let fuel: WebAssembly.ExportValue | undefined;
  const quickjs = await newQuickJSWASMModuleFromVariant(
    newVariant(variant, {
      wasmMemory: memory.memory,
      emscriptenModule: {
        instantiateWasm: (imports, onSuccess) => {
          const instance = new WebAssembly.Instance(module, imports);
          fuel = instance.exports["fuel"];
          onSuccess(instance);
          return instance.exports;
        },
      },
    }),
  );
  if (!(fuel instanceof WebAssembly.Global))
    throw new Error("The interpreter has no meter: run `node .ci/quickjs.ts`.");
  return { quickjs, newScope: () => new Scope(), fuel, memory };
}
