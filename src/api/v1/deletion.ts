/**
 * A deletion as REST v1 shows it (OB-25). Pure. Owns the JSON shape, which never holds what a deletion looks for.
 */
import * as z from "zod";
import type { DeleteRequest } from "../../decide/operation/deletion.ts";
import type { OperationState } from "../../decide/operation/operation.ts";
import { time } from "./reply.ts";
import { isoTime, isoTimeOrNull } from "./time.ts";

/** The form of a deletion. */
export const deletionReply = z
  .object({
    id: z.string(),
    environment_id: z.string(),
    by: z.enum(["run_id", "event_id", "external_id", "if"]),
    run_id: z.string().nullable(),
    event_id: z.string().nullable(),
    from: time.nullable(),
    until: time,
    cancel: z.boolean(),
    created_at: time,
    ended_at: time.nullable(),
    status: z.enum(["running", "completed", "stopped"]),
    count: z.int(),
    kept: z.int(),
    failed: z.int(),
  })
  .meta({ id: "Deletion" });

const WORDS = { run: "run_id", event: "event_id", external_id: "external_id", expression: "if" } as const;

/** The deletion object. `count` are the events, or the run, that are gone; `kept` those left because a run of theirs has not ended. */
export function deletionJson(
  { id, environmentId, target, after, before, cancels, createdAt }: DeleteRequest,
  { status, count, lost, failed, endedAt }: OperationState,
): z.output<typeof deletionReply> {
  return {
    id,
    environment_id: environmentId,
    by: WORDS[target.by],
    run_id: target.by === "run" ? target.runId : null,
    event_id: target.by === "event" ? target.eventId : null,
    from: isoTimeOrNull(after),
    until: isoTime(before),
    cancel: cancels,
    created_at: isoTime(createdAt),
    ended_at: isoTimeOrNull(endedAt),
    status,
    count,
    kept: lost,
    failed,
  };
}
