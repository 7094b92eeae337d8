/** Where a measured engine keeps its state. Guarantees that the directory is gone when the program ends. */
import { rmSync } from "node:fs";
import { mkdir, mkdtemp } from "node:fs/promises";
import { join, resolve } from "node:path";
import { temporaryState } from "../cli/state.ts";

/** A new state directory: on a memory-backed file system where there is one, or on disk. */
export async function stateDir(inMemory: boolean): Promise<string> {
  const parent = resolve(import.meta.dirname, "../.millrace");
  await mkdir(parent, { recursive: true });
  const dir = inMemory ? (await temporaryState()).dir : await mkdtemp(join(parent, "bench-"));
  process.once("exit", () => rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 }));
  return dir;
}
