/**
 * A run as REST v1 shows it (API-8, API-9). Pure. Owns the spelling of statuses on this surface and the two JSON shapes.
 */
import type { RunRow, RunStatus } from "../../history/message.ts";
import type { RunJob } from "../../history/view.ts";
import type { JsonObject } from "../../json.ts";
import { isoTime, isoTimeOrNull } from "./time.ts";

/** Statuses in the words of REST v1 (spec/00 "Runs"). */
export const STATUS_WORDS: Readonly<Record<RunStatus, string>> = {
  queued: "Scheduled",
  running: "Running",
  completed: "Completed",
  failed: "Failed",
  cancelled: "Cancelled",
  skipped: "Skipped",
};

/** The run object of API-8, a superset of protocol/11. */
export function runJson(run: RunRow): JsonObject {
  return {
    run_id: run.runId,
    run_started_at: isoTimeOrNull(run.startedAt),
    ended_at: isoTimeOrNull(run.endedAt),
    status: STATUS_WORDS[run.status],
    output: run.output,
    function_id: run.functionId,
    function_slug: run.functionSlug,
    function_version: run.functionVersion,
    app_id: run.appId,
    environment_id: run.environmentId,
    event_id: run.eventIds[0] ?? null,
    event_ids: run.eventIds,
    event_name: run.eventName,
    batch_id: null,
    original_run_id: run.originalRunId,
    parent_run_id: run.parentRunId,
    cron: run.cron,
    queued_at: isoTime(run.queuedAt),
    cancel_reason: run.cancelReason,
    skip_reason: run.skipReason,
  };
}

/** One entry of a run's queue: the fields of protocol/11, capitals included, and the step it is for. */
export function jobJson(job: RunJob, position: number): JsonObject {
  return {
    JobID: job.id,
    at: isoTime(job.at),
    position,
    kind: job.kind,
    attempt: job.attempt,
    Raw: null,
    step: job.step,
  };
}
