/**
 * Requests that start something and may arrive twice: a double click, a browser's retry (CR-28). Owns where a request says what it is, and the
 * id under which all its copies act: within 24 hours that of the first, so that what it starts exists once.
 */
import type { Context } from "hono";
import * as z from "zod";
import { MillraceError } from "../../errors.ts";
import { newUlid } from "../../ids.ts";
import { RERUN } from "../../limits.ts";
import { windowStub } from "../../objects.ts";
import type { Api } from "../api.ts";

/** The field of a body. Headers do as well: `idempotency-key`, `x-request-id`. */
export const requestId = z
  .string("must be text")
  .min(1, "must not be empty")
  .max(RERUN.textLength, `must have at most ${RERUN.textLength} characters`)
  .nullable()
  .default(null);

/** The id under which a request acts. `repeated`: a copy of it came before. */
interface RequestedId {
  /** ULID. */
  readonly id: string;
  readonly repeated: boolean;
}

/**
 * A ULID for what the request starts: a new one, or that of its first copy. `scope` names what is asked for, so that one id may be used for
 * different things. `now` in ms. Throws `invalid_request` for an id that is too long.
 */
export async function idFor(
  context: Context<Api>,
  scope: string,
  given: string | null,
  now: number,
): Promise<RequestedId> {
  const candidate = newUlid(now);
  const name = given ?? context.req.header("idempotency-key") ?? context.req.header("x-request-id") ?? "";
  if (name === "") return { id: candidate, repeated: false };
  if (name.length > RERUN.textLength) {
    throw new MillraceError("invalid_request", `A request's id must have at most ${RERUN.textLength} characters.`);
  }
  const owner = { functionId: "", key: `${scope}\n${name}` };
  const window = await windowStub(context.env, context.get("environment").id, "request", owner);
  const id = await window.first(candidate);
  return { id, repeated: id !== candidate };
}
