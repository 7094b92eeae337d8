/**
 * Statuses of runs. Owns which of them are final; pure. How a surface spells them is the surface's business.
 */
import type { RunStatus } from "./message.ts";

const FINAL: Readonly<Record<RunStatus, boolean>> = {
  queued: false,
  running: false,
  completed: true,
  failed: true,
  cancelled: true,
  skipped: true,
};

/** True for a status that never changes again (spec/00 "Runs"). Such a run waits for history's confirmation. */
export function isFinal(status: RunStatus): boolean {
  return FINAL[status];
}
