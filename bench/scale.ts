/**
 * How much is measured. Kept small enough that the objects alive at one time stay below the file descriptors of an ordinary limit:
 * workerd holds four for each object until ten seconds after its last event.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Shape } from "./app.ts";

/** Numbers of runs and events, per figure and round. */
export interface Scale {
  /** Runs of each function before anything counts. */
  readonly warm: number;
  /** How often figures that are compared are taken; their median is shown. */
  readonly rounds: number;
  readonly latency: number;
  readonly runs: Readonly<Record<Shape, number>>;
  readonly events: number;
  readonly cpu: number;
  readonly costs: number;
}

export const FULL: Scale = {
  warm: 100,
  rounds: 3,
  latency: 100,
  runs: { none: 600, sequence: 300, parallel: 250 },
  events: 2000,
  cpu: 200,
  costs: 50,
};

export const QUICK: Scale = {
  warm: 40,
  rounds: 1,
  latency: 30,
  runs: { none: 300, sequence: 150, parallel: 60 },
  events: 500,
  cpu: 100,
  costs: 20,
};

/** Lets queues and batches of what came before run dry. */
export function settle(): Promise<void> {
  return sleep(2_000);
}
