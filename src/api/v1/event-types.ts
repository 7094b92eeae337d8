/**
 * `/v1/event-types` (OB-18): the event names of an environment, and how one of them came over the last day.
 */
import { Hono } from "hono";
import * as z from "zod";
import { catalogOf } from "../../apps/catalog.ts";
import type { Catalog } from "../../apps/catalog-index.ts";
import { MillraceError } from "../../errors.ts";
import { type EventType, eventType, eventTypes, eventVolume } from "../../metrics/event-types.ts";
import type { Api } from "../api.ts";
import { authenticate } from "../authentication.ts";
import { database } from "../database.ts";
import { described } from "../openapi/described.ts";
import { pageParameters, parseQuery, text } from "./query.ts";
import { list, one, reply, replyList } from "./reply.ts";
import { isoTime } from "./time.ts";

const HOUR = 60 * 60 * 1000;
const HOURS = 24;

/** Which names: those after the cursor, in their order. */
const eventTypesQuery = z.object({ limit: pageParameters.limit, cursor: text });

/** Which name. */
const eventTypeQuery = z.object({ name: z.string("must be the name of an event").min(1, "must not be empty") });

const eventTypeFields = {
  name: z.string(),
  /** Events of the last 24 hours. */
  volume: z.number().int(),
  first_seen: z.iso.datetime(),
  last_seen: z.iso.datetime(),
  functions: z.array(z.object({ function_id: z.string(), function_slug: z.string() })),
};

/** One of the reply of `/v1/event-types`. */
const eventTypesReply = z.object(eventTypeFields);

/** Reply of `/v1/event-types/one`: also who sent its newest events, and how many came in each of the last 24 hours. */
const eventTypeReply = z.object({
  ...eventTypeFields,
  sources: z.array(z.string()),
  chart: z.array(z.object({ from: z.iso.datetime(), count: z.number().int() })),
});

/** The routes, below `/v1`. */
export const eventTypeRoutes = new Hono<Api>();

eventTypeRoutes.get(
  "/v1/event-types",
  described({
    id: "listEventTypes",
    summary: "The names of events, in their order.",
    query: eventTypesQuery,
    answers: { 200: list(eventTypesReply) },
  }),
  authenticate,
  database,
  async (context) => {
    const { limit, cursor } = parseQuery(eventTypesQuery, context.req.query());
    const { id } = context.get("environment");
    const now = Date.now();
    const [found, catalog] = await Promise.all([
      eventTypes(context.env.DB, id, { after: cursor ?? "", limit: limit + 1, from: now - HOURS * HOUR }),
      catalogOf(context.env, id, now),
    ]);
    const shown = found.slice(0, limit);
    const data = shown.map((type) => eventTypeJson(type, catalog));
    return replyList(context, data, found.length > limit ? (shown.at(-1)?.name ?? null) : null);
  },
);

eventTypeRoutes.get(
  "/v1/event-types/one",
  described({
    id: "getEventType",
    summary: "One event name and its last day.",
    query: eventTypeQuery,
    answers: { 200: one(eventTypeReply) },
  }),
  authenticate,
  database,
  async (context) => {
    const { name } = parseQuery(eventTypeQuery, context.req.query());
    const { id } = context.get("environment");
    const now = Date.now();
    const type = await eventType(context.env.DB, id, name, now - HOURS * HOUR);
    if (type === null) throw new MillraceError("event_not_found", `No event has the name "${name}".`);
    const moments = Array.from({ length: HOURS + 1 }, (_, i) => now - (HOURS - i) * HOUR);
    const [{ counts, sources }, catalog] = await Promise.all([
      eventVolume(context.env.DB, id, name, moments),
      catalogOf(context.env, id, now),
    ]);
    const chart = counts.map((count, i) => ({ from: isoTime(moments[i] ?? now), count }));
    return reply(context, { ...eventTypeJson(type, catalog), sources, chart });
  },
);

function eventTypeJson({ name, recent, firstSeen, lastSeen }: EventType, catalog: Catalog) {
  const triggered = new Map(catalog.functionsFor(name).map(({ function: { id, slug } }) => [id, slug]));
  return {
    name,
    volume: recent,
    first_seen: isoTime(firstSeen),
    last_seen: isoTime(lastSeen),
    functions: [...triggered].map(([function_id, function_slug]) => ({ function_id, function_slug })),
  };
}
