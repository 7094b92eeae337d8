/**
 * The order of what one run says to one line. Pure.
 */
import type { Fence } from "./line.ts";

/** Whether `fence` was said after `other`. */
export function isNewer(fence: Fence, other: Fence): boolean {
  if (fence.sequence !== other.sequence) return fence.sequence > other.sequence;
  return fence.stamp > other.stamp;
}
