/**
 * Replaces what code finds in its surroundings by the simulated world while `work` runs: the clock, timers, chance, digests (which
 * otherwise take real threads), and the console. Guarantees that everything is as before afterwards.
 */
import { createHash } from "node:crypto";
import type { Agenda } from "./agenda.ts";
import type { Random } from "./random.ts";

/** What a digest takes. */
type Digest = (algorithm: unknown, data: ArrayBuffer | ArrayBufferView) => Promise<ArrayBuffer>;

/** Runs `work` with time, timers and chance taken from the world; `noted` gets every line that is logged. */
export async function within<T>(
  world: { readonly agenda: Agenda; readonly random: Random; readonly noted: (line: string) => void },
  work: () => Promise<T>,
): Promise<T> {
  const { agenda, random, noted } = world;
  const log = (...parts: unknown[]) => noted(parts.map(String).join(" "));
  const timers = new Map<number, () => void>();
  let timer = 0;
  const restore = [
    replace(Date, "now", () => agenda.clock),
    replace(Math, "random", () => random.next()),
    replace(globalThis, "setTimeout", ((call: () => void, delay = 0) => {
      const id = ++timer;
      timers.set(
        id,
        agenda.after(delay, () => {
          timers.delete(id);
          call();
        }),
      );
      return id;
    }) as unknown as typeof setTimeout),
    replace(globalThis, "clearTimeout", ((id: number) => {
      timers.get(id)?.();
      timers.delete(id);
    }) as unknown as typeof clearTimeout),
    replace(globalThis as { scheduler?: unknown }, "scheduler", {
      wait: (delay: number) => new Promise<void>((done) => void agenda.after(delay, done)),
    }),
    replace(crypto.subtle, "digest", (async (_algorithm, data) => {
      const bytes = ArrayBuffer.isView(data)
        ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
        : new Uint8Array(data);
      return new Uint8Array(createHash("sha256").update(bytes).digest()).buffer;
    }) satisfies Digest as typeof crypto.subtle.digest),
    replace(console, "error", log),
    replace(console, "warn", log),
    // Detached work of an instance that is gone fails, as it does on the platform, which only notes it.
    listen((reason) => noted(`unhandled: ${reason instanceof Error ? reason.stack : String(reason)}`)),
  ];
  try {
    return await work();
  } finally {
    for (const back of restore) back();
  }
}

/** Hears alone of every promise that fails and that nobody handles. */
function listen(unhandled: (reason: unknown) => void): () => void {
  const others = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", unhandled);
  return () => {
    process.off("unhandledRejection", unhandled);
    for (const other of others) process.on("unhandledRejection", other);
  };
}

function replace<T extends object, K extends keyof T>(target: T, name: K, value: T[K]): () => void {
  const own = Object.getOwnPropertyDescriptor(target, name);
  Object.defineProperty(target, name, { configurable: true, writable: true, value });
  return () => {
    if (own === undefined) Reflect.deleteProperty(target, name);
    else Object.defineProperty(target, name, own);
  };
}
