/**
 * Every error the outside can see. Owns the table (number, code, HTTP status) and the one error class that carries an entry of it.
 * Codes are stable and are what callers compare; numbers name the error for people. Messages name what, where and the limit.
 */

/** `number` is stable for ever; `status` is the HTTP status, or null for errors that only runs show. */
interface ErrorEntry {
  readonly number: number;
  readonly status: 400 | 401 | 403 | 404 | 405 | 409 | 410 | 412 | 413 | 429 | 500 | 501 | 503 | null;
}

/** The table of spec/00 "Error codes". 1xx input, 2xx access, 3xx registration, 4xx unknown or conflicting, 5xx calls, 6xx steps, 7xx runs, 9xx engine. */
export const ERRORS = {
  body_invalid: { number: 100, status: 400 },
  event_invalid: { number: 101, status: 400 },
  event_name_reserved: { number: 102, status: 400 },
  too_many_events: { number: 103, status: 400 },
  event_too_large: { number: 104, status: 413 },
  request_too_large: { number: 105, status: 413 },
  invalid_request: { number: 106, status: 400 },
  message_too_large: { number: 107, status: 413 },
  query_invalid: { number: 108, status: 400 },
  transform_failed: { number: 109, status: 412 },

  event_key_missing: { number: 200, status: 401 },
  event_key_not_found: { number: 201, status: 401 },
  unauthorized: { number: 202, status: 401 },
  forbidden: { number: 203, status: 403 },
  not_configured: { number: 204, status: 503 },
  rate_limited: { number: 205, status: 429 },
  realtime_rate_limited: { number: 206, status: 429 },
  event_filtered: { number: 207, status: 403 },

  config_invalid: { number: 300, status: 400 },
  schedule_invalid: { number: 301, status: 400 },
  event_name_invalid: { number: 302, status: 400 },
  batch_size_invalid: { number: 303, status: 400 },
  batch_timeout_invalid: { number: 304, status: 400 },
  concurrency_limit_invalid: { number: 305, status: 400 },
  combo_unsupported: { number: 306, status: 400 },
  expression_invalid: { number: 307, status: 400 },
  environment_mismatch: { number: 308, status: 400 },
  sdk_version_unsupported: { number: 309, status: 400 },
  unreachable: { number: 320, status: 400 },
  url_not_found: { number: 321, status: 400 },
  server_error: { number: 322, status: 400 },
  unsupported_protocol: { number: 323, status: 400 },
  private_address: { number: 324, status: 400 },
  timeout: { number: 325, status: 400 },

  not_found: { number: 400, status: 404 },
  run_not_found: { number: 401, status: 404 },
  event_not_found: { number: 402, status: 404 },
  function_not_found: { number: 403, status: 404 },
  app_not_found: { number: 404, status: 404 },
  method_not_allowed: { number: 405, status: 405 },
  run_deleted: { number: 406, status: 410 },
  signal_not_found: { number: 407, status: 404 },
  window_not_open: { number: 408, status: 404 },
  step_not_found: { number: 409, status: 404 },
  query_not_found: { number: 410, status: 404 },
  environment_not_found: { number: 411, status: 404 },
  key_not_found: { number: 412, status: 404 },
  webhook_not_found: { number: 413, status: 404 },
  run_ended: { number: 420, status: 409 },
  conflict: { number: 421, status: 409 },
  run_cancelled: { number: 422, status: 409 },
  function_skipped: { number: 423, status: 409 },
  environment_ambiguous: { number: 424, status: 409 },
  already_exists: { number: 425, status: 409 },

  call_timeout: { number: 500, status: null },
  app_unreachable: { number: 501, status: null },
  not_sdk: { number: 502, status: 400 },
  bad_reply: { number: 503, status: null },
  reply_too_large: { number: 504, status: null },
  signature_rejected: { number: 505, status: null },

  output_too_large: { number: 600, status: null },
  invoke_not_found: { number: 601, status: null },
  invoke_timeout: { number: 602, status: null },
  invoke_failed: { number: 603, status: null },

  state_too_large: { number: 700, status: null },
  step_limit_exceeded: { number: 701, status: null },
  timeout_too_long: { number: 702, status: null },
  no_progress: { number: 703, status: null },
  signal_conflict: { number: 704, status: null },

  internal_error: { number: 900, status: 500 },
  not_implemented: { number: 901, status: 501 },
  storage_failed: { number: 902, status: 503 },
} as const satisfies Record<string, ErrorEntry>;

/** A stable error code. */
export type ErrorCode = keyof typeof ERRORS;

/** An error with a code of the table. Thrown inside one isolate only: across objects errors travel as values. */
export class MillraceError extends Error {
  override readonly name = "MillraceError";
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
  /** HTTP status; errors without one of their own are internal when they reach HTTP. */
  get status(): number {
    return ERRORS[this.code].status ?? 500;
  }
}

/** The text of anything thrown, for logs and wrapped messages. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
