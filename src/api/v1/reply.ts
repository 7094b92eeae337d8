/**
 * The success form of REST v1 (API-3, API-5). Owns the envelope; errors have their own form, made where they are caught.
 */
import type { Context } from "hono";
import type { Api } from "../api.ts";
import { isoTime } from "./time.ts";

/** `{ data, metadata }` for one thing. Never cached: `cached_until` is always null. */
export function reply(context: Context<Api>, data: unknown): Response {
  return context.json({ data, metadata: metadata() });
}

/** The same for a page of a list; `nextCursor` is null at the end. */
export function replyList(context: Context<Api>, data: readonly unknown[], nextCursor: string | null): Response {
  return context.json({ data, metadata: { ...metadata(), next_cursor: nextCursor } });
}

/** What every reply says about itself. */
export function metadata() {
  return { fetched_at: isoTime(Date.now()), cached_until: null };
}
