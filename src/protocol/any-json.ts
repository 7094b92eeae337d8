/**
 * JSON inside a schema. Owns the one way in which a value that is JSON already passes a border: taken over, not walked through.
 */
import * as z from "zod";
import type { Json } from "../json.ts";

/** A schema for any value that came out of `parseJson`; absent is not JSON. */
export const anyJson: z.ZodType<Json> = z.custom<Json>((value) => value !== undefined);
