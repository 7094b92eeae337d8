/**
 * Errors as v2 says them (protocol/11 §11.3): `{ errors: [{ code, message }] }`, with codes of that surface. Owns the form and the codes.
 */
import type { Context } from "hono";
import * as z from "zod";
import { ERRORS, type ErrorCode } from "../../errors.ts";
import type { Api } from "../api.ts";

/** True for paths of this surface. */
export function isV2(path: string): boolean {
  return /^(?:\/api)?\/v2(?:\/|$)/.test(path);
}

/** The form of every error. */
export const errorReply = z
  .object({ errors: z.array(z.object({ code: z.string(), message: z.string() })) })
  .meta({ id: "Error" });

/** The codes whose name differs here. Those that are not listed, and that v2 has no name for, are the engine's own. */
const CODES: Partial<Record<ErrorCode, string>> = {
  body_invalid: "invalid_request",
  event_invalid: "validation_error",
  event_name_reserved: "validation_error",
  event_too_large: "validation_error",
  request_too_large: "validation_error",
  query_invalid: "validation_error",
  query_not_found: "not_found",
  forbidden: "access_denied",
  run_not_found: "not_found",
  event_not_found: "not_found",
  function_not_found: "not_found",
  app_not_found: "not_found",
  key_not_found: "not_found",
  environment_not_found: "env_not_found",
  environment_ambiguous: "env_name_ambiguous",
  already_exists: "resource_already_exists",
  step_not_found: "not_found",
  run_deleted: "not_found",
  run_ended: "run_already_ended",
  run_cancelled: "run_already_cancelled",
  realtime_rate_limited: "rate_limited",
};

/** An error reply. */
export function refuseV2(context: Context<Api>, code: ErrorCode, message: string): Response {
  const name = code === "unauthorized" ? refusedKey(context) : isSyncFault(code) ? "app_sync_failed" : CODES[code];
  return context.json({ errors: [{ code: name ?? code, message }] }, ERRORS[code].status ?? 500);
}

function refusedKey(context: Context<Api>): string {
  return context.req.header("authorization") === undefined ? "authorization_header_missing" : "invalid_signing_key";
}

/** Numbers of registration and of what apps answer. */
function isSyncFault(code: ErrorCode): boolean {
  const { number } = ERRORS[code];
  return (number >= 300 && number < 400) || code === "not_sdk";
}
