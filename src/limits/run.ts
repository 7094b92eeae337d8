/**
 * Limits of runs: steps, attempts, state, and what they wait for. Each number with its unit and its reason.
 */
import { DAY, HOUR, KIB, MIB, MINUTE, SECOND } from "./units.ts";

/** One run. */
export const RUN = {
  /** Retries when a function names none: 4 retries are 5 attempts (EX-19). */
  retries: 4,
  /** Steps of a run: default and the range of the setting. */
  steps: { default: 1000, min: 1, max: 10_000 },
  /** Bytes of one step result or of the function's output (EX-13). */
  outputBytes: 4 * MIB,
  /** Bytes of an error as it is kept; a report to history holds it five times over, and a message between objects takes 32 MiB. */
  errorBytes: 1 * MIB,
  /** Bytes of events, results and output together (EX-14). */
  stateBytes: 32 * MIB,
  /** ms; the longest sleep or wait (EX-38). */
  timeout: 366 * DAY,
  /** ms; a time requested by `Retry-After` is clamped into this range (EX-23). */
  retryAfter: { min: 1 * SECOND, max: 24 * HOUR },
  /** ms; the first time a run looks after calls it may have lost; doubles up to the maximum. */
  watchdog: { first: 10 * SECOND, max: 5 * MINUTE },
  /** ms; by how much the clocks of a run's instances may differ: one that was further ahead is not believed by the next. */
  clockSlack: 1 * MINUTE,
  /** ms; a run that is still going after this time shows itself in history. */
  progress: 1 * SECOND,
  /** ms; how long a finished run waits for history's confirmation before it reports again. */
  confirmation: 10 * SECOND,
  /** ms; how long after its confirmation a finished run leaves memory, in dev mode. */
  release: 50,
  /** Discovery calls a protocol-1 run may have in flight; later ones are merged. */
  discoveries: 16,
  /** Characters of a step's id, which SDKs make of a hash, and of its name as it is kept. */
  step: { idLength: 255, nameLength: 1024 },
  /** Calls in a row that an app may ask for without getting further (EX-73). */
  rediscoveries: 20,
  /** Steps one checkpoint may report (protocol/09 §9.5). */
  checkpointSteps: 1000,
  /** Bytes of one metadata entry and of all of a run's (EX-72). */
  metadata: { entryBytes: 64 * KIB, runBytes: 1 * MIB },
  /** Deferred calls of a run and the bytes of their inputs together (EX-71). */
  defers: { count: 20, bytes: 4 * MIB },
  /** Days a finished run is kept: default and range. */
  retentionDays: { default: 14, dev: 3, min: 1, max: 365 },
  /** Bytes of one row of a run's log; a Durable Object row may hold 2 MB. */
  rowBytes: 1_500_000,
} as const;

/** Waits for events and signals. */
export const WAITS = {
  /** Bytes of a trigger event as JSON that the index keeps beside a wait; of runs with a larger one the run itself judges. */
  boundBytes: 2 * KIB,
  /** Fields of incoming events that one name's waits are indexed by: each costs every event a look-up. */
  paths: 32,
  /** Awaited event names a catalog lists; with more of them every name counts as awaited. */
  names: 10_000,
  /** Bytes of a name that an object can keep waits for, whose own name may have 1,024; no run can wait for a longer one. */
  nameBytes: 900,
  /** Runs per row of what is still to be delivered: a row may hold 2 MB, beside a piece of the event. */
  targets: 1000,
  /** Runs told of one event at the same time. */
  parallel: 32,
  /** ms; a run that has not answered by then is told again later. */
  patience: 10 * SECOND,
  /** ms; how long a failed delivery waits; doubles up to the maximum. */
  retry: { first: 5 * SECOND, max: 5 * MINUTE },
  /** ms; how long an alarm goes on repeating deliveries: the platform ends it after 15 minutes. */
  round: 1 * MINUTE,
  /** ms after a name became awaited: when history is searched for what isolates with an older catalog did not offer (`CATALOG.age`). */
  looks: [6 * SECOND, 30 * SECOND],
  /** ms; how far the time in an event's id may lie before the search: ids made from a seed carry the sender's clock. */
  seedSkew: 5 * MINUTE,
  /** Expired waits are cleared away together, at most this often (ms), so many rows at a time. */
  sweep: { every: 10 * MINUTE, rows: 1000 },
  /** ms; an event that resolved a wait is known again for this long, should its sender repeat it. */
  remembered: 10 * MINUTE,
  /** ms; how long a name stays awaited without any wait: every change makes all isolates read the catalog anew. */
  linger: 1 * HOUR,
  /** ms; how long a cancel listener without a window is kept: longer than a run can be expected to live. */
  life: 3660 * DAY,
  /** Characters of a signal's name: an object knows its own up to 1,024 bytes. Bytes of a request that sends one: its data is one row. */
  signal: { length: 256, bytes: 1 * MIB },
} as const;
