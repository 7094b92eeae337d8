/**
 * What limits a run, as routing computed it when the run was created. Pure types. Keys are evaluated once (FC-41); the numbers belong to
 * the function's newest registration and are looked up when a line is asked (FC-11).
 */
import type { LineRef } from "../capacity/line.ts";

/** Everything that holds a run back or ends it early. Absent from a run's identity when nothing does. */
export interface RunFlow {
  /** The lines it stands in, in the order of acquisition: starts, whole runs, steps; within these fn, env, account; then by key. */
  readonly lines: readonly LineRef[];
  /** Seconds, −600 … 600 (FC-30). A negative one is already part of `startAt`. */
  readonly priority: number;
  /** Why `priority` is 0 although an expression was given; null otherwise (FC-30). */
  readonly priorityError: string | null;
  /** The key under which this is the only run of its function (FC-37); null without singleton. */
  readonly singleton: string | null;
  /** Another run had the singleton when this one was asked for explicitly: it waits for its turn (FC-43). */
  readonly waitsForTurn?: true;
  /** ms; null where the function has none (CR-5, CR-6). */
  readonly timeouts: { readonly start: number | null; readonly finish: number | null };
  /** Events that cancel the run until `until` (ms since 1970; null: as long as it lives), CR-2, CR-3. */
  readonly cancelOn: readonly CancelListener[];
}

/** One entry of `cancelOn`. Its waits are registered under the step id {@link cancelListenerId}. */
export interface CancelListener {
  readonly event: string;
  readonly condition: string | null;
  readonly until: number | null;
}

/** Why a run was cancelled (CR-13), and whether the runs it invoked go with it (EX-54). An event is named by its internal id. */
export type CancelCause = { readonly children?: true } & (
  | { readonly by: "event"; readonly eventId: string; readonly eventName: string }
  | { readonly by: "start_timeout" }
  | { readonly by: "finish_timeout" }
  | { readonly by: "user" }
  | { readonly by: "api" }
  | { readonly by: "bulk"; readonly cancellationId: string }
  | { readonly by: "pause" }
  | { readonly by: "singleton"; readonly runId: string }
  | { readonly by: "parent"; readonly runId: string }
);

/** The words for causes that everybody outside sees (spec/00 "Statuses"); `parent` is ours. */
export const CAUSES = {
  event: "event",
  start_timeout: "timeout_start",
  finish_timeout: "timeout_finish",
  user: "user",
  api: "api",
  bulk: "bulk",
  pause: "pause",
  singleton: "singleton",
  parent: "parent",
} as const satisfies Record<CancelCause["by"], string>;

/** The id under which a run's `index`-th cancel listener waits; never the id of a step, which is a hash. */
export function cancelListenerId(index: number): string {
  return `cancel:${index}`;
}
