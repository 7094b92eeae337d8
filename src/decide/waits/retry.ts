/**
 * When a run that could not be told is told again. Pure.
 */
import { WAITS } from "../../limits.ts";

/** The time of the next try after `failures` (from 1) in a row, the last of them at `now`; ms. */
export function retryAt(now: number, failures: number): number {
  return now + Math.min(WAITS.retry.first * 2 ** (failures - 1), WAITS.retry.max);
}
