/**
 * When somebody else is to look after a run, should its own alarm be lost (I4). Pure; told to history with the reports that a run makes
 * anyway.
 */
import { RUN, SWEEP } from "../../limits.ts";
import { nextLook } from "./effects.ts";
import type { RunState } from "./state.ts";

/** When an unfinished run expects to be looked at next, ms since 1970; null for one that has ended. `registered`: so are its waits. */
export function expectedLook(state: RunState, registered: boolean, now: number): number | null {
  if (state.outcome !== null) return null;
  // Every unfinished run has something to wait for. Should one have nothing, it is not forgotten either.
  return nextLook(state, now, RUN.watchdog.max, registered) ?? now + SWEEP.unknown;
}

/**
 * Whether history, which was told `dueAt`, would have the run looked after too late, because somebody else has woken it since. Waits are taken
 * for registered: that takes a moment, and would make every new wait news.
 */
export function isExpectedEarlier(state: RunState, dueAt: number, now: number): boolean {
  // Nearly always: what was told lies in the past, or a moment ahead.
  if (dueAt <= now + SWEEP.early) return false;
  return (expectedLook(state, true, now) ?? dueAt) < dueAt - SWEEP.early;
}
