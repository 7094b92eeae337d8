/**
 * Bodies of REST v1, parsed at the border. Guarantees that a body is either understood or refused with 400 `invalid_request` naming
 * every field at fault.
 */
import type { Context } from "hono";
import type * as z from "zod";
import { MillraceError } from "../../errors.ts";
import { readBody } from "../../events/body.ts";
import { parseJson } from "../../json.ts";
import type { Api } from "../api.ts";
import { understood } from "../understood.ts";

/**
 * The body of a request, at most `limit` bytes; an empty one counts as `{}`. Fields the schema does not name are ignored (SE-15).
 * Throws `invalid_request`, `body_invalid`, or `request_too_large`.
 */
export async function parseBody<Body>(context: Context<Api>, schema: z.ZodType<Body>, limit: number): Promise<Body> {
  const text = await readBody(context.req.raw, limit);
  const json = text.trim() === "" ? ({ ok: true, value: {} } as const) : parseJson(text);
  if (!json.ok) throw new MillraceError("body_invalid", `The body is not JSON: ${json.reason}.`);
  return understood(schema, json.value, "The body is");
}
