/**
 * Query strings of REST v1, parsed at the border. Owns the parameters lists share (API-5); guarantees that what a query string says is
 * either understood or refused with 400 `invalid_request` naming the parameter, never ignored.
 */
import * as z from "zod";
import type { Page } from "../../history/page.ts";
import { isUlid } from "../../ids.ts";
import { PAGE } from "../../limits.ts";
import { understood } from "../understood.ts";

/** `limit` is clamped into `PAGE`; `cursor` is the `next_cursor` of the page before. */
export const pageParameters = {
  limit: z
    .string()
    .regex(/^-?\d+$/, "must be a whole number")
    .transform((text) => Math.min(Math.max(Number(text), PAGE.min), PAGE.max))
    .default(PAGE.default),
  cursor: z.string().refine(isUlid, "must be the next_cursor of another page").nullable().default(null),
};

/** A moment in RFC 3339, as ms since 1970; null when absent. */
export const moment = z.iso
  .datetime({ offset: true, message: "must be a time such as 2026-11-21T02:00:00Z" })
  .transform((text) => Date.parse(text))
  .nullable()
  .default(null);

/** A parameter that is any non-empty text; null when absent. */
export const text = z.string().min(1, "must not be empty").nullable().default(null);

/** A query of nothing but a page. */
export const pageQuery: z.ZodType<Page> = z.object(pageParameters);

/** Parses a request's query; throws `invalid_request` with every fault. Parameters the schema does not name are ignored (SE-15). */
export function parseQuery<Query>(schema: z.ZodType<Query>, query: Record<string, string>): Query {
  return understood(schema, query, "The query is");
}
