/**
 * Lists that may be searched (OB-1 … OB-3): the parameter `q`, and what a reply says about how far the search came. Owns both forms; guarantees
 * that an expression is understood or refused with its position, and that a search that stopped early is never taken for one that found nothing.
 */
import type { Context } from "hono";
import * as z from "zod";
import { MillraceError } from "../../errors.ts";
import type { Expression } from "../../expressions/expression.ts";
import { ulidTime } from "../../ids.ts";
import type { SearchListing } from "../../search/listing.ts";
import { compileSearch, type SearchPlace } from "../../search/source.ts";
import type { Api } from "../api.ts";
import { list, metadata, time } from "./reply.ts";
import { isoTime } from "./time.ts";

/** The parameter: an expression, each line of which must hold; null when absent or blank. */
export const expressionText = z
  .string()
  .nullable()
  .default(null)
  .transform((text) => (text === null || text.trim() === "" ? null : text));

/** The compiled expression; null for none. Throws `expression_invalid` with line and column. */
export function expressionOf(source: string | null, place: SearchPlace): Expression | null {
  if (source === null) return null;
  const compiled = compileSearch(source, place);
  if (compiled.ok) return compiled.expression;
  const { message, line, column } = compiled.error;
  const rule = `${message.replace(/\.$/, "")} (line ${line}, column ${column})`;
  throw new MillraceError("expression_invalid", `The parameter q is not valid: ${rule}.`);
}

/** What {@link replySearch} answers with. */
export function searchList<Item extends z.ZodType>(item: Item) {
  const { metadata: ordinary, ...others } = list(item).shape;
  return z.object({
    ...others,
    metadata: ordinary.extend({
      /** Set when the search stopped early: everything from there on was looked at. `next_cursor` goes on. */
      searched_until: time.nullable(),
      /** Items for which the expression failed, which do not match; null when there were none. */
      expression_errors: z.object({ count: z.int(), first: z.string() }).nullable(),
    }),
  });
}

/** A page of a search. */
export function replySearch<Item>(context: Context<Api>, found: SearchListing<Item>, json: (item: Item) => unknown) {
  const { items, nextCursor, searchedUntil, faults } = found;
  return context.json({
    data: items.map(json),
    metadata: {
      ...metadata(),
      next_cursor: nextCursor,
      searched_until: searchedUntil === null ? null : isoTime(ulidTime(searchedUntil)),
      expression_errors: faults === null ? null : { count: faults.count, first: faults.reason },
    },
  });
}
