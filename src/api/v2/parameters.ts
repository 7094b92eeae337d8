/**
 * Parameters that calls of v2 share. They come as texts of a query string, or as JSON from a tool: both are understood.
 */
import * as z from "zod";
import { isUlid } from "../../ids.ts";
import { PAGE } from "../../limits.ts";

/** The parameters of a list; `max` items at most. Beyond the range `limit` is clamped. */
export function paging(max: number = PAGE.max) {
  const clamp = (value: number) => Math.min(Math.max(value, PAGE.min), max);
  return {
    limit: z
      .union([z.int(), z.string().regex(/^-?\d+$/, "must be a whole number")], "must be a whole number")
      .transform((value) => clamp(Number(value)))
      .default(PAGE.default)
      .meta({ type: "integer", minimum: PAGE.min, maximum: max }),
    cursor: z.string().refine(isUlid, "must be the page.cursor of another page").nullable().default(null),
  };
}

/** True or false; false when absent. */
export const flag = z
  .union([z.boolean(), z.stringbool()], "must be true or false")
  .default(false)
  .meta({ type: "boolean" });

/** One of the words, or several: as a list, or separated by commas. Case does not matter; empty when absent. */
export function anyOf<Value>(words: ReadonlyMap<string, Value>) {
  const shown = [...words.keys()].join(", ");
  return z
    .union([z.string(), z.array(z.string())])
    .transform((given, context) => {
      return (typeof given === "string" ? given.split(",") : given).map((word) => {
        const value = words.get(word.trim().toUpperCase());
        if (value !== undefined) return value;
        context.addIssue(`must be one or more of ${shown}`);
        return z.NEVER;
      });
    })
    .default([]);
}

/** A name or id that a path carries. */
export const name = z.string().min(1, "must not be empty");
