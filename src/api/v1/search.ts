/**
 * `/v1/search` (OB-5): everything that a text may mean.
 */
import { Hono } from "hono";
import * as z from "zod";
import { SEARCH } from "../../limits.ts";
import { searchEverything } from "../../search/global.ts";
import type { Api } from "../api.ts";
import { authenticate } from "../authentication.ts";
import { database } from "../database.ts";
import { described } from "../openapi/described.ts";
import { parseQuery } from "./query.ts";
import { one, reply } from "./reply.ts";

const searchQuery = z.object({
  q: z
    .string("must be what is looked for")
    .trim()
    .min(1, "must not be empty")
    .max(SEARCH.global.characters, `must have at most ${SEARCH.global.characters} characters`),
});

const findingsReply = z.array(
  z.object({
    kind: z.enum(["run", "event", "app", "function", "event_type", "environment"]),
    id: z.string(),
    name: z.string(),
  }),
);

/** The routes, below `/v1`. */
export const search = new Hono<Api>();

search.get(
  "/v1/search",
  described({
    id: "search",
    summary: "Apps, functions and event names by a part of their name; runs and events by their id.",
    query: searchQuery,
    answers: { 200: one(findingsReply) },
  }),
  authenticate,
  database,
  async (context) => {
    const { q } = parseQuery(searchQuery, context.req.query());
    return reply(context, await searchEverything(context.env, context.get("environment"), q, Date.now()));
  },
);
