/**
 * `/v1/events` (API-7): events and the runs they started. Owns the routes only; reading is history's.
 */
import { Hono } from "hono";
import * as z from "zod";
import { MillraceError } from "../../errors.ts";
import { type EventFilter, listEvents } from "../../history/events.ts";
import type { StoredEvent } from "../../history/message.ts";
import type { Page } from "../../history/page.ts";
import { readEvent, readRuns } from "../../history/read.ts";
import { rerunsOf } from "../../history/reruns.ts";
import type { Api } from "../api.ts";
import { authenticate } from "../authentication.ts";
import { database } from "../database.ts";
import { eventJson } from "./event.ts";
import { moment, pageParameters, pageQuery, parseQuery, text } from "./query.ts";
import { reply, replyList } from "./reply.ts";
import { runJson } from "./run.ts";

const listQuery = z
  .object({ ...pageParameters, name: text, received_after: moment, received_before: moment })
  .transform(({ limit, cursor, name, received_after, received_before }): { page: Page; filter: EventFilter } => ({
    page: { limit, cursor },
    filter: { name, receivedAfter: received_after, receivedBefore: received_before },
  }));

/** The routes, below `/v1`. */
export const events = new Hono<Api>();

events.get("/v1/events", authenticate, database, async (context) => {
  const { page, filter } = parseQuery(listQuery, context.req.query());
  const environment = context.get("environment");
  const { items, nextCursor } = await listEvents(context.env.DB, environment.id, filter, page);
  return replyList(
    context,
    items.map((event) => eventJson(environment.id, event)),
    nextCursor,
  );
});

events.get("/v1/events/:id", authenticate, database, async (context) => {
  const environment = context.get("environment");
  const event = found(await readEvent(context.env, environment.id, context.req.param("id")), context.req.param("id"));
  return reply(context, eventJson(environment.id, event));
});

events.get("/v1/events/:id/runs", authenticate, database, async (context) => {
  const { limit, cursor } = parseQuery(pageQuery, context.req.query());
  const environment = context.get("environment");
  const event = found(await readEvent(context.env, environment.id, context.req.param("id")), context.req.param("id"));
  // Runs that windows have yet to start are not found, and left out.
  const started = event.outcomes.flatMap((outcome) =>
    "runId" in outcome && outcome.runId !== undefined ? [outcome.runId] : [],
  );
  const again = await rerunsOf(context.env.DB, environment.id, started, { cursor, limit: limit + 1 });
  const runIds = [...started.filter((runId) => cursor === null || runId < cursor), ...again].sort().reverse();
  const shown = runIds.slice(0, limit);
  const runs = await readRuns(context.env, environment.id, shown);
  return replyList(context, runs.map(runJson), runIds.length > limit ? (shown.at(-1) ?? null) : null);
});

function found(event: StoredEvent | null, id: string): StoredEvent {
  if (event !== null) return event;
  throw new MillraceError("event_not_found", `No event has the id "${id}".`);
}
