/**
 * A run as REST v1 shows it (API-8, API-9). Pure. Owns the spelling of statuses on this surface and the two JSON shapes.
 */
import * as z from "zod";
import { CAUSES, type CancelCause } from "../../decide/run/flow.ts";
import type { RunRow, RunStatus } from "../../history/message.ts";
import type { RunJob, RunView } from "../../history/view.ts";
import { anyJson } from "../../protocol/any-json.ts";
import { time } from "./reply.ts";
import { isoTime, isoTimeOrNull } from "./time.ts";

/** Statuses in the words of REST v1 (spec/00 "Runs"). */
export const STATUS_WORDS = {
  queued: "Scheduled",
  running: "Running",
  completed: "Completed",
  failed: "Failed",
  cancelled: "Cancelled",
  skipped: "Skipped",
} as const satisfies Record<RunStatus, string>;

const cancelledBy = z.object({
  event_id: z.string().optional(),
  event_name: z.string().optional(),
  cancellation_id: z.string().optional(),
  run_id: z.string().optional(),
});

const runFields = {
  run_id: z.string(),
  run_started_at: time.nullable(),
  ended_at: time.nullable(),
  status: z.enum(["Scheduled", "Running", "Completed", "Failed", "Cancelled", "Skipped"]),
  output: anyJson,
  function_id: z.string(),
  function_slug: z.string(),
  function_version: z.int(),
  app_id: z.string(),
  environment_id: z.string(),
  event_id: z.string().nullable(),
  event_ids: z.array(z.string()),
  event_name: z.string(),
  batch_id: z.null(),
  original_run_id: z.string().nullable(),
  replay_id: z.string().nullable(),
  parent_run_id: z.string().nullable(),
  cron: z.string().nullable(),
  queued_at: time,
  cancel_reason: z.enum(CAUSES).nullable(),
  cancelled_by: cancelledBy.nullable(),
  skip_reason: z.string().nullable(),
};

/** The form of a run. */
export const runReply = z.object(runFields).meta({ id: "Run" });

/** The form of one run read by itself: with what flow control and its steps noted. */
export const runInFullReply = z
  .object({
    ...runFields,
    priority: z.number().optional(),
    priority_error: z.string().optional(),
    metadata: z.array(z.looseObject({})),
  })
  .meta({ id: "RunInFull" });

/** The run object of API-8, a superset of protocol/11. */
export function runJson(run: RunRow): z.output<typeof runReply> {
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
    event_ids: [...run.eventIds],
    event_name: run.eventName,
    batch_id: null,
    original_run_id: run.originalRunId,
    replay_id: run.replayId,
    parent_run_id: run.parentRunId,
    cron: run.cron,
    queued_at: isoTime(run.queuedAt),
    cancel_reason: run.cancelReason === null ? null : CAUSES[run.cancelReason.by],
    cancelled_by: run.cancelReason === null ? null : cancelledByJson(run.cancelReason),
    skip_reason: run.skipReason,
  };
}

/** The priority of a run that flow control looks at (FC-30); nothing for others. */
export function priorityJson({ flow }: RunView): Pick<z.output<typeof runInFullReply>, "priority" | "priority_error"> {
  if (flow === undefined) return {};
  const { priority, priorityError } = flow;
  return { priority, ...(priorityError === null ? {} : { priority_error: priorityError }) };
}

/** What cancelled a run, as far as it has a name: an event, a bulk cancellation, another run (CR-13). */
function cancelledByJson(cause: CancelCause): z.output<typeof cancelledBy> | null {
  switch (cause.by) {
    case "event":
      return { event_id: cause.eventId, event_name: cause.eventName };
    case "bulk":
      return { cancellation_id: cause.cancellationId };
    case "singleton":
    case "parent":
      return { run_id: cause.runId };
    case "start_timeout":
    case "finish_timeout":
    case "user":
    case "api":
    case "pause":
      return null;
  }
}

const limitReply = z.object({
  counts: z.enum(["starts", "runs", "steps"]),
  scope: z.enum(["fn", "env", "account"]),
  key: z.string(),
  since: time,
});

/** The form of {@link jobJson}. */
export const jobReply = z
  .object({
    JobID: z.string(),
    at: time,
    position: z.int(),
    kind: z.enum(["start", "edge", "step", "sleep", "wait"]),
    attempt: z.int(),
    Raw: z.null(),
    step: z.string().nullable(),
    waiting_for: limitReply.nullable(),
  })
  .meta({ id: "Job" });

/** One entry of a run's queue: the fields of protocol/11, capitals included, and the step it is for. */
export function jobJson(job: RunJob, position: number): z.output<typeof jobReply> {
  return {
    JobID: job.id,
    at: isoTime(job.at),
    position,
    kind: job.kind,
    attempt: job.attempt,
    Raw: null,
    step: job.step,
    waiting_for: job.waitingFor === undefined ? null : limitJson(job.waitingFor),
  };
}

/** A limit that something waits for (FC-12). */
function limitJson({ counts, scope, key, since }: NonNullable<RunJob["waitingFor"]>): z.output<typeof limitReply> {
  return { counts, scope, key, since: isoTime(since) };
}
