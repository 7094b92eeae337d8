/**
 * Limits of schedules: what counts as late, how much is made up for, and who looks after them. Each number with its unit and its reason.
 */
import { HOUR, MINUTE, SECOND } from "./units.ts";

/** The crons of a function. */
export const SCHEDULE = {
  /**
   * ms; a tick that is less late than this was not missed: it fires whatever the catch-up policy says. No cron ticks more often than once
   * a minute, so that after an outage at most one tick of each is merely late.
   */
  grace: 1 * MINUTE,
  /** Missed ticks of one cron that the policy `all` makes up for; older ones are dropped (TR-13). */
  catchUp: 100,
  /** ms; the least a cron with jitter is late (protocol/06 §6.1). */
  jitter: 1 * SECOND,
  /** ms; how long a tick that could not be started waits to be tried again; doubles up to the maximum. */
  retry: { first: 1 * SECOND, max: 1 * MINUTE },
  /** ms between two sweeps: the deployment's own cron trigger. */
  sweep: 1 * MINUTE,
  /** ms; within this time the sweep has looked at every schedule of an environment, should the platform have given up its alarm. */
  patrol: 1 * HOUR,
  /** Crons whose calendars an isolate keeps ready. */
  calendars: 1000,
  /** Days in which the next tick of a cron is looked for: 29 February may be eight years away. */
  horizon: 366 * 9,
} as const;
