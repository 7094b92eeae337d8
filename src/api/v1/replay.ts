/**
 * A replay as REST v1 shows it (CR-24). Pure. Owns the JSON shape and the words for the statuses it chooses.
 */
import * as z from "zod";
import type { OperationState, ReplayRequest } from "../../decide/operation/operation.ts";
import type { RunStatus } from "../../history/message.ts";
import type { Tally } from "../../history/replayable.ts";
import { time } from "./reply.ts";
import { isoTime, isoTimeOrNull } from "./time.ts";

/** A replay with what has become of its runs. */
export interface ReplayView {
  readonly request: ReplayRequest;
  readonly state: OperationState;
  readonly tally: Tally;
}

/** The words of replays (spec/00 "Runs"): Completed is also called Succeeded there. */
export const CHOICE_WORDS: ReadonlyMap<string, RunStatus> = new Map<string, RunStatus>([
  ["Failed", "failed"],
  ["Succeeded", "completed"],
  ["Canceled", "cancelled"],
  ["Skipped", "skipped"],
]);

/** The form of a replay. */
export const replayReply = z
  .object({
    id: z.string(),
    name: z.string(),
    environment_id: z.string(),
    app_id: z.string(),
    app_name: z.string(),
    function_id: z.string(),
    function_slug: z.string(),
    from: time.nullable(),
    until: time,
    statuses: z.array(z.string()),
    if: z.string().nullable(),
    created_at: time,
    ended_at: time.nullable(),
    status: z.enum(["running", "completed", "stopped"]),
    total: z.int(),
    started: z.int(),
    ended: z.object({ completed: z.int(), failed: z.int(), cancelled: z.int() }),
    remaining: z.int(),
    dropped: z.int(),
    failed: z.int(),
    lost: z.int(),
  })
  .meta({ id: "Replay" });

/** The replay object. `total` are the runs it runs again as far as it knows, of which `remaining` have not ended. */
export function replayJson({ request, state, tally }: ReplayView): z.output<typeof replayReply> {
  const { app, function: fn, preview, statuses } = request;
  const { status, count, failed, lost, endedAt, watch } = state;
  const ended = endedJson(tally);
  const chosen = count + failed + lost;
  // Until all of history was passed over there may be more than were counted beforehand.
  const total = watch !== null || status === "completed" ? chosen : Math.max(preview, chosen);
  const dropped = status === "stopped" ? total - chosen : 0;
  const sum = Object.values(ended).reduce((all, one) => all + one, 0);
  return {
    id: request.id,
    name: request.name,
    environment_id: request.environmentId,
    app_id: app.id,
    app_name: app.name,
    function_id: fn.id,
    function_slug: fn.slug,
    from: isoTimeOrNull(request.after),
    until: isoTime(request.before),
    statuses: [...CHOICE_WORDS].filter(([, one]) => statuses.includes(one)).map(([word]) => word),
    if: request.condition,
    created_at: isoTime(request.createdAt),
    ended_at: isoTimeOrNull(endedAt),
    status,
    total,
    started: count,
    ended,
    remaining: Math.max(0, total - dropped - failed - lost - sum),
    dropped,
    failed,
    lost,
  };
}

function endedJson(tally: Tally) {
  const of = (status: RunStatus) => tally.get(status) ?? 0;
  return { completed: of("completed"), failed: of("failed"), cancelled: of("cancelled") };
}
