/**
 * A bulk cancellation as REST v1 shows it (CR-9). Pure. Owns the JSON shape, a superset of protocol/11.
 */
import type { OperationState } from "../../decide/operation/operation.ts";
import type { JsonObject } from "../../json.ts";
import { isoTime, isoTimeOrNull } from "./time.ts";

/** The cancellation object. `function_id` is the id without the app's; `count` are the runs cancelled so far. */
export function cancellationJson({ request, status, count, failed, endedAt }: OperationState): JsonObject {
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
