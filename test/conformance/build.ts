/**
 * Before the conformance suite: bundles the Worker once, so that the test files, which run side by side, only ever find it fresh.
 */
import { buildWorker } from "../../cli/engine.ts";

/** Vitest's global setup. */
export async function setup(): Promise<void> {
  await buildWorker();
}
