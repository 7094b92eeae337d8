/**
 * What is there for people, and for the tools that were made for people's pages. Owns one promise: with `MILLRACE_NO_UI` none of it answers
 * (API-23), as if it were not there.
 */
import { createMiddleware } from "hono/factory";
import type { Api } from "./api.ts";
import { notFound } from "./refusal.ts";

/** Lets a request pass where there are pages; answers 404 where there are none. */
export const withPages = createMiddleware<Api>(async (context, next) => {
  if (!context.get("settings").ui) return notFound(context);
  return await next();
});
