/**
 * What travels to history. Owns the rows' shapes and the queue message; the consumer turns them into D1 rows.
 * History is a projection: every row can be sent again and the newest wins, so a lost message only delays it.
 */
import type { MinuteOfActivity } from "../decide/run/activity.ts";
import type { CancelCause } from "../decide/run/flow.ts";
import type { RoutedEvent } from "../events/event.ts";
import type { Json } from "../json.ts";

/** An event as history holds it. */
export interface StoredEvent extends RoutedEvent {
  /** False while its fan-out is still pending: the outcomes are not known yet. */
  readonly routed: boolean;
}

/** Statuses of a run in storage; each surface spells them its own way (spec/00 "Runs"). */
export type RunStatus = "queued" | "running" | "completed" | "failed" | "cancelled" | "skipped";

/** One run as lists, search and REST see it. Times are ms since 1970, null while not reached. */
export interface RunRow {
  readonly environmentId: string;
  readonly runId: string;
  readonly appId: string;
  readonly functionId: string;
  readonly functionSlug: string;
  readonly functionVersion: number;
  readonly status: RunStatus;
  readonly queuedAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** Internal ids of the trigger events, the first one first. */
  readonly eventIds: readonly string[];
  readonly eventName: string;
  readonly originalRunId: string | null;
  /** The replay that started it; null for all others. */
  readonly replayId: string | null;
  readonly parentRunId: string | null;
  readonly cron: string | null;
  /** Why it was cancelled (CR-13); null when it was not. */
  readonly cancelReason: CancelCause | null;
  readonly skipReason: string | null;
  /** The return value, or the error object of a failed run; null while unfinished. */
  readonly output: Json;
  /** How many decisions the run had taken when the row was made: of two rows of one run, the higher is newer. */
  readonly sequence: number;
  /** When an unfinished run expects to be looked at next (I4); lists do not show it. */
  readonly dueAt?: number;
  /** What it has done until then, by the minute, for metrics; lists do not show it. */
  readonly activity?: readonly MinuteOfActivity[];
  /** How often this very report had to be sent or delivered again, for metrics; absent: never. */
  readonly repeats?: number;
}

/** What one run reports: its own row, its trigger events, and the system events it emitted. */
export interface RunReport {
  readonly run: RunRow;
  readonly events: readonly RoutedEvent[];
}

/**
 * A message of the history queue. Reports that exceed the queue's message size travel by reference:
 * the consumer asks the run's object for them.
 */
export type HistoryMessage =
  | { readonly kind: "report"; readonly report: RunReport }
  | { readonly kind: "reference"; readonly environmentId: string; readonly runId: string }
  | { readonly kind: "discarded"; readonly reply: DiscardedReply };

/** A call whose answer came too late to count (EX-11), for metrics: its run has no other way to tell, because nothing of it is stored. */
export interface DiscardedReply {
  readonly environmentId: string;
  readonly appId: string;
  readonly functionId: string;
  readonly functionSlug: string;
  /** ms since 1970. */
  readonly at: number;
}
