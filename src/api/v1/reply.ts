/**
 * The success form of REST v1 (API-3, API-5), and how its forms are described. Owns the envelope; errors have their own form, made where they
 * are caught.
 */
import type { Context } from "hono";
import * as z from "zod";
import type { Api } from "../api.ts";
import { isoTime } from "./time.ts";

/** A moment as this surface writes it. */
export const time = z.iso.datetime();

const metadataReply = z.object({ fetched_at: time, cached_until: z.null() });

/** What {@link reply} answers with. */
export function one<Data extends z.ZodType>(data: Data) {
  return z.object({ data, metadata: metadataReply });
}

/** What {@link replyList} answers with. */
export function list<Item extends z.ZodType>(item: Item) {
  return z.object({ data: z.array(item), metadata: metadataReply.extend({ next_cursor: z.string().nullable() }) });
}

/** The form of every error (API-4). */
export const errorReply = z
  .object({
    status: z.int(),
    code: z.string(),
    error: z.string(),
    data: z.null(),
    /** Where in a question in SQL. */
    place: z.object({ line: z.int(), column: z.int() }).optional(),
  })
  .meta({ id: "Error" });

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
