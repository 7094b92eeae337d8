/**
 * What can go wrong in a simulated world (faults.md §4): the words every suite describes its faults in, and one way of drawing them from a
 * seed. Probabilities are per call, message, alarm or query; what is left out never happens.
 */
import type { Random } from "./random.ts";

/** Between objects, and from requests to objects. */
export interface CallFaults {
  /** The call never arrives. */
  readonly lost: number;
  /** It takes effect, but its answer never arrives. */
  readonly unanswered: number;
  /** The object is reset just before it. */
  readonly reset: number;
  /** ms a message takes, at least and at most. */
  readonly latency: readonly [number, number];
  /** Its caller is told that it has failed, but it takes effect up to 20 s later. */
  readonly late?: number;
  /** The object refuses it, because it has too much to do (row 23). */
  readonly overloaded?: number;
}

/** Of queues. */
export interface QueueFaults {
  readonly lost: number;
  readonly doubled: number;
  /** A message is delayed, by up to an hour, and overtaken by others (row 5). */
  readonly late?: number;
}

/** Of the platform's alarms (rows 7, 8). */
export interface AlarmFaults {
  /** The handler is called again after it has succeeded. */
  readonly doubled: number;
  /** It is called up to a minute late. */
  readonly late: number;
  /** The platform gives the alarm up, and tells nobody: only the sweep finds what it was for. */
  readonly dropped: number;
}

/** Of D1 (row 25). */
export interface DatabaseFaults {
  /** The query never arrives. */
  readonly refused: number;
  /** It takes effect, but its result never arrives. */
  readonly unanswered: number;
  /** It takes up to 30 s. */
  readonly slow: number;
  /** A batch fails after half of its statements, and none of them counts. */
  readonly torn: number;
}

/** Of instances of objects. */
export interface InstanceFaults {
  /** It is reset between two of its turns, at any `await`; per turn. */
  readonly interrupted: number;
  /** Share of the resets after which the old instance goes on for up to 30 s, until it touches storage (row 10). */
  readonly stale: number;
  /** ms that an instance's clock is wrong, at most, in either direction (row 9). */
  readonly skew: number;
}

/** What goes wrong while faults are on. */
export interface Faults {
  readonly calls: CallFaults;
  readonly queue: QueueFaults;
  readonly alarms?: AlarmFaults;
  readonly database?: DatabaseFaults;
  readonly instances?: InstanceFaults;
}

/** Everything works, in its own time. */
export const NO_FAULTS: Faults = {
  calls: { lost: 0, unanswered: 0, reset: 0, latency: [0.2, 3] },
  queue: { lost: 0, doubled: 0 },
};

/**
 * Draws what goes wrong in one schedule: often little, sometimes much of everything. `skew`: ms that clocks may be wrong, which checks that
 * compare times of several objects do not survive. Late calls and alarms that are given up are for schedules made for them.
 */
export function faultsOf(random: Random, skew = 0): Faults {
  const share = () => random.pick([0, 0, 0.01, 0.05]);
  const often = () => random.pick([0, 0, 0.3]);
  const latency = [0.2, random.pick([3, 20, 200])] as const;
  return {
    calls: {
      lost: share(),
      unanswered: share(),
      reset: share(),
      latency,
      overloaded: random.pick([0, 0, 0, 0.1]),
    },
    queue: { lost: often(), doubled: often(), late: random.pick([0, 0, 0.2]) },
    alarms: { doubled: often(), late: often(), dropped: 0 },
    database: { refused: share(), unanswered: share(), slow: random.pick([0, 0, 0, 0.05]), torn: share() },
    instances: {
      interrupted: random.pick([0, 0, 0.003, 0.02]),
      stale: random.pick([0, 0.5]),
      skew: skew > 0 && random.chance(0.3) ? skew : 0,
    },
  };
}
