/**
 * What people call a key of any kind, as REST v1 takes it (API-19, API-20). Owns this field alone.
 */
import * as z from "zod";
import { KEY } from "../../limits.ts";

/** The field. */
export const keyName = z
  .string("must be text")
  .min(1, "must not be empty")
  .max(KEY.nameLength, `must have at most ${KEY.nameLength} characters`);
