/**
 * The database a route reads. Owns one promise: behind this middleware the schema is in place, whichever route an isolate serves first.
 */
import { createMiddleware } from "hono/factory";
import { ensureSchema } from "../history/schema.ts";
import type { Api } from "./api.ts";

/** Brings the schema up to date before the route runs; free after an isolate's first time. */
export const database = createMiddleware<Api>(async (context, next) => {
  await ensureSchema(context.env.DB);
  await next();
});
