/**
 * How a lost alarm is told from one that is set. The platform gives up an alarm whose handler it could not run for some minutes, be it that a
 * deployment was broken meanwhile, and nobody is told (row 8).
 */
import { SWEEP } from "../src/limits.ts";

/**
 * Whether an alarm that should be set was given up, or is held back. `alarm`: its time, ms; null when none is set, or while its handler runs,
 * so that setting one must do no harm then.
 */
export function isLost(alarm: number | null, now: number): boolean {
  return alarm === null || alarm <= now - SWEEP.grace;
}
