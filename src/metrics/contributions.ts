/**
 * What reports of runs and events add to metrics. Pure. Each contribution names the fact it rests on and is counted if that fact is news to
 * history: deciding so is the statement's business (`statements.ts`), because only a transaction can.
 */
import type { MinuteOfActivity } from "../decide/run/activity.ts";
import type { EventOutcome } from "../events/event.ts";
import { type EventEntry, isInternal } from "../history/events.ts";
import type { DiscardedReply, RunRow } from "../history/message.ts";
import type { JsonObject } from "../json.ts";
import { METRICS } from "../limits.ts";
import type { Count } from "./columns.ts";

/**
 * Which fact a contribution rests on: of a run that it exists, has started, has ended, has done something; of an event that it came, was routed.
 * `always`: on none, it is counted whenever it is told.
 */
type News = "created" | "started" | "ended" | "active" | "received" | "routed" | "always";

/** Counts of one minute and function. */
export interface Contribution {
  readonly environmentId: string;
  /** Minutes since 1970. */
  readonly minute: number;
  /** Empty for what concerns none. */
  readonly functionId: string;
  readonly functionSlug: string;
  readonly appId: string;
  readonly news: News;
  /** Id of the run or event. */
  readonly of: string;
  /** The report's number; 0 for events. */
  readonly sequence: number;
  readonly counts: Readonly<Partial<Record<Count, number>>>;
  /** ms from event to first call, for the histogram; null where nothing started. */
  readonly latency: number | null;
}

/** An event to be counted; `by` is the run that reports it. */
export type CountedEvent = EventEntry & { readonly by?: RunRow };

/** What a run's report adds. */
export function runContributions(run: RunRow): Contribution[] {
  const { environmentId, functionId, functionSlug, appId, runId: of, sequence } = run;
  const base = { environmentId, functionId, functionSlug, appId, of, sequence, latency: null };
  const created: Contribution = {
    ...base,
    news: "created",
    minute: minuteOf(run.queuedAt),
    counts: run.status === "skipped" ? { skipped: 1 } : { scheduled: 1 },
  };
  const contributions = [created];
  if (run.startedAt !== null) {
    const latency = Math.max(0, run.startedAt - run.queuedAt);
    const counts = { started: 1, latency };
    contributions.push({ ...base, news: "started", minute: minuteOf(run.startedAt), counts, latency });
  }
  const end = endCount(run);
  if (run.endedAt !== null && end !== null) {
    const counts = { [end]: 1, ...(run.startedAt === null ? { dropped: 1 } : {}) };
    contributions.push({ ...base, news: "ended", minute: minuteOf(run.endedAt), counts });
  }
  for (const { minute, ...done } of run.activity ?? []) {
    contributions.push({ ...base, news: "active", minute, counts: activityCounts(done) });
  }
  if (run.repeats !== undefined) {
    const minute = minuteOf(run.endedAt ?? run.startedAt ?? run.queuedAt);
    contributions.push({ ...base, news: "active", minute, counts: { messages_retried: run.repeats } });
  }
  return contributions;
}

/** What an event adds: itself, unless it is the engine's own, and the functions whose rate limit kept it off. */
export function eventContributions({ environmentId, stored, routed, by }: CountedEvent): Contribution[] {
  const { event, outcomes } = stored;
  const base = { environmentId, minute: minuteOf(event.receivedAt), of: event.internalId, sequence: 0, latency: null };
  const contributions: Contribution[] = [];
  if (!isInternal(event.payload.name)) {
    const { functionId = "", functionSlug = "", appId = "" } = by ?? {};
    contributions.push({ ...base, functionId, functionSlug, appId, news: "received", counts: { received: 1 } });
  }
  if (!routed) return contributions;
  for (const { functionId, functionSlug } of outcomes.filter(isRateLimited)) {
    const counts = { rate_limited: 1 };
    contributions.push({ ...base, functionId, functionSlug, appId: "", news: "routed", counts });
  }
  return contributions;
}

/** A call whose answer came too late to count (EX-11). */
export function discardedContribution({ at, ...of }: DiscardedReply): Contribution {
  return { ...of, ...NO_FACT, minute: minuteOf(at), counts: { replies_discarded: 1 } };
}

/** A message of the fan-out queue that had to be sent again; `at` in ms. */
export function resentContribution(environmentId: string, at: number): Contribution {
  const nobody = { functionId: "", functionSlug: "", appId: "" };
  return { environmentId, ...nobody, ...NO_FACT, minute: minuteOf(at), counts: { messages_retried: 1 } };
}

const NO_FACT = { news: "always", of: "", sequence: 0, latency: null } as const;

function isRateLimited(outcome: EventOutcome): boolean {
  return outcome.outcome === "skipped" && outcome.reason === "rate_limited";
}

function endCount({ status }: RunRow): "completed" | "failed" | "cancelled" | null {
  return status === "completed" || status === "failed" || status === "cancelled" ? status : null;
}

function activityCounts(done: Omit<MinuteOfActivity, "minute">): Contribution["counts"] {
  return {
    calls_scheduled: done.scheduled,
    calls_succeeded: done.succeeded,
    calls_errored: done.errored,
    calls_failed: done.failed,
    steps: done.steps,
    step_bytes: done.bytes,
    busy: done.busy,
    ...(done.followed === undefined ? {} : { step_calls: done.followed }),
    ...(done.lag === undefined ? {} : { step_latency: done.lag }),
    ...(done.late === undefined ? {} : { late_timers: done.late }),
  };
}

/** What a run had done, as its row keeps it: minute to counts under the names of their columns, and its calls of models. */
export function activityByMinute(activity: readonly MinuteOfActivity[]): JsonObject {
  const counts = activity.map(({ minute, ...done }) => [`m${minute}`, activityCounts(done)] as const);
  const calls = activity.flatMap(({ minute, ai = [] }) =>
    ai.map(
      (one) => [modelKey(minute, one.model), [one.calls, one.inputTokens, one.outputTokens, one.latency]] as const,
    ),
  );
  return { ...Object.fromEntries(counts), ...(calls.length === 0 ? {} : { ai: Object.fromEntries(calls) }) };
}

/** The name under which a run's row keeps its calls of a model in a minute. */
export function modelKey(minute: number, model: string): string {
  return `${minute} ${model}`;
}

function minuteOf(time: number): number {
  return Math.floor(time / METRICS.bucket);
}
