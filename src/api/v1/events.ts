/**
 * `/v1/events` (API-7): events and the runs they started. Owns the routes only; reading is history's.
 */
import { Hono } from "hono";
import * as z from "zod";
import { MillraceError } from "../../errors.ts";
import { runsOfEvent } from "../../history/event-runs.ts";
import type { EventFilter } from "../../history/events.ts";
import type { StoredEvent } from "../../history/message.ts";
import type { Page } from "../../history/page.ts";
import { readEvent } from "../../history/read.ts";
import { SEARCH } from "../../limits.ts";
import { listEvents } from "../../search/events.ts";
import type { Api } from "../api.ts";
import { authenticate } from "../authentication.ts";
import { database } from "../database.ts";
import { described } from "../openapi/described.ts";
import { eventJson, eventReply } from "./event.ts";
import { moment, pageParameters, pageQuery, parseQuery, text } from "./query.ts";
import { list, one, reply, replyList } from "./reply.ts";
import { runJson, runReply } from "./run.ts";
import { expressionOf, expressionText, replySearch, searchList } from "./searching.ts";

const names = z
  .string()
  .transform((value) =>
    value
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== ""),
  )
  .refine((list) => list.length <= SEARCH.names, `must be at most ${SEARCH.names} names, separated by commas`)
  .default([]);

const listQuery = z
  .object({
    ...pageParameters,
    name: text,
    names,
    source: text,
    received_after: moment,
    received_before: moment,
    q: expressionText,
  })
  .transform(
    ({
      limit,
      cursor,
      received_after,
      received_before,
      q,
      ...given
    }): {
      page: Page;
      filter: EventFilter;
      q: string | null;
    } => ({
      page: { limit, cursor },
      filter: { ...given, receivedAfter: received_after, receivedBefore: received_before },
      q,
    }),
  );

/** The routes, below `/v1`. */
export const events = new Hono<Api>();

events.get(
  "/v1/events",
  described({
    id: "listEvents",
    summary: "Events, newest first; with q those of which the expression is true.",
    query: listQuery,
    answers: { 200: searchList(eventReply) },
  }),
  authenticate,
  database,
  async (context) => {
    const { page, filter, q } = parseQuery(listQuery, context.req.query());
    const expression = expressionOf(q, "event_search");
    const { id } = context.get("environment");
    const found = await listEvents(context.env.DB, id, filter, page, expression);
    return replySearch(context, found, (event) => eventJson(id, event));
  },
);

events.get(
  "/v1/events/:id",
  described({
    id: "getEvent",
    summary: "One event, by its internal id or its sender's.",
    answers: { 200: one(eventReply) },
  }),
  authenticate,
  database,
  async (context) => {
    const environment = context.get("environment");
    const event = found(await readEvent(context.env, environment.id, context.req.param("id")), context.req.param("id"));
    return reply(context, eventJson(environment.id, event));
  },
);

events.get(
  "/v1/events/:id/runs",
  described({
    id: "listEventRuns",
    summary: "The runs an event started, newest first.",
    query: pageQuery,
    answers: { 200: list(runReply) },
  }),
  authenticate,
  database,
  async (context) => {
    const { limit, cursor } = parseQuery(pageQuery, context.req.query());
    const environment = context.get("environment");
    const event = found(await readEvent(context.env, environment.id, context.req.param("id")), context.req.param("id"));
    const { items, nextCursor } = await runsOfEvent(context.env, environment.id, event, { limit, cursor });
    return replyList(context, items.map(runJson), nextCursor);
  },
);

function found(event: StoredEvent | null, id: string): StoredEvent {
  if (event !== null) return event;
  throw new MillraceError("event_not_found", `No event has the id "${id}".`);
}
