/**
 * Everything that leaves as an error (API-4). Owns the two forms, that of v1 and of everything older, and that of v2; guarantees that no error
 * is without a code and that internal ones reveal nothing but the id under which the log has the reason.
 */
import type { Context } from "hono";
import { ERRORS, MillraceError, messageOf } from "../errors.ts";
import type { Api } from "./api.ts";
import { isV2, refuseV2 } from "./v2/refusal.ts";

/** For whatever was thrown. */
export function onError(thrown: Error, context: Context<Api>): Response {
  const known = thrown instanceof MillraceError ? thrown : null;
  if (known === null || known.status === 500) {
    console.error(`${context.req.method} ${context.req.path} (${context.get("requestId")}): ${messageOf(thrown)}`);
  }
  // What is counted is counted by the second, wherever it is thrown from (API-4).
  if (known?.status === 429) context.header("retry-after", "1");
  const text = known?.message ?? "The engine failed; its log has the reason under this request id.";
  return refuse(context, known?.code ?? "internal_error", text);
}

/** For a path that is no route. */
export function notFound(context: Context<Api>): Response {
  return refuse(context, "not_found", `No route ${context.req.path}`);
}

/** An error reply in the form of its surface. */
export function refuse(context: Context<Api>, code: MillraceError["code"], text: string): Response {
  if (isV2(context.req.path)) return refuseV2(context, code, text);
  const status = ERRORS[code].status ?? 500;
  return context.json({ status, code, error: text, data: null }, status);
}
