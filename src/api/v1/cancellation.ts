/**
 * A bulk cancellation as REST v1 shows it (CR-9). Pure. Owns the JSON shape, a superset of protocol/11.
 */
import * as z from "zod";
import type { CancelRequest, OperationState } from "../../decide/operation/operation.ts";
import { time } from "./reply.ts";
import { isoTime, isoTimeOrNull } from "./time.ts";

/** The fields of a bulk cancellation. */
export const cancellationFields = {
  id: z.string(),
  name: z.null(),
  environment_id: z.string(),
  app_id: z.string(),
  app_name: z.string(),
  function_internal_id: z.string(),
  function_id: z.string(),
  function_slug: z.string(),
  started_after: time.nullable(),
  started_before: time,
  if: z.string().nullable(),
  created_at: time,
  ended_at: time.nullable(),
  status: z.enum(["running", "completed", "stopped"]),
  count: z.int(),
  failed: z.int(),
};

/** The form of a bulk cancellation. */
export const cancellationReply = z.object(cancellationFields).meta({ id: "Cancellation" });

/** The cancellation object. `function_id` is the id without the app's; `count` are the runs cancelled so far. */
export function cancellationJson(
  request: CancelRequest,
  { status, count, failed, endedAt }: OperationState,
): z.output<typeof cancellationReply> {
  const {
    app,
    function: { id, slug },
  } = request;
  return {
    id: request.id,
    name: null,
    environment_id: request.environmentId,
    app_id: app.id,
    app_name: app.name,
    function_internal_id: id,
    function_id: slug.startsWith(`${app.name}-`) ? slug.slice(app.name.length + 1) : slug,
    function_slug: slug,
    started_after: isoTimeOrNull(request.after),
    started_before: isoTime(request.before),
    if: request.condition,
    created_at: isoTime(request.createdAt),
    ended_at: isoTimeOrNull(endedAt),
    status,
    count,
    failed,
  };
}
