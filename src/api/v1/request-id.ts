/**
 * Where a request says which one it is, so that its copies are known (CR-28): in its body or in a header.
 */
import type { Context } from "hono";
import * as z from "zod";
import { RERUN } from "../../limits.ts";
import { type FirstId, firstId } from "../../runs/first-id.ts";
import type { Api } from "../api.ts";

/** The field of a body. Headers do as well: `idempotency-key`, `x-request-id`. */
export const requestId = z
  .string("must be text")
  .min(1, "must not be empty")
  .max(RERUN.textLength, `must have at most ${RERUN.textLength} characters`)
  .nullable()
  .default(null);

/** What a request says it is; null when it says nothing. */
export function keyOf(headers: Headers, given: string | null): string | null {
  return given ?? headers.get("idempotency-key") ?? headers.get("x-request-id");
}

/** The id under which a request acts. `scope` names what is asked for. `now` in ms. Throws `invalid_request` for an id that is too long. */
export async function idFor(context: Context<Api>, scope: string, given: string | null, now: number): Promise<FirstId> {
  const key = keyOf(context.req.raw.headers, given);
  return await firstId(context.env, context.get("environment").id, { scope, key }, now);
}
