/**
 * Bodies that the test holds back, and what says that waiting has cost nothing.
 */
import { expect } from "vitest";
import type { App } from "../harness/app.ts";
import type { RunJson } from "../harness/engine.ts";

/** A body that many run at once: it ends when the gate is open. */
export interface Gate {
  readonly enter: () => Promise<void>;
  /** Bodies inside now, and the most there ever were. */
  readonly inside: number;
  readonly most: number;
  /** Lets everybody out, also those who still come. */
  open(): void;
}

/** A gate that opens by itself when so many are inside. */
export function gate(opensAt: number): Gate {
  const waiting: (() => void)[] = [];
  let [inside, most, isOpen] = [0, 0, false];
  const open = () => {
    isOpen = true;
    for (const leave of waiting.splice(0)) leave();
  };
  return {
    enter: async () => {
      most = Math.max(most, ++inside);
      if (inside >= opensAt) open();
      if (!isOpen) await new Promise<void>((leave) => waiting.push(leave));
      inside--;
    },
    get inside() {
      return inside;
    },
    get most() {
      return most;
    },
    open,
  };
}

/** FC-12: every run completed with its first attempt, and the app was called no more often than it takes. */
export function expectFirstAttempts(runs: readonly RunJson[], served: App, callsPerRun: number): void {
  for (const run of runs) expect(run).toMatchObject({ status: "Completed", output: 0 });
  expect(served.calls()).toBe(runs.length * callsPerRun);
}
