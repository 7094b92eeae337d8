/**
 * Values from outside, held against what a call takes. Owns the sentence of the refusal: what was not understood, and every field at fault.
 */
import type * as z from "zod";
import { MillraceError } from "../errors.ts";

/** What the schema makes of the value; `what` begins the refusal, with its verb: "The body is". Throws `invalid_request`. */
export function understood<Value>(schema: z.ZodType<Value>, value: unknown, what: string): Value {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  const faults = error.issues.map(({ path, message }) => `${path.join(".") || "it"} ${message}`);
  throw new MillraceError("invalid_request", `${what} not valid: ${faults.join("; ")}`);
}
